#include "client/connect_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "io/memory_directory.h"

namespace redoubt::client {
namespace {

using ::testing::HasSubstr;

class ConnectOptionsTest : public ::testing::Test {
protected:
    void file(const std::string& path, const std::string& text) {
        ASSERT_TRUE(root_.make_directory(io::parent_of(path)));
        ASSERT_TRUE(root_.replace_text(path, text));
    }
    Result<ConnectOptions> complete(const ConnectOptions& given = {},
                                    const OptionFiles& files = {}) {
        return complete_options(root_, given, files,
                                [this](const char* name) { return environment_[name]; });
    }

    io::MemoryDirectory root_;
    std::map<std::string, std::string> environment_{{"HOME", "/home/dba"}};
};

TEST_F(ConnectOptionsTest, WithoutFilesTheServersUsualSocket) {
    const auto options = complete().value();
    EXPECT_FALSE(options.uses_tcp());
    EXPECT_EQ(options.where(), "socket /run/mysqld/mysqld.sock");
}

TEST_F(ConnectOptionsTest, FilesAreReadInOrderAndTheCommandLineWins) {
    file("/etc/my.cnf", "[client]\nuser=etc\nsocket=/etc.sock\npassword = \"a # b\"\n");
    file("/etc/mysql/my.cnf", "[mysqld]\nuser=mysql\n[client-server]\nssl-ca=/ca.pem\n");
    file("/extra.cnf", "[redoubt]\nuser=extra\nsocket=/extra.sock\n");
    file("/home/dba/.my.cnf", "[client-mariadb]\nuser=home\n");
    auto options = complete({}, {.defaults_extra_file = "/extra.cnf"}).value();
    EXPECT_EQ(options.user, "home");
    EXPECT_EQ(options.password, "a # b");
    EXPECT_EQ(options.ssl_ca, "/ca.pem");
    EXPECT_EQ(options.where(), "socket /extra.sock");
    ConnectOptions given;
    given.user = "given";
    EXPECT_EQ(complete(given).value().user, "given");
}

TEST_F(ConnectOptionsTest, ADefaultsFileIsTheOnlyOne) {
    file("/etc/my.cnf", "[client]\nuser=etc\n");
    file("/only.cnf", "[client]\nport=3307\n[other]\nuser=other\n");
    const auto options = complete({}, {.defaults_file = "/only.cnf"}).value();
    EXPECT_FALSE(options.user);
    EXPECT_EQ(options.port, 3307U);
    EXPECT_FALSE(options.uses_tcp());  // a port in a file is for those who use TCP
}

TEST_F(ConnectOptionsTest, GroupsWithTheSuffixCountToo) {
    file("/etc/my.cnf", "[client]\nuser=plain\n[client_two]\nuser=two\n[client_three]\nuser=3\n");
    EXPECT_EQ(complete().value().user, "plain");
    EXPECT_EQ(complete({}, {.group_suffix = "_two"}).value().user, "two");
    environment_["MYSQL_GROUP_SUFFIX"] = "_three";
    EXPECT_EQ(complete().value().user, "3");
}

TEST_F(ConnectOptionsTest, PortOrSocketOnTheCommandLineSayHow) {
    file("/etc/my.cnf", "[client]\nhost=db.example\n");
    EXPECT_EQ(complete().value().where(), "db.example:3306");
    ConnectOptions port;
    port.port = 3310;
    EXPECT_EQ(complete(port).value().where(), "127.0.0.1:3310");
    ConnectOptions socket;
    socket.socket = "/s";
    EXPECT_EQ(complete(socket).value().where(), "socket /s");
}

TEST_F(ConnectOptionsTest, TheEnvironmentFillsWhatIsLeft) {
    environment_["MYSQL_PWD"] = "secret";
    environment_["MYSQL_UNIX_PORT"] = "/env.sock";
    environment_["MYSQL_TCP_PORT"] = "3311";
    auto options = complete().value();
    EXPECT_EQ(options.password, "secret");
    EXPECT_EQ(options.where(), "socket /env.sock");
    ConnectOptions given;
    given.host = "h";
    given.password = "";
    options = complete(given).value();
    EXPECT_EQ(options.password, "");
    EXPECT_EQ(options.where(), "h:3311");
}

TEST_F(ConnectOptionsTest, MissingFilesAndWrongValuesAreNamed) {
    EXPECT_EQ(complete({}, {.defaults_file = "/no.cnf"}).error().code(), ErrorCode::NotFound);
    EXPECT_EQ(complete({}, {.defaults_extra_file = "/no.cnf"}).error().code(), ErrorCode::NotFound);
    file("/etc/my.cnf", "[client]\nport=many\n");
    const Error error = complete().error();
    EXPECT_EQ(error.code(), ErrorCode::Usage);
    EXPECT_THAT(error.to_string(), HasSubstr("/etc/my.cnf"));
    EXPECT_THAT(error.to_string(), HasSubstr("port = many"));
}

TEST_F(ConnectOptionsTest, SslIsSaidInSeveralWays) {
    file("/etc/my.cnf", "[client]\nssl\nssl-verify-server-cert=ON\n");
    EXPECT_EQ(complete().value().ssl, true);
    EXPECT_EQ(complete().value().ssl_verify_server_cert, true);
    file("/etc/my.cnf", "[client]\nssl\nskip-ssl\n");
    EXPECT_EQ(complete().value().ssl, false);
}

}  // namespace
}  // namespace redoubt::client
