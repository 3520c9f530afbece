#include "cli/doublewrite_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "page/header.h"
#include "space/tablespace.h"

namespace redoubt::cli {
namespace {

class Comparer {
public:
    Comparer(io::Directory& directory, const space::Layout& layout, const crypt::KeyRing* keys)
        : directory_(directory), layout_(layout), keys_(keys) {}

    Result<DoublewriteShown> run() {
        ASSIGN_OR_RETURN(auto system, space::open_system_tablespace(directory_, layout_,
                                                                    io::OpenMode::ReadOnly));
        ASSIGN_OR_RETURN(const auto buffer, recovery::Doublewrite::load(*system));
        DoublewriteShown shown{.range = buffer.range(), .slots = buffer.slot_count(), .copies = {}};
        std::set<SpaceId> wanted;
        bool encrypted = false;
        for (std::size_t i = 0; i < buffer.slot_count(); ++i) {
            const page::HeaderView header(buffer.slot(i));
            wanted.insert(header.space());
            encrypted = encrypted || page::Header::KeyVersion::get(buffer.slot(i)) != 0;
        }
        files_.emplace(kSystemSpace, std::move(system));
        open_files(wanted, encrypted);
        for (std::size_t i = 0; i < buffer.slot_count(); ++i) {
            const page::HeaderView header(buffer.slot(i));
            if (header.lsn() == Lsn{0}) {
                continue;  // never written
            }
            DoublewriteCopy copy{.slot = i,
                                 .at = buffer.slot_page(i),
                                 .space = std::nullopt,
                                 .page = header.number(),
                                 .lsn = header.lsn()};
            compare(buffer.slot(i), copy);
            shown.copies.push_back(std::move(copy));
        }
        return shown;
    }

private:
    /// Those whose pages may be in the buffer: by their ids, or encrypted ones.
    void open_files(const std::set<SpaceId>& wanted, bool encrypted) {
        std::vector<std::pair<std::string, std::string>> candidates;  // path, name
        for (const std::string& path : layout_.undo_files) {
            candidates.emplace_back(path, path);
        }
        for (const space::TableFile& table : layout_.tables) {
            candidates.emplace_back(table.path, table.name);
        }
        for (const auto& [path, name] : candidates) {
            auto file = space::Tablespace::open(directory_, {path}, io::OpenMode::ReadOnly, name, 0,
                                                std::nullopt);
            if (!file) {
                continue;
            }
            const space::SpaceHeader& header = (*file)->header();
            if (wanted.contains(header.id) || (encrypted && header.crypt)) {
                files_.emplace(header.id, std::move(*file));
            }
        }
    }

    void compare(std::span<const std::byte> slot, DoublewriteCopy& copy) {
        space::Tablespace* const file = owner_of(slot, copy);
        if (file == nullptr) {
            copy.checksum = "not checked";
            copy.home = copy.space ? "no such tablespace" : "not known";
            return;
        }
        copy.file = file->name();
        const auto stored = slot.first(file->physical_size());
        space::PageCodec codec = file->make_codec(keys_);
        const auto state = codec.check(copy.page, stored);
        copy.checksum = state                                    ? "good"
                        : state.error().code() == ErrorCode::Key ? "not checked"
                                                                 : state.error().message();
        look_home(stored, *file, codec, copy);
    }

    /// The space id of full_crc32 pages is encrypted with the rest: there each encrypted space is
    /// tried.
    space::Tablespace* owner_of(std::span<const std::byte> slot, DoublewriteCopy& copy) {
        const auto named = files_.find(page::HeaderView(slot).space());
        if (named != files_.end() && fits(*named->second, slot, copy.page)) {
            copy.space = named->first;
            return named->second.get();
        }
        const bool maybe_encrypted = page::Header::KeyVersion::get(slot) != 0;
        for (const auto& [id, file] : files_) {
            const space::SpaceHeader& header = file->header();
            if (maybe_encrypted && header.crypt && header.flags.full_crc32 &&
                fits(*file, slot, copy.page)) {
                copy.space = id;
                return file.get();
            }
        }
        if (named != files_.end()) {  // damaged, then
            copy.space = named->first;
            return named->second.get();
        }
        if (!maybe_encrypted) {
            copy.space = page::HeaderView(slot).space();
        }
        return nullptr;
    }

    bool fits(const space::Tablespace& file, std::span<const std::byte> slot, PageNo page) const {
        std::vector<std::byte> plain(file.physical_size());
        space::PageCodec codec = file.make_codec(keys_);
        const auto state = codec.decode(page, slot.first(plain.size()), plain);
        return state && *state == space::PageState::Whole;
    }

    static void look_home(std::span<const std::byte> stored, space::Tablespace& file,
                          space::PageCodec& codec, DoublewriteCopy& copy) {
        std::vector<std::byte> page(file.physical_size());
        const auto count = file.read_raw(copy.page, 1, page);
        if (!count || *count == 0) {
            copy.home = count ? "past the file's end" : "cannot be read";
            copy.home_problem = count ? "" : count.error().message();
            return;
        }
        const Lsn lsn = page::HeaderView(page).lsn();
        copy.home_lsn = lsn;
        const auto state = codec.check(copy.page, page);
        if (!state && state.error().code() != ErrorCode::Key) {
            copy.home = "damaged";
            copy.home_problem = state.error().message();
        } else if (std::ranges::equal(page, stored)) {
            copy.home = "same";
        } else if (lsn == copy.lsn) {
            copy.home = "same LSN, other bytes";
        } else {
            copy.home = lsn > copy.lsn ? "newer" : "older";
        }
    }

    io::Directory& directory_;
    const space::Layout& layout_;
    const crypt::KeyRing* keys_;
    std::map<SpaceId, std::unique_ptr<space::Tablespace>> files_;
};

}  // namespace

Result<DoublewriteShown> show_doublewrite(io::Directory& directory, const space::Layout& layout,
                                          const crypt::KeyRing* keys) {
    return Comparer(directory, layout, keys).run();
}

std::string doublewrite_text(const DoublewriteShown& shown) {
    std::string text = fmt::format("doublewrite buffer: pages {} to {}, {} copies in {} slots\n",
                                   shown.range.first.value, shown.range.second.value - 1,
                                   shown.copies.size(), shown.slots);
    std::vector<std::vector<std::string>> rows;
    for (const DoublewriteCopy& copy : shown.copies) {
        rows.push_back({fmt::format("{}", copy.at.value),
                        copy.space ? fmt::format("{}", copy.space->value) : "encrypted",
                        fmt::format("{}", copy.page.value), fmt::format("{}", copy.lsn.value),
                        copy.checksum, copy.home,
                        copy.home_lsn ? fmt::format("{}", copy.home_lsn->value) : "", copy.file});
    }
    if (!rows.empty()) {
        text += '\n' + table_text({"at page", "space", "page", "lsn", "copy", "in the file",
                                   "lsn there", "file"},
                                  rows);
    }
    for (const DoublewriteCopy& copy : shown.copies) {
        if (!copy.home_problem.empty()) {
            text += fmt::format("{} page {}: {}\n", copy.file, copy.page.value, copy.home_problem);
        }
    }
    return text;
}

Json doublewrite_json(const DoublewriteShown& shown) {
    Json array = Json::array();
    for (const DoublewriteCopy& copy : shown.copies) {
        Json object = {{"at_page", copy.at.value}};
        set_known(object, "space", copy.space);
        object["page"] = copy.page.value;
        object["lsn"] = copy.lsn.value;
        set_known(object, "file", copy.file);
        object["checksum"] = copy.checksum;
        object["home"] = copy.home;
        set_known(object, "home_lsn", copy.home_lsn);
        set_known(object, "home_problem", copy.home_problem);
        array.push_back(std::move(object));
    }
    return {{"first_page", shown.range.first.value},
            {"end_page", shown.range.second.value},
            {"slots", shown.slots},
            {"copies", std::move(array)}};
}

}  // namespace redoubt::cli
