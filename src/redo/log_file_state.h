/// What log_file.cc and log_reader.cc know of a log file.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "crypt/cipher.h"
#include "io/file.h"
#include "redo/log_file.h"

namespace redoubt::redo {

struct LogFile::State {
    std::unique_ptr<io::File> file;
    std::unique_ptr<io::Mapping> mapping;  ///< null: readers read
    std::string path;
    std::uint64_t size = 0;
    LogHeader header;
    std::array<std::optional<Checkpoint>, 2> checkpoints;
    crypt::Block key{};  ///< of an encrypted log
    crypt::CipherMode mode = crypt::CipherMode::Cbc;

    std::uint64_t capacity() const { return size - kLogStart; }
    std::uint64_t offset_of(std::uint64_t lsn) const {
        return kLogStart + (lsn - header.first_lsn.value) % capacity();
    }
    std::uint64_t lap_of(std::uint64_t lsn) const {
        return (lsn - header.first_lsn.value) / capacity();
    }

    Status read(io::Directory& directory, const crypt::KeyRing* keys);
    Status read_checkpoints();
    Status derive_key(const crypt::KeyRing* keys);
};

}  // namespace redoubt::redo
