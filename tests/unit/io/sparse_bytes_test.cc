#include "io/sparse_bytes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace redoubt::io {
namespace {

std::vector<std::byte> all_of(const SparseBytes& bytes) {
    std::vector<std::byte> read(bytes.size());
    bytes.read(0, read);
    return read;
}

TEST(SparseBytes, ACopyKeepsItsBytesWhenTheOriginalChanges) {
    SparseBytes bytes;
    bytes.write(0, std::vector<std::byte>(40000, std::byte{1}));
    const SparseBytes copy = bytes;
    bytes.write(20000, std::vector<std::byte>(1, std::byte{2}));
    bytes.resize(30000);
    EXPECT_EQ(all_of(copy), std::vector<std::byte>(40000, std::byte{1}));
}

TEST(SparseBytes, CountsTheBlocksThatAreNotHoles) {
    SparseBytes bytes;
    bytes.resize(100 * 4096);
    EXPECT_EQ(bytes.allocated_size(), 0U);
    bytes.write(4095, std::vector<std::byte>(2, std::byte{1}));
    EXPECT_EQ(bytes.allocated_size(), 2U * 4096);
    bytes.zero(0, 4096);
    EXPECT_EQ(bytes.allocated_size(), 4096U);
    bytes.zero(4096, 4095);  // not the whole block
    EXPECT_EQ(bytes.allocated_size(), 4096U);
    EXPECT_EQ(bytes.fitting(0, 3 * 4096, 2 * 4096), 3U * 4096);
    EXPECT_EQ(bytes.fitting(100, 3 * 4096, 4096), 2U * 4096 - 100);
    bytes.resize(5000);
    EXPECT_EQ(bytes.allocated_size(), 4096U);
    bytes.zero(4096, 5000);  // to the end of the file
    EXPECT_EQ(bytes.allocated_size(), 0U);
}

// A plain vector is the model; a copy taken now and then must not change with the original.
TEST(SparseBytes, DoesWhatAVectorDoes) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        SCOPED_TRACE(seed);
        std::mt19937_64 random(seed);
        SparseBytes bytes;
        std::vector<std::byte> model;
        SparseBytes copy;
        std::vector<std::byte> copy_model;
        for (int step = 0; step < 200; ++step) {
            const std::uint64_t offset = random() % 70000;
            const std::uint64_t length = random() % 20000;
            switch (random() % 4) {
                case 0: {
                    const std::vector<std::byte> data(length, static_cast<std::byte>(random()));
                    bytes.write(offset, data);
                    if (length != 0) {
                        model.resize(std::max(model.size(), offset + length));
                    }
                    std::copy(data.begin(), data.end(),
                              model.begin() + static_cast<std::ptrdiff_t>(length ? offset : 0));
                    break;
                }
                case 1:
                    bytes.zero(offset, length);
                    for (std::uint64_t i = offset; i < std::min(offset + length, model.size());
                         ++i) {
                        model[i] = std::byte{0};
                    }
                    break;
                case 2:
                    bytes.resize(offset);
                    model.resize(offset);
                    break;
                default:
                    ASSERT_EQ(all_of(copy), copy_model);
                    copy = bytes;
                    copy_model = model;
                    break;
            }
            ASSERT_EQ(all_of(bytes), model);
        }
    }
}

}  // namespace
}  // namespace redoubt::io
