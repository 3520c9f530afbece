/// A data directory as `inspect` looks things up in it: what a page's index is, where tablespaces
/// are. Nothing on disk changes, and a directory in use is read as it is.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/index_text.h"
#include "dict/dictionary.h"
#include "engine/spaces.h"
#include "io/file.h"
#include "space/directory_options.h"
#include "space/file_pages.h"
#include "undo/transactions.h"

namespace redoubt::cli {

class DirectoryReader {
public:
    /// Reads InnoDB's dictionary: as recovery would leave it; of a directory in use, or whose redo
    /// log cannot be read, as the files are (notes() says so). Both arguments outlive this, but for
    /// the options. Errors: NotFound (no data directory), Corruption, Io, Key.
    static Result<std::unique_ptr<DirectoryReader>> open(io::Directory& directory,
                                                         const space::DirectoryOptions& options);

    const dict::Dictionary& dictionary() const { return dictionary_; }
    const std::vector<std::string>& notes() const { return notes_; }
    const space::Layout& layout() const { return layout_; }
    io::Directory& directory() { return directory_; }

    /// Of a tree's pages; null: no table has such an index there. What hinders is in notes().
    std::shared_ptr<const IndexDefinition> find_index(SpaceId space, std::uint64_t index_id);
    /// Of a table's clustered index.
    std::shared_ptr<const IndexDefinition> find_table(std::uint64_t table_id);

private:
    /// The files of a directory as they are: the system tablespace, and those that were added.
    class Files final : public space::PageSource {
    public:
        Files(io::Directory& directory, const crypt::KeyRing* keys)
            : directory_(directory), keys_(keys) {}
        Status open_system(const space::Layout& layout);
        Status open_table(const std::string& name, SpaceId space);
        Status read(PageId id, std::span<std::byte> plain) override;
        Result<std::uint32_t> page_count(SpaceId space) override;
        const space::SpaceHeader* header(SpaceId space) const;

    private:
        struct OpenFile {
            std::unique_ptr<space::Tablespace> file;
            std::unique_ptr<space::FilePages> pages;
        };
        void add(std::unique_ptr<space::Tablespace> file);
        io::Directory& directory_;
        const crypt::KeyRing* keys_;
        std::map<SpaceId, OpenFile> open_;
    };

    DirectoryReader(io::Directory& directory, const space::DirectoryOptions& options)
        : directory_(directory), options_(options), files_(directory, options.keys) {}
    Status read();
    Status read_recovered();
    Status read_as_it_is();
    space::PageSource& source();
    Result<space::SpaceHeader> header_of(const dict::SystemTableRow& row);
    Result<std::shared_ptr<const IndexDefinition>> define(const dict::SystemTableRow& row,
                                                          std::uint64_t index_id);
    std::shared_ptr<const IndexDefinition> define_noting(const dict::SystemTableRow& row,
                                                         std::uint64_t index_id);

    io::Directory& directory_;
    space::DirectoryOptions options_;
    space::Layout layout_;
    Files files_;
    std::unique_ptr<engine::Spaces> spaces_;  // null: the files as they are
    std::optional<undo::Transactions> transactions_;
    dict::Dictionary dictionary_;
    std::vector<std::string> notes_;
    std::map<std::uint64_t, std::shared_ptr<const IndexDefinition>> by_table_;
};

}  // namespace redoubt::cli
