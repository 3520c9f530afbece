#include "engine/spaces.h"

#include <algorithm>

#include "page/header.h"
#include "page/index_page.h"

namespace redoubt::engine {
namespace {

constexpr std::size_t kOpenMax = 256;   // files; a directory may have 10,000
constexpr std::size_t kIndexShare = 4;  // a quarter of the memory is for the redo index
constexpr std::size_t kCacheShare = 4;  // and another for pages

}  // namespace

Result<std::unique_ptr<Spaces>> Spaces::open(io::Directory& directory,
                                             const space::DirectoryOptions& options) {
    std::unique_ptr<Spaces> spaces(new Spaces(directory, options));
    ASSIGN_OR_RETURN(spaces->layout_,
                     space::find_layout(directory, options.layout, options.layout_given));
    for (const space::SystemFile& file : spaces->layout_.system_files) {
        RETURN_IF_ERROR(spaces->refuse_when_in_use(file.path));
    }
    recovery::AnalysisOptions analysis{
        .mode = io::OpenMode::ReadOnly, .keys = options.keys, .strictness = options.strictness};
    analysis.index_memory = static_cast<std::size_t>(options.memory / kIndexShare);
    analysis.threads = options.threads;
    analysis.partial = spaces->layout_.is_backup;
    analysis.progress = options.progress;
    analysis.cancel = options.cancel;
    ASSIGN_OR_RETURN(spaces->analysis_, recovery::analyse(directory, spaces->layout_, analysis));
    if (!spaces->analysis_->scan.clean) {
        spaces->recovered_ = std::make_unique<recovery::RecoveredPages>(
            *spaces->analysis_, options.keys, options.strictness);
    }
    RETURN_IF_ERROR(spaces->open_fixed_files());
    return spaces;
}

Result<std::unique_ptr<Spaces>> Spaces::open_alone(io::Directory& directory,
                                                   const std::string& file,
                                                   const space::DirectoryOptions& options) {
    std::unique_ptr<Spaces> spaces(new Spaces(directory, options));
    RETURN_IF_ERROR(spaces->refuse_when_in_use(file));
    ASSIGN_OR_RETURN(auto opened, spaces->open_file({file}, file));
    spaces->system_header_ = opened->file->header();
    const base::MutexLock lock(spaces->mutex_);
    const SpaceId space = spaces->system_header_.id;
    spaces->known_.emplace(space, Known{{file}, file});
    spaces->keep(space, std::move(opened));
    spaces->searched_ = true;
    return spaces;
}

Status Spaces::refuse_when_in_use(const std::string& path) {
    ASSIGN_OR_RETURN(const auto opened, directory_.open(path, io::OpenMode::ReadOnly));
    ASSIGN_OR_RETURN(const bool in_use, opened->locked_by_other());
    if (in_use) {
        return make_error(ErrorCode::Refused, "the directory is in use: a server runs on it")
            .with_file(path)
            .with_hint("stop the server, or read a backup of it");
    }
    return {};
}

Status Spaces::open_fixed_files() {
    const base::MutexLock lock(mutex_);
    Known system{.paths = {}, .name = "innodb_system"};
    for (const space::SystemFile& file : layout_.system_files) {
        system.paths.push_back(file.path);
    }
    if (recovery::RecoveredSpace* const recovered = recovered_space(kSystemSpace)) {
        system_header_ = recovered->header;
    } else {
        ASSIGN_OR_RETURN(auto file, open_file(system.paths, system.name));
        system_header_ = file->file->header();
        keep(kSystemSpace, std::move(file));
    }
    known_.emplace(kSystemSpace, std::move(system));
    for (const std::string& path : layout_.undo_files) {
        auto file = open_file({path}, path);
        if (!file) {
            continue;  // recovery may make it; else whoever needs it says that it is missing
        }
        const SpaceId space = (*file)->file->header().id;
        known_.emplace(space, Known{{path}, path});
        keep(space, std::move(*file));
    }
    return {};
}

recovery::RecoveredSpace* Spaces::recovered_space(SpaceId space) {
    if (recovered_ == nullptr) {
        return nullptr;
    }
    const auto found = analysis_->map.spaces.find(space);
    if (found == analysis_->map.spaces.end() || (found->second.ignored && !found->second.deleted)) {
        return nullptr;
    }
    return &found->second;
}

Result<std::shared_ptr<Spaces::OpenFile>> Spaces::open_file(const std::vector<std::string>& paths,
                                                            const std::string& name) {
    auto made = std::make_shared<OpenFile>();
    ASSIGN_OR_RETURN(made->file,
                     space::Tablespace::open(directory_, paths, io::OpenMode::ReadOnly, name,
                                             analysis_ ? analysis_->page_size : 0, std::nullopt));
    made->pages =
        std::make_unique<space::FilePages>(*made->file, options_.keys, options_.strictness);
    return made;
}

void Spaces::keep(SpaceId space, std::shared_ptr<OpenFile> file) {
    if (open_.size() >= kOpenMax) {
        open_.erase(order_.front());  // whoever reads it still holds it
        order_.pop_front();
    }
    if (open_.emplace(space, std::move(file)).second) {
        order_.push_back(space);
    }
}

Result<std::shared_ptr<Spaces::OpenFile>> Spaces::file_of(SpaceId space) {
    const base::MutexLock lock(mutex_);
    if (const auto open = open_.find(space); open != open_.end()) {
        return open->second;
    }
    const auto known = known_.find(space);
    if (known == known_.end()) {
        return make_error(ErrorCode::NotFound, "no file carries tablespace id {}", space.value)
            .with_space(space);
    }
    ASSIGN_OR_RETURN(auto file, open_file(known->second.paths, known->second.name));
    keep(space, file);
    return file;
}

Status Spaces::read(PageId id, std::span<std::byte> plain) {
    if (cached(id, plain)) {
        return {};
    }
    if (recovered_space(id.space) != nullptr) {
        RETURN_IF_ERROR(recovered_->read(id, plain));
        cache(id, plain);
        return {};
    }
    ASSIGN_OR_RETURN(const auto file, file_of(id.space));
    RETURN_IF_ERROR(file->pages->read(id, plain));
    if (page::is_index_type(page::HeaderView(plain).type()) &&
        page::IndexHeaderView(plain).level() > 0) {
        cache(id, plain);
    }
    return {};
}

bool Spaces::cached(PageId id, std::span<std::byte> plain) {
    const base::MutexLock lock(cache_mutex_);
    const auto found = cache_.find(id.packed());
    if (found == cache_.end() || found->second.size() != plain.size()) {
        return false;
    }
    std::copy(found->second.begin(), found->second.end(), plain.begin());
    return true;
}

void Spaces::cache(PageId id, std::span<const std::byte> plain) {
    const base::MutexLock lock(cache_mutex_);
    if (!cache_.try_emplace(id.packed(), plain.begin(), plain.end()).second) {
        return;
    }
    cache_order_.push_back(id.packed());
    cache_bytes_ += plain.size();
    while (cache_bytes_ > options_.memory / kCacheShare && cache_order_.size() > 1) {
        const auto oldest = cache_.find(cache_order_.front());
        cache_bytes_ -= oldest->second.size();
        cache_.erase(oldest);
        cache_order_.pop_front();
    }
}

Result<std::uint32_t> Spaces::page_count(SpaceId space) {
    if (recovered_space(space) != nullptr) {
        return recovered_->page_count(space);
    }
    ASSIGN_OR_RETURN(const auto file, file_of(space));
    return file->pages->page_count(space);
}

Result<space::SpaceHeader> Spaces::header(SpaceId space) {
    if (const recovery::RecoveredSpace* const recovered = recovered_space(space)) {
        if (recovered->deleted) {
            return make_error(ErrorCode::NotFound, "the redo log drops this tablespace")
                .with_file(recovered->path)
                .with_space(space);
        }
        return recovered->header;
    }
    ASSIGN_OR_RETURN(const auto file, file_of(space));
    return file->file->header();
}

Result<std::string> Spaces::find(SpaceId space, const std::string& name) {
    if (const recovery::RecoveredSpace* const recovered = recovered_space(space)) {
        return recovered->path;
    }
    const base::MutexLock lock(mutex_);
    const auto table = std::lower_bound(
        layout_.tables.begin(), layout_.tables.end(), name,
        [](const space::TableFile& file, const std::string& wanted) { return file.name < wanted; });
    std::optional<Error> failure;
    if (table != layout_.tables.end() && table->name == name) {
        auto file = open_file({table->path}, name);
        if (file && (*file)->file->header().id == space) {
            known_.emplace(space, Known{{table->path}, name});
            keep(space, std::move(*file));
            return table->path;
        }
        if (!file) {
            failure = std::move(file.error());
        }
    }
    if (!searched_) {
        search_all();
    }
    if (const auto known = known_.find(space); known != known_.end()) {
        return known->second.paths.front();
    }
    if (failure) {
        return std::move(*failure);
    }
    return make_error(ErrorCode::NotFound, "no file carries tablespace id {}", space.value)
        .with_file(name + ".ibd")
        .with_space(space);
}

void Spaces::search_all() {
    searched_ = true;
    for (const space::TableFile& table : layout_.tables) {
        if (const auto file = open_file({table.path}, table.name)) {
            known_.emplace((*file)->file->header().id, Known{{table.path}, table.name});
        }
    }
}

}  // namespace redoubt::engine
