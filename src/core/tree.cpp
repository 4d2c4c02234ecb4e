// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/tree.hpp"

namespace muster::core {

// Places are counted from the root on, around the end of the list: the root's is 0, those below c are c k + 1 .. c k +
// k.

std::vector<std::uint32_t> tree_children(std::uint32_t place, std::uint32_t root, std::uint32_t size,
                                         std::uint32_t fan_out) {
    std::vector<std::uint32_t> children;
    if (place >= size || root >= size) return children;
    const std::uint64_t own = (place + std::uint64_t{size} - root) % size, degree = std::max(1u, fan_out);
    for (std::uint64_t child = own * degree + 1; child <= own * degree + degree && child < size; ++child)
        children.push_back(static_cast<std::uint32_t>((child + root) % size));
    return children;
}

std::optional<std::uint32_t> tree_parent(std::uint32_t place, std::uint32_t root, std::uint32_t size,
                                         std::uint32_t fan_out) {
    if (place >= size || root >= size || place == root) return std::nullopt;
    const std::uint64_t own = (place + std::uint64_t{size} - root) % size;
    return static_cast<std::uint32_t>(((own - 1) / std::max(1u, fan_out) + root) % size);
}

}  // namespace muster::core
