#include "engine/binlog.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/integers.h"
namespace redoubt::engine {
namespace {

constexpr std::string_view kIndexEnding = ".index";
constexpr std::size_t kIndexMax = std::size_t{16} << 20;  // bytes
constexpr std::string_view kMagic{
    "\xFE"
    "bin",
    4};
constexpr std::size_t kHeader = 19;  // bytes of an event before its own
constexpr std::size_t kTypeAt = 4;
constexpr std::size_t kLengthAt = 9;
constexpr std::uint8_t kQueryEvent = 2;
constexpr std::uint8_t kXidEvent = 16;
constexpr std::uint8_t kCheckpointEvent = 161;
constexpr std::uint8_t kStartEncryptionEvent = 164;
constexpr std::size_t kPayloadMax = 1024;  // of what matters in an event

/// The number of the DDL statement that a query event (without its common header) logs, 0 if it has
/// none: among the variables before the text.
std::uint64_t statement_number(std::span<const std::byte> body) {
    constexpr std::size_t kOwnHeader = 13;
    constexpr std::size_t kSizeAt = 11;  // of the size of the variables
    constexpr unsigned kNumber = 129;
    if (body.size() < kOwnHeader) {
        return 0;
    }
    auto rest = body.subspan(kOwnHeader);
    rest = rest.first(std::min<std::size_t>(rest.size(), load_le(body.subspan(kSizeAt, 2))));
    const auto text = [&](std::size_t at) {  // a byte of length, then so many
        return at < rest.size() ? 1 + std::to_integer<std::size_t>(rest[at]) : rest.size();
    };
    while (!rest.empty()) {
        std::size_t size = 1;
        switch (std::to_integer<unsigned>(rest[0])) {
            case 0:  // flags
            case 3:  // auto_increment
                size += 4;
                break;
            case 1:  // sql_mode
            case 9:  // tables to update
                size += 8;
                break;
            case 4:  // character sets
                size += 6;
                break;
            case 5:  // time zone
            case 6:  // catalog
                size += text(size);
                break;
            case 7:  // names of days
            case 8:  // the database's character set
                size += 2;
                break;
            case 10:  // bytes from the master
                size += 4;
                break;
            case 11:  // user and host
                size += text(size);
                size += text(size);
                break;
            case 128:  // microseconds
                size += 3;
                break;
            case kNumber:
                return rest.size() < 9 ? 0 : load_le(rest.subspan(1, 8));
            default:
                return 0;
        }
        rest = rest.subspan(std::min(size, rest.size()));
    }
    return 0;
}

/// "./mb.000003" -> "mb.000003".
std::string plain_name(std::string_view listed) {
    return std::string(listed.starts_with("./") ? listed.substr(2) : listed);
}

class BinlogReader {
public:
    explicit BinlogReader(io::Directory& directory) : directory_(directory) {}

    Result<std::optional<BinlogCommits>> run() {
        RETURN_IF_ERROR(find_logs());
        if (logs_.empty()) {
            return std::optional<BinlogCommits>();
        }
        RETURN_IF_ERROR(read_log(logs_.back()));
        // Transactions of older logs may not have reached InnoDB's redo log yet, either.
        const auto first = std::find(logs_.begin(), logs_.end(), checkpoint_);
        for (auto log = first; log != logs_.end() && log + 1 != logs_.end(); ++log) {
            RETURN_IF_ERROR(read_log(*log));
        }
        return std::optional(std::move(commits_));
    }

private:
    Status find_logs() {
        ASSIGN_OR_RETURN(const auto names, directory_.list(""));
        for (const std::string& name : names) {
            if (!name.ends_with(kIndexEnding)) {
                continue;
            }
            ASSIGN_OR_RETURN(const std::string text, directory_.read_text(name, kIndexMax));
            std::vector<std::string> logs;
            std::string_view rest = text;
            while (!rest.empty()) {
                const std::size_t end = std::min(rest.find('\n'), rest.size());
                if (end > 0) {
                    logs.push_back(plain_name(rest.substr(0, end)));
                }
                rest.remove_prefix(std::min(end + 1, rest.size()));
            }
            // A relay log has an index too; its events are of another server.
            if (!logs.empty() && is_binlog(logs.back())) {
                logs_ = std::move(logs);
            }
        }
        return {};
    }

    bool is_binlog(const std::string& path) {
        if (path.find("relay-bin") != std::string::npos) {
            return false;
        }
        auto file = directory_.open(path, io::OpenMode::ReadOnly);
        if (!file) {
            return false;
        }
        std::byte magic[4];
        return (*file)->read_exactly(0, magic).has_value() &&
               std::equal(std::begin(magic), std::end(magic), kMagic.begin(),
                          [](std::byte a, char b) {
                              return a == static_cast<std::byte>(static_cast<unsigned char>(b));
                          });
    }

    Status read_log(const std::string& path) {
        ASSIGN_OR_RETURN(const auto file, directory_.open(path, io::OpenMode::ReadOnly));
        ASSIGN_OR_RETURN(const io::FileInfo info, file->info());
        std::vector<std::byte> window(std::size_t{1} << 20);
        std::uint64_t begin = 0;  // of the window
        std::size_t have = 0;
        for (std::uint64_t at = kMagic.size();;) {
            if (at < begin || at + kHeader + kPayloadMax > begin + have) {
                begin = at;
                ASSIGN_OR_RETURN(have, file->read_at(begin, window));
            }
            const auto event = std::span<const std::byte>(window).first(have).subspan(
                static_cast<std::size_t>(at - begin));
            if (event.size() < kHeader) {
                return {};
            }
            const std::uint64_t length = load_le(event.subspan(kLengthAt, 4));
            if (length < kHeader || length > info.size - at) {
                return {};  // zeros behind the last event, or one that the crash cut
            }
            const std::size_t shown =
                static_cast<std::size_t>(std::min<std::uint64_t>(length, event.size()));
            RETURN_IF_ERROR(take_event(event.first(shown), length, path));
            at += length;
        }
    }

    Status take_event(std::span<const std::byte> event, std::uint64_t length,
                      const std::string& path) {
        const auto type = std::to_integer<std::uint8_t>(event[kTypeAt]);
        if (type == kStartEncryptionEvent) {
            return make_error(ErrorCode::Unsupported, "the binary log is encrypted")
                .with_file(path);
        }
        const auto body = event.subspan(kHeader);
        if (type == kQueryEvent) {
            // Long statements are cut here; their variables come first.
            if (const std::uint64_t number = statement_number(body); number != 0) {
                commits_.statements.insert(number);
            }
            return {};
        }
        if (length > event.size()) {
            return {};  // of no interest
        }
        if (type == kXidEvent && body.size() >= 8) {
            commits_.transactions.insert(load_le(body.first(8)));
        } else if (type == kCheckpointEvent && body.size() >= 4) {
            const std::uint64_t size = load_le(body.first(4));
            if (size <= body.size() - 4) {
                const auto name = body.subspan(4, static_cast<std::size_t>(size));
                checkpoint_ = plain_name(
                    {static_cast<const char*>(static_cast<const void*>(name.data())), name.size()});
            }
        }
        return {};
    }

    io::Directory& directory_;
    std::vector<std::string> logs_;  // oldest first
    std::string checkpoint_;         // the log from which on transactions may be unfinished
    BinlogCommits commits_;
};

}  // namespace

Result<std::optional<BinlogCommits>> read_binlog_commits(io::Directory& directory) {
    return BinlogReader(directory).run();
}

}  // namespace redoubt::engine
