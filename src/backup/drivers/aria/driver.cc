#include "backup/drivers/aria/driver.h"

#include <utility>
#include <vector>

#include "backup/drivers/aria/page_copy.h"

namespace redoubt::backup::aria {
namespace {

using Readiness = TableCopies::Readiness;

Result<TableFormat> read_format(io::File& index) {
    std::vector<std::byte> header(kTableHeaderSize);
    ASSIGN_OR_RETURN(const std::size_t size, index.read_at(0, header));
    return decode_table(std::span(header).first(size));
}

/// Of one partition, or of the table.
Result<Readiness> readiness_of(io::File& index, Stage stage) {
    const auto format = read_format(index);
    if (!format && format.error().code() != ErrorCode::Corruption) {
        return Error(format.error());
    }
    if (format && format->online_safe()) {
        return Readiness::Written;
    }
    // Without a header that can be read, as a file like any other.
    const bool closed =
        stage >= Stage::BlockDdl || (stage == Stage::Flush && format && format->open_count == 0);
    return closed ? Readiness::AtRest : Readiness::NotNow;
}

/// 0 for data files and for what is no index.
Result<std::uint64_t> incarnation_of(const std::string& path, io::File& file) {
    if (!path.ends_with(".MAI")) {
        return std::uint64_t{0};
    }
    const auto format = read_format(file);
    if (!format && format.error().code() != ErrorCode::Corruption) {
        return Error(format.error());
    }
    return format ? format->create_rename_lsn : 0;
}

}  // namespace

AriaDriver::AriaDriver(const DriverContext& context, std::shared_ptr<DataFiles> files)
    : context_(context),
      files_(std::move(files)),
      log_(context_),
      copies_(context_, incarnation_of) {}

Status AriaDriver::run(Stage stage, const std::set<std::string>& in_use) {
    switch (stage) {
        case Stage::Start: {
            RETURN_IF_ERROR(copies_.begin());
            ASSIGN_OR_RETURN(has_log_, log_.begin());  // L2: before the first table
            if (!has_log_) {
                copies_.note("there is no Aria log; Aria tables are copied as they are");
            }
            RETURN_IF_ERROR(copy_tables(stage, {}));
            return has_log_ ? log_.copy_complete() : ok_status();
        }
        case Stage::Flush:
            RETURN_IF_ERROR(copy_tables(stage, in_use));
            return has_log_ ? log_.copy_tail(false) : ok_status();
        case Stage::BlockDdl:
        case Stage::BlockCommit:
            // At BlockCommit for what a bulk load, which writes no redo, did since.
            RETURN_IF_ERROR(copy_tables(stage, {}));
            return has_log_ ? log_.copy_tail(stage == Stage::BlockCommit) : ok_status();
        case Stage::Unlocked:
            return {};
    }
    return {};
}

Status AriaDriver::copy_tables(Stage stage, const std::set<std::string>& in_use) {
    ASSIGN_OR_RETURN(const auto listing, files_->in(stage));
    const TableFiles tables = tables_in(*listing, {".MAD", ".MAI"});
    if (stage >= Stage::BlockDdl) {
        RETURN_IF_ERROR(copies_.reconcile(tables));
    }
    if (stage == Stage::BlockDdl) {
        for (const std::string& path : missing_halves(tables, ".MAD", ".MAI")) {
            copies_.note(path + " is missing on the server; its table is copied without");
        }
    }
    const auto is_ready = [stage](const OpenTable& files) -> Result<Readiness> {
        // A data file without an index: whatever it is, it is copied once nobody can write.
        Readiness all = stage >= Stage::BlockDdl ? Readiness::AtRest : Readiness::NotNow;
        bool first = true;
        for (const OpenFile& open : files) {
            if (open.path.ends_with(".MAI")) {
                ASSIGN_OR_RETURN(const Readiness one, readiness_of(*open.file, stage));
                all = std::exchange(first, false) ? one : std::min(all, one);
            }
        }
        return all;
    };
    return copies_.copy(
        tables, stage, in_use, is_ready,
        [this](const OpenTable& files, std::size_t index) { return copy_file(files, index); });
}

Result<std::uint64_t> AriaDriver::copy_file(const OpenTable& files, std::size_t index) {
    const std::string& path = files[index].path;
    io::File& file = *files[index].file;
    const bool is_index = path.ends_with(".MAI");
    // "t.MAD" and "t.MAI" are neighbours.
    const std::size_t other = is_index ? index : index + 1;
    if (other < files.size()) {
        auto format = read_format(*files[other].file);
        if (!format && format.error().code() != ErrorCode::Corruption) {
            return std::move(format.error());
        }
        if (!format && is_index) {
            copies_.note(fmt::format("{}: {}; copied as it is", path, format.error().message()));
        }
        const bool checkable = format && format->page_checksum && (is_index || format->page_rows);
        if (checkable && (!format->encrypted || format->online_safe())) {
            return copy_pages(
                file, path, context_.target,
                {.format = *format,
                 .kind = is_index ? PageKind::Index : PageKind::Data,
                 .cancel = context_.cancel,
                 .note = [this](std::string text) { copies_.note(std::move(text)); }});
        }
    }
    return context_.target.copy(file, path);
}

std::vector<std::string> AriaDriver::notes() const { return copies_.notes(); }

}  // namespace redoubt::backup::aria
