/// The box around a geometry, as R-trees have it. Format: docs/formats/index-page.md#r-tree.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>

namespace redoubt::record {

/// Least and greatest x, least and greatest y; of a geometry without points DBL_MAX and -DBL_MAX
/// each.
using GeometryEnds = std::array<double, 4>;

/// `value`: a whole GEOMETRY value as stored. nullopt: it is none. Bounded whatever the bytes say.
std::optional<GeometryEnds> ends_of_geometry(std::span<const std::byte> value);

}  // namespace redoubt::record
