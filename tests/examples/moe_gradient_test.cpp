// SPDX-License-Identifier: Apache-2.0
// The gradients against finite differences of the loss.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "in_process.hpp"

namespace moe {
namespace {

constexpr std::size_t kImages = 6;  // Few, so that a nudge crosses no kink of a ReLU and no decision of the router.
constexpr float kNudge = 1e-3F;
constexpr double kScale = kShards * kShardImages;  // The passes divide by the batch's size.
constexpr std::size_t kProbes = 12;

class GradientTest : public testing::Test {
protected:
    void SetUp() override {
        auto loaded = Dataset::load(default_data_path());
        ASSERT_TRUE(loaded);
        data_ = *loaded;
        shard_ = data_.batch(3, {0, 1}).front();
        shard_.images.resize(kImages);
        world_ = initial_world(1);
        const auto gradients = gradients_of(world_, {{shard_}});
        dense_ = gradients.dense;
        experts_ = gradients.experts.front();
    }

    double loss() { return gradients_of(world_, {{shard_}}).dense.back(); }

    /// Slope of the loss along one weight.
    double slope(float& weight) {
        const float before = weight;
        weight = before + kNudge;
        const double above = loss();
        weight = before - kNudge;
        const double below = loss();
        weight = before;
        return (above - below) / (2 * static_cast<double>(kNudge));
    }

    /// Compares the weights with the largest gradients in [first, last): there rounding matters least.
    void compare(State& weights, const Gradient& gradient, std::size_t first, std::size_t last) {
        std::vector<std::size_t> order(last - first);
        std::iota(order.begin(), order.end(), first);
        std::sort(order.begin(), order.end(),
                  [&](auto a, auto b) { return std::abs(gradient[a]) > std::abs(gradient[b]); });
        order.resize(kProbes);
        for (const auto i : order)
            EXPECT_NEAR(kScale * slope(weights[i]), kScale * gradient[i], 0.02 * kScale * std::abs(gradient[i]) + 2e-3)
                << "weight " << i;
    }

    Dataset data_;
    Shard shard_;
    std::vector<Model> world_;
    Gradient dense_;
    std::vector<Gradient> experts_;
};

TEST_F(GradientTest, Stem) { compare(world_[0].dense, dense_, 0, kRouterAt); }
TEST_F(GradientTest, Router) { compare(world_[0].dense, dense_, kRouterAt, kHeadAt); }
TEST_F(GradientTest, Head) { compare(world_[0].dense, dense_, kHeadAt, kDenseSize); }

TEST_F(GradientTest, BothLayersOfTheBusiestExpert) {
    const auto size_of = [](const Gradient& g) { return std::inner_product(g.begin(), g.end(), g.begin(), 0.0F); };
    const auto busiest =
        std::max_element(experts_.begin(), experts_.end(), [&](auto& a, auto& b) { return size_of(a) < size_of(b); });
    auto& weights = world_[0].experts[static_cast<std::size_t>(busiest - experts_.begin())];
    compare(weights, *busiest, 0, kSecondAt);
    compare(weights, *busiest, kSecondAt, kExpertSize);
}

}  // namespace
}  // namespace moe
