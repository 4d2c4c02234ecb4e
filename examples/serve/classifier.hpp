// SPDX-License-Identifier: Apache-2.0
#pragma once
/// One forward of one engine: its pictures to their experts, wherever in the lockstep group these are, and back.
///
///     Pass pass(weights, cache, place);
///     for (auto& picture : batch) pass.add(picture);
///     auto answers = all_to_all(expert_answers(weights, all_to_all(pass.tokens())));
///     auto classes = pass.classes(answers);
///
/// A pass without pictures is a dummy forward: it sends nothing, and still answers what its experts are asked.
/// A picture's class is a function of the picture and the weights alone, not of what else is in the batch or where the
/// experts are: with the same weights it is the same bits in any world.
/// Thread safety: one thread. Lifetime: a Pass is shorter than its weights and its cache.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "moe/dataset.hpp"
#include "moe/parcel.hpp"
#include "serve/weights.hpp"

namespace serve {

using Picture = std::array<std::byte, moe::kPixels>;  ///< One byte a pixel, 0 to 16, as a request carries it.
[[nodiscard]] Picture picture_of(const moe::Image& image);

/// What stem and router make of a picture.
struct Hidden {
    std::array<float, moe::kHidden> values{};
    std::uint32_t expert = 0;
    float gate = 0;
};

/// Remembers the hidden values of pictures seen before. Lives in memory that may come back as zeros at any time
/// between two forwards: that is an empty cache.
class Cache {
public:
    explicit Cache(std::span<std::byte> memory);

    [[nodiscard]] const Hidden* find(const Picture& picture) const;
    void keep(const Picture& picture, const Hidden& hidden);
    /// Writes to every page, as servers take the memory of their caches at start and not in the middle of a request.
    void take_memory();

private:
    struct Entry;
    [[nodiscard]] Entry& entry_of(const Picture& picture) const;
    std::span<Entry> entries_;
};

class Pass {
public:
    Pass(std::span<const float> weights, Cache& cache, moe::Place place);

    void add(const Picture& picture);
    [[nodiscard]] moe::Parcel tokens();  ///< Each picture's hidden values to its expert's owner.
    /// Shape: one per picture, in the order in which they were added.
    [[nodiscard]] std::vector<std::uint32_t> classes(const moe::Parcel& answers) const;

private:
    std::span<const float> weights_;
    Cache& cache_;
    moe::Place place_;
    std::vector<Hidden> hidden_;
    std::vector<std::size_t> sent_;  ///< Pictures in the order in which they lie in a parcel.
};

/// The experts' side. `tokens` may come from all of the group.
[[nodiscard]] moe::Parcel expert_answers(std::span<const float> weights, const moe::Parcel& tokens);

/// The same for one picture, without a group and a cache: what every answer is to be compared with.
[[nodiscard]] std::uint32_t class_of(std::span<const float> weights, const Picture& picture);

}  // namespace serve
