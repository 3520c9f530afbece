#include "io/recording_directory.h"

namespace redoubt::io {

void OperationLog::add(Operation operation) {
    const base::MutexLock lock(mutex_);
    operations_.push_back(std::move(operation));
}
std::vector<Operation> OperationLog::operations() const {
    const base::MutexLock lock(mutex_);
    return operations_;
}

namespace {

class RecordingFile final : public File {
public:
    RecordingFile(std::unique_ptr<File> inner, std::string name, std::shared_ptr<OperationLog> log)
        : inner_(std::move(inner)), name_(std::move(name)), log_(std::move(log)) {}

    const std::string& path() const override { return inner_->path(); }
    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> buffer) override {
        log_->add({OperationKind::Read, name_, {}, offset, buffer.size()});
        return inner_->read_at(offset, buffer);
    }
    Result<std::size_t> read_newest_at(std::uint64_t offset, std::span<std::byte> buffer) override {
        log_->add({OperationKind::Read, name_, {}, offset, buffer.size()});
        return inner_->read_newest_at(offset, buffer);
    }
    Status write_at(std::uint64_t offset, std::span<const std::byte> data) override {
        log_->add({OperationKind::Write, name_, {}, offset, data.size()});
        return inner_->write_at(offset, data);
    }
    Status sync() override {
        log_->add({OperationKind::Sync, name_, {}, 0, 0});
        return inner_->sync();
    }
    Status truncate(std::uint64_t size) override {
        log_->add({OperationKind::Truncate, name_, {}, size, 0});
        return inner_->truncate(size);
    }
    Status punch_hole(std::uint64_t offset, std::uint64_t length) override {
        log_->add({OperationKind::PunchHole, name_, {}, offset, length});
        return inner_->punch_hole(offset, length);
    }
    Result<FileInfo> info() override { return inner_->info(); }
    Status lock_exclusive() override { return inner_->lock_exclusive(); }
    Result<bool> locked_by_other() override { return inner_->locked_by_other(); }
    Status wait_written(std::uint64_t offset, std::uint64_t length) override {
        return inner_->wait_written(offset, length);
    }
    void will_sync(std::uint64_t offset, std::uint64_t length) override {
        inner_->will_sync(offset, length);
    }
    void will_not_need(std::uint64_t offset, std::uint64_t length) override {
        inner_->will_not_need(offset, length);
    }

private:
    std::unique_ptr<File> inner_;
    std::string name_;
    std::shared_ptr<OperationLog> log_;
};

class RecordingDirectory final : public Directory {
public:
    RecordingDirectory(Directory& inner, std::shared_ptr<OperationLog> log)
        : inner_(inner), log_(std::move(log)) {}

    const std::string& path() const override { return inner_.path(); }
    Result<std::unique_ptr<File>> open(std::string_view path, OpenMode mode) override {
        log_->add({mode == OpenMode::CreateExclusive ? OperationKind::Create : OperationKind::Open,
                   std::string(path),
                   {},
                   0,
                   0});
        ASSIGN_OR_RETURN(auto file, inner_.open(path, mode));
        return std::unique_ptr<File>(
            std::make_unique<RecordingFile>(std::move(file), std::string(path), log_));
    }
    Status rename(std::string_view from, std::string_view to) override {
        log_->add({OperationKind::Rename, std::string(from), std::string(to), 0, 0});
        return inner_.rename(from, to);
    }
    Status unlink(std::string_view path) override {
        log_->add({OperationKind::Unlink, std::string(path), {}, 0, 0});
        return inner_.unlink(path);
    }
    Status make_directory(std::string_view path) override {
        log_->add({OperationKind::MakeDirectory, std::string(path), {}, 0, 0});
        return inner_.make_directory(path);
    }
    Result<std::vector<std::string>> list(std::string_view path) override {
        return inner_.list(path);
    }
    Result<FileInfo> info(std::string_view path) override { return inner_.info(path); }
    Status sync_directory(std::string_view path) override {
        log_->add({OperationKind::SyncDirectory, std::string(path), {}, 0, 0});
        return inner_.sync_directory(path);
    }
    Result<std::uint64_t> free_space(std::string_view path) override {
        return inner_.free_space(path);
    }

private:
    Directory& inner_;
    std::shared_ptr<OperationLog> log_;
};

}  // namespace

std::unique_ptr<Directory> record_operations(Directory& inner, std::shared_ptr<OperationLog> log) {
    return std::make_unique<RecordingDirectory>(inner, std::move(log));
}

}  // namespace redoubt::io
