// Replays a fuzzer's corpus without libFuzzer: `x_fuzz DIR` runs every file of DIR through
// LLVMFuzzerTestOneInput, and beside it every one-byte truncation and some bit flips of each.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int argc, char** argv) {
    std::size_t run_count = 0;
    const auto run = [&](const std::vector<std::uint8_t>& input) {
        LLVMFuzzerTestOneInput(input.data(), input.size());
        ++run_count;
    };
    run({});
    for (int i = 1; i < argc; ++i) {
        if (!std::filesystem::is_directory(argv[i])) {
            std::fprintf(stderr, "no corpus at %s\n", argv[i]);
            return 1;
        }
        for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
            std::ifstream in(entry.path(), std::ios::binary);
            std::vector<std::uint8_t> input{std::istreambuf_iterator<char>(in), {}};
            run(input);
            std::uint32_t random = 1;
            for (std::size_t round = 0; round < 200 && !input.empty(); ++round) {
                random = random * 1664525 + 1013904223;
                std::vector<std::uint8_t> changed = input;
                changed[random % changed.size()] ^= static_cast<std::uint8_t>(1U << (random >> 29));
                run(changed);
                changed.resize((random >> 8) % (changed.size() + 1));
                run(changed);
            }
        }
    }
    std::printf("%zu inputs replayed\n", run_count);
    return run_count > 1 ? 0 : 1;
}
