#include "cli/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <initializer_list>
#include <sstream>

#include "cli/password.h"
#include "io/posix_directory.h"
#include "unit/temporary_directory.h"

namespace redoubt::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::variant<Options, ParseEnd> parse(std::initializer_list<const char*> arguments) {
    std::vector<const char*> argv = {"redoubt"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return parse_command_line(static_cast<int>(argv.size()), argv.data());
}
Options parsed(std::initializer_list<const char*> arguments) {
    auto result = parse(arguments);
    if (const auto* end = std::get_if<ParseEnd>(&result)) {
        ADD_FAILURE() << (end->error ? end->error->to_string() : end->text);
        return {};
    }
    return std::get<Options>(std::move(result));
}
ParseEnd refused(std::initializer_list<const char*> arguments) {
    auto result = parse(arguments);
    if (std::holds_alternative<Options>(result)) {
        ADD_FAILURE() << "accepted";
        return {};
    }
    return std::get<ParseEnd>(std::move(result));
}
std::string contents(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

TEST(CommandLine, RestoreTakesABackupAndADataDirectory) {
    for (const Options& options : {parsed({"restore", "b", "d", "--move"}),
                                   parsed({"restore", "--move", "b", "d", "--threads", "1"})}) {
        EXPECT_THAT(options.paths, ElementsAre("b"));
        EXPECT_EQ(options.target, "d");
        EXPECT_TRUE(options.move);
    }
    EXPECT_EQ(refused({"restore", "b"}).exit_code, 2);
    EXPECT_EQ(refused({"restore", "b", "d", "e"}).exit_code, 2);
}

TEST(CommandLine, BackupTakesTheClientToolsOptions) {
    const Options options =
        parsed({"backup", "--host=h", "--port", "3307", "--user", "u", "--password=p w", "d",
                "--ssl-ca", "/ca", "--skip-ssl", "--defaults-file", "f", "--defaults-extra-file",
                "e", "--defaults-group-suffix=_2", "--lock-wait-timeout=5", "--slave-info"});
    EXPECT_THAT(options.paths, ElementsAre("d"));
    EXPECT_EQ(options.server.host, "h");
    EXPECT_EQ(options.server.port, 3307U);
    EXPECT_EQ(options.server.user, "u");
    EXPECT_EQ(options.server.password, "p w");
    EXPECT_EQ(options.server.ssl_ca, "/ca");
    EXPECT_EQ(options.server.ssl, false);
    EXPECT_EQ(options.option_files.defaults_file, "f");
    EXPECT_EQ(options.option_files.defaults_extra_file, "e");
    EXPECT_EQ(options.option_files.group_suffix, "_2");
    EXPECT_EQ(options.lock_wait_timeout, 5U);
    EXPECT_TRUE(options.slave_info);
    EXPECT_FALSE(options.ask_password);
}

TEST(CommandLine, ALonePasswordOptionAsksAndTakesNoOperand) {
    const Options options = parsed({"backup", "--password", "d"});
    EXPECT_TRUE(options.ask_password);
    EXPECT_FALSE(options.server.password);
    EXPECT_THAT(options.paths, ElementsAre("d"));
    EXPECT_EQ(parsed({"backup", "d", "--password="}).server.password, "");
}

TEST(HidePasswords, OverwritesTheTextInPlace) {
    std::string password = "--password=secret";
    std::string other = "--passwords";
    std::vector<char*> argv = {other.data(), password.data()};
    hide_passwords(2, argv.data());
    EXPECT_EQ(password, "--password=xxxxxx");
    EXPECT_EQ(other, "--passwords");
}

TEST(ParseSize, KnowsItsSuffixes) {
    EXPECT_EQ(parse_size("512").value(), 512U);
    EXPECT_EQ(parse_size("4k").value(), 4096U);
    EXPECT_EQ(parse_size("128M").value(), std::uint64_t{128} << 20);
    EXPECT_EQ(parse_size("2G").value(), std::uint64_t{2} << 30);
}

TEST(ParseSize, RefusesWhatIsNoSize) {
    for (const char* text :
         {"", "M", "-1", "12Q", "1.5G", " 3", "99999999999999999999", "99999999999999G"}) {
        const auto size = parse_size(text);
        ASSERT_FALSE(size) << text;
        EXPECT_EQ(size.error().code(), ErrorCode::Usage);
    }
}

TEST(ParsePageId, TakesTwoNumbers) {
    EXPECT_EQ(parse_page_id("5:3").value(), (PageId{SpaceId{5}, PageNo{3}}));
    EXPECT_FALSE(parse_page_id("5"));
    EXPECT_FALSE(parse_page_id("5:"));
    EXPECT_FALSE(parse_page_id("5:3:1"));
    EXPECT_FALSE(parse_page_id("5:4294967296"));
}

TEST(ParseLevels, TakesAListAndNamesTheChoice) {
    EXPECT_THAT(parse_levels("pages,files,pages").value(), ElementsAre("pages", "files"));
    const auto wrong = parse_levels("files,blocks");
    ASSERT_FALSE(wrong);
    EXPECT_THAT(wrong.error().message(), HasSubstr("'blocks'"));
    EXPECT_THAT(wrong.error().message(), HasSubstr("files, pages, trees, rows"));
}

TEST(CommandLine, TakesGlobalOptionsBeforeAndAfterTheCommand) {
    const Options before = parsed({"--json", "--threads", "3", "recover", "dir"});
    const Options after = parsed({"recover", "dir", "--json", "--threads", "3"});
    for (const Options& options : {before, after}) {
        EXPECT_EQ(options.command, "recover");
        EXPECT_THAT(options.paths, ElementsAre("dir"));
        EXPECT_TRUE(options.json);
        EXPECT_EQ(options.threads, 3U);
    }
}

TEST(CommandLine, HasTheDocumentedDefaults) {
    const Options options = parsed({"verify", "a", "b"});
    EXPECT_THAT(options.paths, ElementsAre("a", "b"));
    EXPECT_THAT(options.levels, ElementsAre("files", "pages", "trees"));
    EXPECT_EQ(options.memory, std::uint64_t{128} << 20);
    EXPECT_GE(options.threads, 1U);
    EXPECT_EQ(options.key_algorithm, crypt::CipherMode::Cbc);
    EXPECT_EQ(options.progress, ProgressMode::Auto);
    EXPECT_FALSE(options.layout.given());
}

TEST(CommandLine, UnderstandsEachCommandsOwnOptions) {
    const Options inspect = parsed({"inspect", "t.ibd", "--page", "7", "--map", "--svg", "x.svg",
                                    "--records", "--doublewrite"});
    EXPECT_EQ(inspect.page, PageNo{7});
    EXPECT_TRUE(inspect.map);
    EXPECT_TRUE(inspect.records);
    EXPECT_TRUE(inspect.doublewrite);
    EXPECT_EQ(inspect.svg_file, "x.svg");
    const Options log = parsed({"log", "d", "--page", "0:5", "--from", "12288", "--summary"});
    EXPECT_EQ(log.log_page, (PageId{SpaceId{0}, PageNo{5}}));
    EXPECT_EQ(log.from, Lsn{12288});
    EXPECT_TRUE(log.summary);
    const Options keys = parsed({"verify", "d", "--key-file", "k", "--key-algorithm", "ctr"});
    EXPECT_EQ(keys.key_algorithm, crypt::CipherMode::Ctr);
    EXPECT_EQ(parsed({"verify", "d", "--debug-key-version", "7"}).debug_key_version, 7U);
    EXPECT_EQ(parsed({"verify", "d", "--html", "r.html"}).html_file, "r.html");
}

TEST(CommandLine, SqlTakesStatementsAndAFormat) {
    const Options options = parsed({"sql", "d", "-e", "SELECT 1", "--format", "csv", "--database",
                                    "shop", "--read-uncommitted", "--skip-damaged"});
    EXPECT_THAT(options.paths, ElementsAre("d"));
    EXPECT_EQ(options.execute, "SELECT 1");
    EXPECT_EQ(options.format, "csv");
    EXPECT_EQ(options.database, "shop");
    EXPECT_TRUE(options.read_uncommitted);
    EXPECT_TRUE(options.skip_damaged);
    EXPECT_FALSE(parsed({"sql", "d"}).execute);
    EXPECT_EQ(refused({"sql", "d", "--format", "xml"}).exit_code, 2);
}

TEST(CommandLine, MistakesAreUsageErrorsWithAHint) {
    for (const auto& arguments : std::initializer_list<std::initializer_list<const char*>>{
             {},
             {"frobnicate"},
             {"recover"},
             {"recover", "a", "b"},
             {"recover", "d", "--no-such"},
             {"--memory", "much", "recover", "d"},
             {"--threads", "0", "recover", "d"},
             {"--progress", "often", "recover", "d"},
             {"--innodb-page-size", "5k", "recover", "d"},
             {"log", "d", "--page", "5"},
             {"inspect", "f", "--page", "-1"}}) {
        const ParseEnd end = refused(arguments);
        EXPECT_EQ(end.exit_code, 2);
        ASSERT_TRUE(end.error);
        EXPECT_FALSE(end.error->hint().empty());
    }
    EXPECT_THAT(refused({"frobnicate"}).error->message(),
                HasSubstr("unknown command 'frobnicate'"));
}

TEST(CommandLine, AMistakeKnowsCommandAndJson) {
    const ParseEnd end = refused({"recover", "--json", "a", "--no-such"});
    EXPECT_EQ(end.command, "recover");
    EXPECT_TRUE(end.json);
}

TEST(CommandLine, HelpAndVersionEndWithSuccess) {
    EXPECT_THAT(refused({"--version"}).text, HasSubstr("redoubt "));
    for (const char* command : {"recover", "verify", "inspect", "log", "sql"}) {
        const ParseEnd end = refused({command, "--help"});
        EXPECT_EQ(end.exit_code, 0);
        EXPECT_FALSE(end.error);
        EXPECT_THAT(end.text, HasSubstr(command));
    }
}

// The golden file is `redoubt --help > tests/unit/cli/golden/help.txt`, read over by a person.
TEST(CommandLine, HelpReadsAsTheGoldenFile) {
    EXPECT_EQ(refused({"--help"}).text, contents(REDOUBT_GOLDEN_DIR "/help.txt"));
}

TEST(CommandLine, GeneratesManPagesAndCompletionOfEveryCommand) {
    const test::TemporaryDirectory directory;
    EXPECT_EQ(refused({"--generate", "man", directory.path().c_str()}).exit_code, 0);
    EXPECT_EQ(refused({"--generate", "completion", directory.path().c_str()}).exit_code, 0);
    const std::string completion = contents(directory.path() + "/redoubt");
    for (const std::string command : {"recover", "verify", "inspect", "log", "sql"}) {
        const std::string page = contents(directory.path() + "/redoubt-" + command + ".1");
        EXPECT_THAT(page, HasSubstr(".SH SYNOPSIS\n\\fBredoubt " + command)) << command;
        EXPECT_THAT(completion, HasSubstr(command + ") words="));
    }
    EXPECT_THAT(contents(directory.path() + "/redoubt.1"), HasSubstr("\\-\\-key\\-file\\fR"));
    EXPECT_THAT(completion, HasSubstr("--summary"));
    EXPECT_EQ(refused({"--generate", "poem", directory.path().c_str()}).exit_code, 2);
}

TEST(LayoutArguments, OptionsOverrideTheDefaultsFile) {
    const test::TemporaryDirectory directory;
    std::ofstream(directory.path() + "/my.cnf")
        << "[mysqld]\ninnodb_undo_directory=/undo\ninnodb_log_group_home_dir=/log\n";
    const auto root = io::open_posix_directory(directory.path());
    ASSERT_TRUE(root);
    const LayoutArguments arguments{.defaults_file = "my.cnf",
                                    .data_file_path = {},
                                    .data_home = {},
                                    .undo_directory = {},
                                    .log_directory = "/elsewhere",
                                    .page_size = 8192};
    const auto layout = arguments.resolve(**root);
    ASSERT_TRUE(layout) << layout.error().to_string();
    EXPECT_EQ(layout->undo_directory, "/undo");
    EXPECT_EQ(layout->log_directory, "/elsewhere");
    EXPECT_EQ(layout->page_size, 8192U);
}

}  // namespace
}  // namespace redoubt::cli
