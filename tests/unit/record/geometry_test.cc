#include "record/geometry.h"

#include <gmock/gmock.h>

#include <cfloat>
#include <cstring>
#include <vector>

namespace redoubt::record {
namespace {

using testing::ElementsAre;

/// A value made of a reference system (0) and these parts.
class Value {
public:
    Value() : bytes_(4) {}
    Value& head(std::uint32_t kind) {
        bytes_.push_back(std::byte{1});
        return number(kind);
    }
    Value& number(std::uint32_t value) { return put(value); }
    Value& point(double x, double y) { return put(x).put(y); }
    std::span<const std::byte> bytes() const { return bytes_; }

private:
    template <class T>
    Value& put(T value) {
        const auto view = std::as_bytes(std::span(&value, 1));
        bytes_.insert(bytes_.end(), view.begin(), view.end());
        return *this;
    }
    std::vector<std::byte> bytes_;
};

TEST(Geometry, APointIsItsOwnBox) {
    const auto ends = ends_of_geometry(Value().head(1).point(3, -4).bytes());
    ASSERT_TRUE(ends);
    EXPECT_THAT(*ends, ElementsAre(3, 3, -4, -4));
}

TEST(Geometry, OfLinesAndPolygonsAllPointsCount) {
    const auto line = ends_of_geometry(Value().head(2).number(2).point(1, 9).point(-2, 7).bytes());
    ASSERT_TRUE(line);
    EXPECT_THAT(*line, ElementsAre(-2, 1, 7, 9));
    const auto polygon = ends_of_geometry(
        Value().head(3).number(2).number(1).point(0, 0).number(2).point(5, 6).point(7, -1).bytes());
    ASSERT_TRUE(polygon);
    EXPECT_THAT(*polygon, ElementsAre(0, 7, -1, 6));
}

TEST(Geometry, ACollectionCountsAllItHas) {
    const auto ends = ends_of_geometry(Value()
                                           .head(7)
                                           .number(2)
                                           .head(1)
                                           .point(1, 2)
                                           .head(4)
                                           .number(1)
                                           .head(1)
                                           .point(8, 9)
                                           .bytes());
    ASSERT_TRUE(ends);
    EXPECT_THAT(*ends, ElementsAre(1, 8, 2, 9));
    const auto none = ends_of_geometry(Value().head(7).number(0).bytes());
    ASSERT_TRUE(none);
    EXPECT_THAT(*none, ElementsAre(DBL_MAX, -DBL_MAX, DBL_MAX, -DBL_MAX));
}

TEST(Geometry, WhatIsCutOffOrTooDeepIsNone) {
    EXPECT_FALSE(ends_of_geometry({}));
    EXPECT_FALSE(ends_of_geometry(Value().head(8).number(0).bytes()));
    EXPECT_FALSE(ends_of_geometry(Value().head(2).number(0xFFFFFFFF).point(1, 2).bytes()));
    EXPECT_FALSE(ends_of_geometry(Value().head(3).number(0xFFFFFFFF).bytes()));
    Value deep;
    for (int i = 0; i < 1000; ++i) {
        deep.head(7).number(1);
    }
    EXPECT_FALSE(ends_of_geometry(deep.bytes()));
}

}  // namespace
}  // namespace redoubt::record
