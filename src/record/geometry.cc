#include "record/geometry.h"

#include <algorithm>
#include <cfloat>
#include <cstdint>
#include <cstring>

namespace redoubt::record {
namespace {

constexpr std::size_t kReferenceSystemSize = 4;  // bytes before the well-known binary
constexpr unsigned kDepthMax = 32;               // of collections in collections
enum Kind : std::uint32_t {
    Point = 1,
    LineString,
    Polygon,
    MultiPoint,
    MultiLineString,
    MultiPolygon,
    Collection,
};

class WellKnownBinary {
public:
    explicit WellKnownBinary(std::span<const std::byte> bytes) : rest_(bytes) {}

    /// One geometry; false: it is none.
    bool take(unsigned depth) {
        std::uint32_t kind = 0;
        if (rest_.empty() || depth > kDepthMax) {
            return false;
        }
        const bool little_endian = rest_[0] == std::byte{1};
        rest_ = rest_.subspan(1);
        if (!little_endian || !number(kind)) {  // the server stores no other
            return false;
        }
        std::uint32_t count = 0;
        switch (kind) {
            case Point:
                return points(1);
            case LineString:
                return number(count) && points(count);
            case Polygon:
                if (!number(count)) {
                    return false;
                }
                for (std::uint32_t i = 0; i < count; ++i) {
                    std::uint32_t corners = 0;
                    if (!number(corners) || !points(corners)) {
                        return false;
                    }
                }
                return true;
            case MultiPoint:
            case MultiLineString:
            case MultiPolygon:
            case Collection:
                if (!number(count)) {
                    return false;
                }
                for (std::uint32_t i = 0; i < count; ++i) {
                    if (!take(depth + 1)) {
                        return false;
                    }
                }
                return true;
            default:
                return false;
        }
    }
    const GeometryEnds& ends() const { return ends_; }

private:
    bool number(std::uint32_t& value) {
        if (rest_.size() < sizeof value) {
            return false;
        }
        std::memcpy(&value, rest_.data(), sizeof value);
        rest_ = rest_.subspan(sizeof value);
        return true;
    }
    bool points(std::uint32_t count) {
        constexpr std::size_t kSize = 2 * sizeof(double);
        if (rest_.size() / kSize < count) {
            return false;
        }
        for (std::uint32_t i = 0; i < count; ++i) {
            for (std::size_t axis = 0; axis < 2; ++axis) {
                double value = 0;
                std::memcpy(&value, rest_.data() + axis * sizeof value, sizeof value);
                ends_[2 * axis] = std::min(ends_[2 * axis], value);
                ends_[2 * axis + 1] = std::max(ends_[2 * axis + 1], value);
            }
            rest_ = rest_.subspan(kSize);
        }
        return true;
    }

    std::span<const std::byte> rest_;
    GeometryEnds ends_{DBL_MAX, -DBL_MAX, DBL_MAX, -DBL_MAX};
};

}  // namespace

std::optional<GeometryEnds> ends_of_geometry(std::span<const std::byte> value) {
    if (value.size() < kReferenceSystemSize) {
        return std::nullopt;
    }
    WellKnownBinary geometry(value.subspan(kReferenceSystemSize));
    return geometry.take(0) ? std::optional(geometry.ends()) : std::nullopt;
}

}  // namespace redoubt::record
