// The file: header, checkpoints, key.
#include "redo/log_file.h"

#include <algorithm>

#include "redo/log_file_state.h"
#include "redo/log_header.h"

namespace redoubt::redo {
namespace {

/// "ib_logfile1", ...; ib_logfile101 is a work file of the server that is no part of any log.
bool is_further_log_file(std::string_view name) {
    constexpr std::string_view kStem = "ib_logfile";
    if (!name.starts_with(kStem) || name == "ib_logfile0" || name == "ib_logfile101") {
        return false;
    }
    name.remove_prefix(kStem.size());
    return !name.empty() &&
           std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

Status refuse_further_log_files(io::Directory& directory, std::string_view path) {
    ASSIGN_OR_RETURN(const std::vector<std::string> names, directory.list(io::parent_of(path)));
    for (const std::string& name : names) {
        if (is_further_log_file(name)) {
            return make_error(ErrorCode::Corruption, "{} lies beside a redo log that is one file",
                              name)
                .with_hint(
                    "find out which server it belongs to; if it is a leftover of an older "
                    "one, move it away");
        }
    }
    return {};
}

}  // namespace

LogFile::LogFile() : state_(std::make_unique<State>()) {}
LogFile::~LogFile() = default;

Result<std::unique_ptr<LogFile>> LogFile::open(io::Directory& directory, std::string_view path,
                                               const crypt::KeyRing* keys) {
    std::unique_ptr<LogFile> log(new LogFile);
    ASSIGN_OR_RETURN(log->state_->file, directory.open(path, io::OpenMode::ReadOnly));
    log->state_->path = path;
    if (Status status = log->state_->read(directory, keys); !status) {
        return std::move(status.error()).with_file(path);
    }
    return log;
}

Status LogFile::State::read(io::Directory& directory, const crypt::KeyRing* keys) {
    ASSIGN_OR_RETURN(const io::FileInfo info, file->info());
    size = info.size;
    if (size < kHeaderSize) {
        return make_error(
                   ErrorCode::Corruption, "the redo log {}",
                   size == 0 ? std::string("is empty") : fmt::format("has only {} bytes", size))
            .with_hint("without it the state of the data files is unknown: restore a backup");
    }
    std::array<std::byte, kHeaderSize> head{};
    RETURN_IF_ERROR(file->read_exactly(0, head));
    ASSIGN_OR_RETURN(header, decode_header(head));
    if (size < kFileSizeMin) {
        return make_error(ErrorCode::Corruption,
                          "the redo log has {} bytes, at least {} are needed", size, kFileSizeMin);
    }
    RETURN_IF_ERROR(refuse_further_log_files(directory, path));
    RETURN_IF_ERROR(read_checkpoints());
    return header.encryption == LogEncryption::None ? ok_status() : derive_key(keys);
}

Status LogFile::State::read_checkpoints() {
    for (unsigned block = 0; block < checkpoints.size(); ++block) {
        std::array<std::byte, kCheckpointSize> bytes{};
        RETURN_IF_ERROR(file->read_newest_exactly(kCheckpointOffset * (block + 1), bytes));
        if (const auto decoded = decode_checkpoint(bytes, header.first_lsn, block)) {
            checkpoints[block] = decoded;
        }
    }
    return {};
}

Status LogFile::State::derive_key(const crypt::KeyRing* keys) {
    constexpr std::uint32_t kLogKeyId = 1;
    if (keys == nullptr) {
        return make_error(ErrorCode::Key, "the redo log is encrypted with key {} version {}",
                          kLogKeyId, header.key_version)
            .with_hint("give the key file of the server that wrote it (--key-file)");
    }
    ASSIGN_OR_RETURN(const crypt::Key master, keys->key(kLogKeyId, header.key_version));
    key = crypt::encrypt_block(master, header.crypt_message);
    mode = keys->mode();
    return {};
}

const LogHeader& LogFile::header() const { return state_->header; }
const std::array<std::optional<Checkpoint>, 2>& LogFile::checkpoints() const {
    return state_->checkpoints;
}
Status LogFile::refresh_checkpoints() { return state_->read_checkpoints(); }
std::uint64_t LogFile::file_size() const { return state_->size; }
const std::string& LogFile::path() const { return state_->path; }
std::uint64_t LogFile::offset_of(Lsn lsn) const { return state_->offset_of(lsn.value); }
std::uint8_t LogFile::sequence_bit(Lsn lsn) const {
    return static_cast<std::uint8_t>(1 - (state_->lap_of(lsn.value) & 1));
}

Result<Checkpoint> LogFile::checkpoint() const {
    const auto& [first, second] = state_->checkpoints;
    if (!first && !second) {
        return make_error(ErrorCode::Corruption, "the redo log has no valid checkpoint")
            .with_file(path());
    }
    // Of two equal ones the server takes the second.
    const Checkpoint& latest = !second || (first && first->lsn > second->lsn) ? *first : *second;
    if (latest.end_lsn.value - latest.lsn.value >= capacity()) {
        return make_error(ErrorCode::Corruption,
                          "the checkpoint ends at LSN {}, further on than the {} bytes that the "
                          "redo log holds",
                          latest.end_lsn.value, capacity())
            .with_file(path())
            .with_lsn(latest.lsn);
    }
    return latest;
}

Status LogFile::map() {
    auto mapping = state_->file->map(state_->size);
    if (mapping) {
        state_->mapping = std::move(*mapping);
        return {};
    }
    return mapping.error().code() == ErrorCode::Unsupported ? ok_status()
                                                            : Status(std::move(mapping.error()));
}

}  // namespace redoubt::redo
