// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The handwritten digits, and which of them belong to which virtual shard of which step.
/// Shape: 1,797 images of 64 pixels in [0, 1], labels 0 to 9. Every fifth image is held back from training.
/// Thread safety: constant after load().

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "moe/shape.hpp"
#include "muster/types.hpp"

namespace moe {

struct Image {
    std::array<float, kPixels> pixels{};
    std::uint32_t label = 0;
};

/// The images that one virtual shard has to compute.
struct Shard {
    std::uint32_t index = 0;
    std::vector<const Image*> images;
};

class Dataset {
public:
    /// Reads a gzipped (or plain) CSV file. Errors: bad_setup, naming the file and the line that is wrong.
    [[nodiscard]] static muster::Result<Dataset> load(const std::string& path);

    [[nodiscard]] std::vector<Shard> batch(std::uint64_t step, Place place) const;  ///< Of this slot, by shard.
    [[nodiscard]] std::vector<Shard> held_back(Place place) const;                  ///< Of this slot, by shard.
    [[nodiscard]] std::size_t size() const { return training_.size() + held_back_.size(); }
    [[nodiscard]] std::size_t held_back_size() const { return held_back_.size(); }

private:
    std::vector<Image> training_, held_back_;
};

/// Where the build found the file that comes with the sources.
[[nodiscard]] std::string default_data_path();

/// What decides the order of the data in a step. Equal on all ranks, so it is committed with the step.
[[nodiscard]] std::uint64_t data_order(std::uint64_t step);

}  // namespace moe
