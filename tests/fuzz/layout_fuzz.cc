// The texts a data directory is found by: link files, innodb_data_file_path, option files, file
// names. The first byte chooses.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "space/layout.h"

namespace {

using namespace redoubt;

/// A file whose content is the input.
class InputFile final : public io::File {
public:
    explicit InputFile(std::string_view text) : text_(text) {}
    const std::string& path() const override { return path_; }
    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> buffer) override {
        const std::size_t begin = std::min<std::uint64_t>(offset, text_.size());
        const std::size_t length = std::min(buffer.size(), text_.size() - begin);
        std::copy_n(std::as_bytes(std::span(text_)).begin() + static_cast<std::ptrdiff_t>(begin),
                    length, buffer.begin());
        return length;
    }
    Status write_at(std::uint64_t, std::span<const std::byte>) override { return refuse(); }
    Status sync() override { return refuse(); }
    Status truncate(std::uint64_t) override { return refuse(); }
    Status punch_hole(std::uint64_t, std::uint64_t) override { return refuse(); }
    Result<io::FileInfo> info() override {
        io::FileInfo info;
        info.size = text_.size();
        info.is_regular = true;
        return info;
    }
    Status lock_exclusive() override { return refuse(); }
    Result<bool> locked_by_other() override { return false; }
    void will_need(std::uint64_t, std::uint64_t) override {}
    static Error refuse() { return make_error(ErrorCode::Refused, "read-only"); }

private:
    std::string path_ = "input";
    std::string_view text_;
};

/// Every file there is has the input for its content, so that option files include themselves.
class InputDirectory final : public io::Directory {
public:
    explicit InputDirectory(std::string_view text) : text_(text) {}
    const std::string& path() const override { return path_; }
    Result<std::unique_ptr<io::File>> open(std::string_view, io::OpenMode) override {
        return std::make_unique<InputFile>(text_);
    }
    Status rename(std::string_view, std::string_view) override { return InputFile::refuse(); }
    Status unlink(std::string_view) override { return InputFile::refuse(); }
    Status make_directory(std::string_view) override { return InputFile::refuse(); }
    Result<std::vector<std::string>> list(std::string_view) override {
        return std::vector<std::string>{"a.cnf", "b.cnf"};
    }
    Result<io::FileInfo> info(std::string_view) override { return InputFile(text_).info(); }
    Status sync_directory(std::string_view) override { return InputFile::refuse(); }
    Result<std::uint64_t> free_space(std::string_view) override { return InputFile::refuse(); }

private:
    std::string path_ = "/input";
    std::string_view text_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const std::string input(data + 1, data + size);
    switch (data[0]) {
        case 'i':
            static_cast<void>(space::parse_isl(input));
            break;
        case 'p': {
            const auto files = space::parse_data_file_path(input, "/home");
            if (files && (files->empty() || files->front().size == 0)) {
                std::abort();
            }
            break;
        }
        case 'o': {
            InputDirectory directory(input);
            space::LayoutOptions options;
            static_cast<void>(space::read_defaults_file(directory, "my.cnf", options));
            break;
        }
        default: {
            // What was encoded decodes to itself.
            const std::string encoded = space::encode_file_name(input);
            const std::string decoded = space::decode_file_name(encoded);
            if (!encoded.starts_with("#sql") && space::encode_file_name(decoded) != encoded) {
                std::abort();
            }
            static_cast<void>(space::decode_file_name(input));
        }
    }
    return 0;
}
