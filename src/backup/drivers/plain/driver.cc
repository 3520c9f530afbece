#include "backup/drivers/plain/driver.h"

#include <array>
#include <utility>

#include "backup/drivers/plain/format.h"

namespace redoubt::backup::plain {
namespace {

TableFiles plain_tables(const Listing& listing) {
    return tables_in(listing, {".MYD", ".MYI", ".MRG", ".ARZ", ".ARM", ".CSV", ".CSM"});
}

/// Whether a writer still has it open, although the server did not name it: he came to an end
/// between the flush and the question which tables are in use, so that the table was neither
/// flushed nor counted. It is closed when BlockDdl is reached.
Result<bool> is_being_written(io::File& file) {
    std::array<std::byte, IndexHeaderView::kSize> bytes;
    ASSIGN_OR_RETURN(const std::size_t size, file.read_at(0, bytes));
    const IndexHeaderView header(bytes);
    // A damaged table is copied as it is; REPAIR TABLE is the server's business.
    return size == bytes.size() && header.validate() && header.open_count() != 0;
}

}  // namespace

PlainDriver::PlainDriver(const DriverContext& context, std::shared_ptr<DataFiles> files)
    : context_(context), files_(std::move(files)), copies_(context_, /*sizes_are_final=*/true) {}

Status PlainDriver::run(Stage stage, const std::set<std::string>& in_use) {
    switch (stage) {
        case Stage::Start:
            return copies_.begin();
        case Stage::Flush: {
            ASSIGN_OR_RETURN(const auto listing, files_->in(stage));
            return copy(plain_tables(*listing), stage, in_use);
        }
        case Stage::BlockDdl: {
            ASSIGN_OR_RETURN(const auto listing, files_->in(stage));
            const TableFiles tables = plain_tables(*listing);
            RETURN_IF_ERROR(copies_.reconcile(tables));
            return copy(tables, stage, {});  // T2
        }
        case Stage::BlockCommit:
        case Stage::Unlocked:
            return {};
    }
    return {};
}

Status PlainDriver::copy(const TableFiles& tables, Stage stage,
                         const std::set<std::string>& left_out) {
    const auto is_ready = [stage](std::string_view, const OpenTable& files) -> Result<bool> {
        for (const auto& file : files) {
            if (stage == Stage::Flush && file->path().ends_with(".MYI")) {
                ASSIGN_OR_RETURN(const bool written, is_being_written(*file));
                if (written) {
                    return false;
                }
            }
        }
        return true;
    };
    return copies_.copy(tables, stage, left_out, is_ready,
                        [this](const OpenTable& files, std::size_t index) {
                            return context_.target.copy(*files[index], files[index]->path());
                        });
}

}  // namespace redoubt::backup::plain
