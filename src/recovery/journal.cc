#include "recovery/journal.h"

#include <algorithm>
#include <array>

#include "base/big_endian.h"
#include "base/crc32c.h"

namespace redoubt::recovery {
namespace {

/// One block: header, `count` descriptors, then the images in the same order.
struct BlockHeader {
    static constexpr std::size_t kSize = 48;                     // bytes
    static constexpr std::uint64_t kMagic = 0x5265646F7562744A;  // "RedoubtJ"
    using Magic = BigEndian<std::uint64_t, 0>;
    using CheckpointLsn = BigEndian<std::uint64_t, 8>;
    using EndLsn = BigEndian<std::uint64_t, 16>;
    using Length = BigEndian<std::uint64_t, 24>;  // of the whole block
    using Count = BigEndian<std::uint32_t, 32>;
    using Checksum = BigEndian<std::uint32_t,
                               44>;  // CRC-32C of header (this field zero), descriptors and images
};
/// Of each page: space, page, length of its image.
struct Descriptor {
    static constexpr std::size_t kSize = 12;
    using Space = BigEndian<std::uint32_t, 0>;
    using Page = BigEndian<std::uint32_t, 4>;
    using Length = BigEndian<std::uint32_t, 8>;
};

constexpr std::uint64_t kBlockAlignment = 4096;
constexpr std::uint64_t align(std::uint64_t size) {
    return (size + kBlockAlignment - 1) / kBlockAlignment * kBlockAlignment;
}

}  // namespace

Result<std::unique_ptr<Journal>> Journal::create(io::Directory& directory,
                                                 const JournalIdentity& identity) {
    RETURN_IF_ERROR(remove(directory));
    ASSIGN_OR_RETURN(auto file, directory.open(kFileName, io::OpenMode::CreateExclusive));
    RETURN_IF_ERROR(directory.sync_directory(""));
    return std::unique_ptr<Journal>(new Journal(std::move(file), identity));
}

Status Journal::remove(io::Directory& directory) {
    if (!directory.exists(kFileName)) {
        return {};
    }
    RETURN_IF_ERROR(directory.unlink(kFileName));
    return directory.sync_directory("");
}

/// Null: there is none.
Result<std::unique_ptr<io::File>> Journal::open_file(io::Directory& directory) {
    auto file = directory.open(kFileName, io::OpenMode::ReadOnly);
    if (!file && file.error().code() == ErrorCode::NotFound) {
        return std::unique_ptr<io::File>();
    }
    return file;
}

Result<std::unique_ptr<Journal>> Journal::load_file(std::unique_ptr<io::File> file,
                                                    const JournalIdentity& identity) {
    if (file == nullptr) {
        return std::unique_ptr<Journal>();
    }
    std::unique_ptr<Journal> journal(new Journal(std::move(file), identity));
    RETURN_IF_ERROR(journal->load());
    if (journal->places_.empty()) {
        return std::unique_ptr<Journal>();
    }
    return journal;
}

Result<std::unique_ptr<Journal>> Journal::open(io::Directory& directory,
                                               const JournalIdentity& identity) {
    ASSIGN_OR_RETURN(auto file, open_file(directory));
    return load_file(std::move(file), identity);
}

Result<std::unique_ptr<Journal>> Journal::open_any(io::Directory& directory) {
    ASSIGN_OR_RETURN(auto file, open_file(directory));
    std::array<std::byte, BlockHeader::kSize> header{};
    if (file != nullptr) {
        ASSIGN_OR_RETURN(const std::size_t got, file->read_at(0, header));
        if (got < header.size()) {
            file.reset();
        }
    }
    const std::span<const std::byte> view(header);
    return load_file(std::move(file), {Lsn{BlockHeader::CheckpointLsn::get(view)},
                                       Lsn{BlockHeader::EndLsn::get(view)}});
}

Status Journal::load() {
    ASSIGN_OR_RETURN(const io::FileInfo info, file_->info());
    std::vector<std::byte> chunk(std::size_t{1} << 20);
    for (std::uint64_t begin = 0; begin + BlockHeader::kSize <= info.size;) {
        std::array<std::byte, BlockHeader::kSize> header{};
        RETURN_IF_ERROR(file_->read_exactly(begin, header));
        const std::span<const std::byte> view(header);
        const std::uint64_t length = BlockHeader::Length::get(view);
        const std::uint64_t count = BlockHeader::Count::get(view);
        const std::uint64_t images = BlockHeader::kSize + count * Descriptor::kSize;
        if (BlockHeader::Magic::get(view) != BlockHeader::kMagic || length > info.size - begin ||
            images > length ||
            JournalIdentity{Lsn{BlockHeader::CheckpointLsn::get(view)},
                            Lsn{BlockHeader::EndLsn::get(view)}} != identity_) {
            return {};  // the end, a block that never became durable, or another recovery's (J3)
        }
        std::vector<std::byte> descriptors(count * Descriptor::kSize);
        RETURN_IF_ERROR(file_->read_exactly(begin + BlockHeader::kSize, descriptors));
        const std::uint32_t expected = BlockHeader::Checksum::get(view);
        BlockHeader::Checksum::set(std::span(header), 0);
        std::uint32_t crc = crc32c(descriptors, crc32c(header));
        for (std::uint64_t at = images; at < length;) {
            const auto part =
                std::span(chunk).first(std::min<std::uint64_t>(chunk.size(), length - at));
            RETURN_IF_ERROR(file_->read_exactly(begin + at, part));
            crc = crc32c(part, crc);
            at += part.size();
        }
        if (crc != expected) {
            return {};
        }
        std::uint64_t at = images;
        for (std::uint64_t i = 0; i < count; ++i) {
            const auto descriptor = std::span<const std::byte>(descriptors)
                                        .subspan(i * Descriptor::kSize, Descriptor::kSize);
            const Place place{begin + at, Descriptor::Length::get(descriptor)};
            at += place.length;
            if (at <= length) {
                places_[{SpaceId{Descriptor::Space::get(descriptor)},
                         PageNo{Descriptor::Page::get(descriptor)}}] = place;
            }
        }
        begin += align(length);
    }
    return {};
}

Status Journal::append(std::span<const JournalEntry> entries) {
    if (entries.empty()) {
        return {};
    }
    std::vector<std::byte> head(BlockHeader::kSize + entries.size() * Descriptor::kSize);
    std::uint64_t length = head.size();
    for (std::size_t i = 0; i < entries.size(); ++i) {
        const auto descriptor =
            std::span(head).subspan(BlockHeader::kSize + i * Descriptor::kSize, Descriptor::kSize);
        Descriptor::Space::set(descriptor, entries[i].id.space.value);
        Descriptor::Page::set(descriptor, entries[i].id.page.value);
        Descriptor::Length::set(descriptor, static_cast<std::uint32_t>(entries[i].image.size()));
        length += entries[i].image.size();
    }
    const std::span header(head);
    BlockHeader::Magic::set(header, BlockHeader::kMagic);
    BlockHeader::CheckpointLsn::set(header, identity_.checkpoint.value);
    BlockHeader::EndLsn::set(header, identity_.end.value);
    BlockHeader::Length::set(header, length);
    BlockHeader::Count::set(header, static_cast<std::uint32_t>(entries.size()));
    std::uint32_t crc = crc32c(head);
    for (const JournalEntry& entry : entries) {
        crc = crc32c(entry.image, crc);
    }
    BlockHeader::Checksum::set(header, crc);

    // Held over the I/O: blocks must become durable in order, load() stops at the first bad one.
    const base::MutexLock lock(mutex_);
    RETURN_IF_ERROR(file_->write_at(end_, head));
    std::uint64_t at = end_ + head.size();
    for (std::size_t i = 0; i < entries.size();) {
        // Images that lie side by side in memory go out in one write.
        std::span<const std::byte> run = entries[i].image;
        for (++i; i < entries.size() && entries[i].image.data() == run.data() + run.size(); ++i) {
            run = {run.data(), run.size() + entries[i].image.size()};
        }
        RETURN_IF_ERROR(file_->write_at(at, run));
        at += run.size();
    }
    RETURN_IF_ERROR(file_->sync());
    end_ += align(length);
    return {};
}

std::uint64_t Journal::size() const {
    const base::MutexLock lock(mutex_);
    return end_;
}

Status Journal::reset() {
    const base::MutexLock lock(mutex_);
    RETURN_IF_ERROR(file_->truncate(0));
    end_ = 0;
    return {};
}

std::vector<PageId> Journal::pages() const {
    std::vector<PageId> result;
    result.reserve(places_.size());
    for (const auto& [id, place] : places_) {
        result.push_back(id);
    }
    return result;
}

Result<bool> Journal::read(PageId id, std::span<std::byte> image) const {
    const auto found = places_.find(id);
    if (found == places_.end() || found->second.length != image.size()) {
        return false;
    }
    RETURN_IF_ERROR(file_->read_exactly(found->second.offset, image));
    return true;
}

Result<std::optional<std::vector<std::byte>>> Journal::read(PageId id) const {
    const auto found = places_.find(id);
    if (found == places_.end()) {
        return std::optional<std::vector<std::byte>>();
    }
    std::vector<std::byte> image(found->second.length);
    RETURN_IF_ERROR(file_->read_exactly(found->second.offset, image));
    return std::optional(std::move(image));
}

}  // namespace redoubt::recovery
