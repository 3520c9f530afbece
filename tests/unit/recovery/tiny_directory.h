/// A data directory small enough for a test to make thousands: full_crc32, pages of 4 KiB, a system
/// tablespace of 1 MiB, tables of 16 pages, all in memory; and the records of a log for it.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "base/big_endian.h"
#include "io/memory_directory.h"
#include "page/flags.h"
#include "page/header.h"
#include "recovery/recover.h"
#include "unit/redo/log_builder.h"

namespace redoubt::test {

inline constexpr std::uint32_t kTinyPageSize = 4096;
inline constexpr std::uint32_t kTinyPages = 16;  ///< of each table
inline constexpr std::size_t kTinyTableSize = std::size_t{kTinyPages} * kTinyPageSize;

/// Page 0 of a tablespace, or a page of no particular type. `pages`: of the tablespace, for page 0.
inline Bytes tiny_page(PageId id, Lsn lsn, std::uint32_t pages = kTinyPages) {
    constexpr std::uint32_t kFlags = 0x13;  // full_crc32, 4 KiB
    Bytes page(kTinyPageSize);
    page::initialise(page, id);
    page::Header::PageLsn::set(std::span(page), lsn.value);
    if (id.page == PageNo{0}) {
        page::Header::Type::set(std::span(page), std::uint16_t{8});
        store_be<std::uint32_t>(&page[38], id.space.value);
        store_be<std::uint32_t>(&page[46], pages);
        store_be<std::uint32_t>(&page[50], pages);
        store_be<std::uint32_t>(&page[54], kFlags);
    }
    page::seal(page, *page::TablespaceFlags::decode(kFlags));
    return page;
}

/// Page 0 and one more; the others were never written.
inline Bytes tiny_tablespace(SpaceId space, std::size_t size, std::uint32_t pages = kTinyPages) {
    constexpr Lsn kBeforeTheLog{20000};
    Bytes file;
    append_bytes(file, tiny_page({space, PageNo{0}}, kBeforeTheLog, pages));
    append_bytes(file, tiny_page({space, PageNo{1}}, kBeforeTheLog));
    file.resize(size);
    return file;
}

/// A log of 256 KiB that begins with a checkpoint.
inline LogBuilder tiny_log() {
    LogBuilder log(Lsn{20480}, LogBuilder::kStart + (std::size_t{1} << 18));
    log.checkpoint(0, log.next, log.next);
    log.append(file_checkpoint(log.next));
    return log;
}

inline constexpr unsigned kFileCreate = 0x80;
inline constexpr unsigned kFileRename = 0xA0;
inline constexpr unsigned kFileModify = 0xB0;

/// FILE_CREATE and so on; `new_name` for FILE_RENAME.
inline Bytes file_record(unsigned type, SpaceId space, std::string_view name,
                         std::string_view new_name = {}) {
    Bytes payload;
    append_varint(payload, space.value);
    payload.push_back(std::byte{0});
    append_bytes(payload, std::as_bytes(std::span(name)));
    if (!new_name.empty()) {
        payload.push_back(std::byte{0});
        append_bytes(payload, std::as_bytes(std::span(new_name)));
    }
    return record(type, payload);
}

using Files = std::map<std::string, Bytes>;

inline void put_files(io::MemoryDirectory& directory, const Files& files) {
    for (const auto& [path, bytes] : files) {
        directory.put(path, bytes);
    }
}

/// Every file of the directory and of its databases.
inline Files files_of(io::MemoryDirectory& directory) {
    Files files;
    const auto take = [&](const std::string& path) {
        if (const Bytes* bytes = directory.find(path)) {
            files[path] = *bytes;
        }
    };
    const auto top = directory.list("");
    for (const std::string& name : top.value()) {
        take(name);
        if (const auto database = directory.list(name)) {
            for (const std::string& file : *database) {
                take(io::join(name, file));
            }
        }
    }
    return files;
}

inline recovery::RecoverOptions tiny_options() {
    recovery::RecoverOptions options;
    options.layout.data_file_path = "ibdata1:1M:autoextend";
    options.layout_given = true;
    options.memory = std::uint64_t{2} << 20;
    return options;
}

}  // namespace redoubt::test
