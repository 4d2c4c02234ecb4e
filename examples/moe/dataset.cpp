// SPDX-License-Identifier: Apache-2.0
#include "moe/dataset.hpp"

#include <zlib.h>

#include <cstdlib>
#include <memory>
#include <optional>

#include "moe/random.hpp"
#include "muster/vault.hpp"

namespace moe {
namespace {

constexpr float kBrightest = 16.0F;
constexpr std::size_t kHeldBackEvery = 5;

struct CloseGzip {
    void operator()(gzFile_s* file) const { gzclose(file); }
};
using GzipFile = std::unique_ptr<gzFile_s, CloseGzip>;

/// Reads "64 pixels,label"; nothing where the line is anything else.
std::optional<Image> parse(const char* line) {
    Image image;
    char* end = nullptr;
    for (std::size_t field = 0; field <= kPixels; ++field) {
        const long value = std::strtol(line, &end, 10);
        const bool is_label = field == kPixels;
        const bool ends_well = is_label ? (*end == '\n' || *end == '\r' || *end == '\0') : *end == ',';
        if (end == line || !ends_well || value < 0 || value > (is_label ? 9 : 16)) return std::nullopt;
        if (is_label)
            image.label = static_cast<std::uint32_t>(value);
        else
            image.pixels.at(field) = static_cast<float>(value) / kBrightest;
        line = end + 1;
    }
    return image;
}

muster::Error bad_file(const std::string& path, const std::string& what) {
    return {muster::Fault::bad_setup, path + ": " + what + "; --data names another file"};
}

}  // namespace

muster::Result<Dataset> Dataset::load(const std::string& path) {
    const GzipFile file(gzopen(path.c_str(), "rb"));
    if (!file) return bad_file(path, "cannot be opened");
    Dataset data;
    std::array<char, 1024> line{};
    while (gzgets(file.get(), line.data(), static_cast<int>(line.size())) != nullptr) {
        const auto image = parse(line.data());
        if (!image) return bad_file(path, "line " + std::to_string(data.size() + 1) + " is not 64 pixels and a label");
        auto& part = data.size() % kHeldBackEvery == 0 ? data.held_back_ : data.training_;
        part.push_back(*image);
    }
    if (data.training_.empty()) return bad_file(path, "holds too few images");
    return data;
}

std::vector<Shard> Dataset::batch(std::uint64_t step, Place place) const {
    const auto mine = muster::items_of({place.slot}, place.size, kShards);
    std::vector<Shard> shards;
    for (auto index = mine.first; index < mine.last; ++index) {
        auto& shard = shards.emplace_back(Shard{index, {}});
        for (std::uint32_t i = 0; i < kShardImages; ++i) {
            const auto draw = random_bits(data_order(step), index, i) % training_.size();
            shard.images.push_back(&training_[draw]);
        }
    }
    return shards;
}

std::vector<Shard> Dataset::held_back(Place place) const {
    const auto mine = muster::items_of({place.slot}, place.size, kShards);
    std::vector<Shard> shards;
    for (auto index = mine.first; index < mine.last; ++index) {
        auto& shard = shards.emplace_back(Shard{index, {}});
        for (std::size_t i = index; i < held_back_.size(); i += kShards) shard.images.push_back(&held_back_[i]);
    }
    return shards;
}

std::string default_data_path() { return MOE_DATA_PATH; }

std::uint64_t data_order(std::uint64_t step) { return random_bits(kSeed, 0, step); }

}  // namespace moe
