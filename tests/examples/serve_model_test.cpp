// SPDX-License-Identifier: Apache-2.0
// The server's maths: the same answers however many engines share the experts, whatever is in the cache.

#include <gtest/gtest.h>

#include <algorithm>

#include "in_process.hpp"
#include "serve/classifier.hpp"

namespace serve {
namespace {

struct Samples {
    std::vector<float> weights;
    std::vector<Picture> pictures;
    std::vector<std::uint32_t> labels, alone;
};

const Samples& samples() {
    static const Samples all = [] {
        Samples made;
        const auto data = moe::Dataset::load(moe::default_data_path());
        made.weights = trained_weights(*data);
        for (const auto& shard : data->held_back({}))
            for (const moe::Image* image : shard.images) {
                made.pictures.push_back(picture_of(*image));
                made.labels.push_back(image->label);
                made.alone.push_back(class_of(made.weights, made.pictures.back()));
            }
        return made;
    }();
    return all;
}

/// One forward of a whole group, each slot with the pictures [begin, end) of its own.
std::vector<std::uint32_t> group_forward(std::vector<Cache>& caches, const std::vector<std::size_t>& bounds) {
    const auto size = static_cast<std::uint32_t>(caches.size());
    std::vector<Pass> passes;
    for (std::uint32_t slot = 0; slot < size; ++slot) {
        auto& pass = passes.emplace_back(samples().weights, caches[slot], moe::Place{slot, size});
        for (auto i = bounds[slot]; i < bounds[slot + 1]; ++i) pass.add(samples().pictures[i]);
    }
    const auto tokens = moe::exchanged(size, [&](auto slot) { return passes[slot].tokens(); });
    const auto answers =
        moe::exchanged(size, [&](auto slot) { return expert_answers(samples().weights, tokens[slot]); });
    std::vector<std::uint32_t> classes;
    for (std::uint32_t slot = 0; slot < size; ++slot)
        for (const auto label : passes[slot].classes(answers[slot])) classes.push_back(label);
    return classes;
}

TEST(ServeModel, KnowsTheHeldBackDigits) {
    std::size_t right = 0;
    for (std::size_t i = 0; i < samples().alone.size(); ++i) right += samples().alone[i] == samples().labels[i];
    EXPECT_GE(static_cast<double>(right) / static_cast<double>(samples().alone.size()), 0.95);
}

TEST(ServeModel, AGroupAnswersAsOneProcessDoes) {
    for (const std::uint32_t size : {1U, 2U, 3U, 5U}) {
        std::vector<Cache> caches(size, Cache({}));
        std::vector<std::size_t> bounds;
        for (std::uint32_t slot = 0; slot <= size; ++slot) bounds.push_back(samples().pictures.size() * slot / size);
        EXPECT_EQ(group_forward(caches, bounds), samples().alone) << size << " slots";
    }
}

TEST(ServeModel, ADummyForwardServesItsPeers) {
    std::vector<Cache> caches(2, Cache({}));
    EXPECT_EQ(group_forward(caches, {0, 0, samples().pictures.size()}), samples().alone);
    EXPECT_EQ(group_forward(caches, {0, samples().pictures.size(), samples().pictures.size()}), samples().alone);
}

/// A cache so small that pictures displace each other all the time.
TEST(ServeModel, TheCacheNeverTakesOnePictureForAnother) {
    std::vector<std::byte> memory(2'000);
    std::vector<Cache> caches(1, Cache(memory));
    const std::vector<std::size_t> all{0, samples().pictures.size()};
    EXPECT_EQ(group_forward(caches, all), samples().alone);
    EXPECT_EQ(group_forward(caches, all), samples().alone);
}

TEST(ServeModel, ACacheOfZerosIsEmpty) {
    std::vector<std::byte> memory(1 << 20);
    Cache cache(memory);
    const auto& picture = samples().pictures.front();
    EXPECT_EQ(cache.find(picture), nullptr);
    cache.keep(picture, {.values = {}, .expert = 7, .gate = 0.5F});
    ASSERT_NE(cache.find(picture), nullptr);
    EXPECT_EQ(cache.find(picture)->expert, 7U);
    EXPECT_EQ(cache.find(samples().pictures.back()), nullptr);
    std::fill(memory.begin(), memory.end(), std::byte{0});
    EXPECT_EQ(cache.find(picture), nullptr);
}

}  // namespace
}  // namespace serve
