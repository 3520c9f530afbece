// The texts a data directory is found by: link files, innodb_data_file_path, option files, file
// names. The first byte chooses.
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

#include "io/memory_directory.h"
#include "space/layout.h"

using namespace redoubt;

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
            // "my.cnf" and "d/b.cnf" have the same text, so that a file can include itself.
            io::MemoryDirectory directory;
            const auto bytes = std::as_bytes(std::span(input));
            for (const char* path : {"my.cnf", "d/b.cnf"}) {
                directory.put(path, {bytes.begin(), bytes.end()});
            }
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
