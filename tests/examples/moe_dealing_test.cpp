// SPDX-License-Identifier: Apache-2.0
// The same bits however many slots share the work.

#include <gtest/gtest.h>

#include "in_process.hpp"
#include "moe/fingerprint.hpp"

namespace moe {
namespace {

constexpr std::uint64_t kSteps = 12;

std::string fingerprint_of(const std::vector<Model>& world) {
    std::vector<std::uint64_t> experts;
    for (const auto& model : world)
        for (const auto hash : expert_fingerprints(model)) experts.push_back(hash);
    return fingerprint_text(world.front().dense, experts);
}

std::string fingerprint_after_training(std::uint32_t size, const Dataset& data) {
    auto world = initial_world(size);
    for (std::uint64_t step = 1; step <= kSteps; ++step) {
        const auto gradients = gradients_of(world, batches_of(data, step, size));
        for (std::uint32_t slot = 0; slot < size; ++slot) {
            Model next;
            update(world[slot], gradients.dense, gradients.experts[slot], step, next);
            world[slot] = std::move(next);
        }
    }
    return fingerprint_of(world);
}

TEST(Dealing, TrainingGivesTheSameBitsOnAnyNumberOfSlots) {
    const auto data = Dataset::load(default_data_path());
    ASSERT_TRUE(data);
    const auto alone = fingerprint_after_training(1, *data);
    EXPECT_NE(alone, fingerprint_of(initial_world(1)));
    for (const std::uint32_t size : {2U, 3U, 4U, 5U, 7U, 24U})
        EXPECT_EQ(fingerprint_after_training(size, *data), alone) << size << " slots";
}

TEST(Dealing, TheFingerprintSeesOneBitOfOneExpert) {
    auto world = initial_world(1);
    const auto before = fingerprint_of(world);
    world[0].experts[23].back() += 1e-6F;
    EXPECT_NE(fingerprint_of(world), before);
}

}  // namespace
}  // namespace moe
