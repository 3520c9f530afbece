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
    : context_(context), files_(std::move(files)), copies_(context_) {}

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
            for (const auto& [data, index] :
                 {std::pair(".MYD", ".MYI"), std::pair(".CSV", ".CSM")}) {
                for (const std::string& path : missing_halves(tables, data, index)) {
                    copies_.note(path + " is missing on the server; its table is copied without");
                }
            }
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
    using Readiness = TableCopies::Readiness;
    const auto is_ready = [stage](const OpenTable& files) -> Result<Readiness> {
        for (const OpenFile& open : files) {
            if (stage == Stage::Flush && open.path.ends_with(".MYI")) {
                ASSIGN_OR_RETURN(const bool written, is_being_written(*open.file));
                if (written) {
                    return Readiness::NotNow;
                }
            }
        }
        return Readiness::AtRest;
    };
    return copies_.copy(tables, stage, left_out, is_ready,
                        [this](const OpenTable& files, std::size_t index) {
                            return context_.target.copy(*files[index].file, files[index].path);
                        });
}

}  // namespace redoubt::backup::plain
