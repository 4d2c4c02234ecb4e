// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Who passes a broadcast on to whom. Pure.

#include <cstdint>
#include <optional>
#include <vector>

namespace muster::core {

/// The places that `place` passes a broadcast on to, in a k-ary tree of `size` places with place `root` at its top.
[[nodiscard]] std::vector<std::uint32_t> tree_children(std::uint32_t place, std::uint32_t root, std::uint32_t size,
                                                       std::uint32_t fan_out);
/// The place above; nothing for the root.
[[nodiscard]] std::optional<std::uint32_t> tree_parent(std::uint32_t place, std::uint32_t root, std::uint32_t size,
                                                       std::uint32_t fan_out);

}  // namespace muster::core
