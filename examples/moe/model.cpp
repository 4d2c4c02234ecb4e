// SPDX-License-Identifier: Apache-2.0
#include "moe/model.hpp"

#include <cmath>

#include "moe/random.hpp"

namespace moe {
namespace {

constexpr float kRate = 0.01F;
constexpr float kMeanDecay = 0.9F;
constexpr float kSquareDecay = 0.99F;
constexpr float kTiny = 1e-8F;

/// Fills one layer's weights: uniform, with the variance that keeps a ReLU network's signal (He et al. 2015).
void fill(float* weights, std::size_t in, std::size_t out, std::uint64_t name) {
    const float bound = std::sqrt(6.0F / static_cast<float>(in));
    for (std::size_t i = 0; i < in * out; ++i) weights[i] = bound * random_unit(kSeed, name, i);
}

State initial_dense() {
    State dense(3 * kDenseSize);
    fill(dense.data(), kPixels, kHidden, 1);
    fill(dense.data() + kRouterAt, kHidden, kExperts, 2);
    fill(dense.data() + kHeadAt, kHidden, kClasses, 3);
    return dense;
}

State initial_expert(std::uint32_t expert) {
    State state(3 * kExpertSize);
    fill(state.data(), kHidden, kHidden, 100 + 2 * expert);
    fill(state.data() + kSecondAt, kHidden, kHidden, 101 + 2 * expert);
    return state;
}

/// decay^step by plain multiplication: std::pow may differ in its last bit between machines.
float power(float decay, std::uint64_t step) {
    float result = 1;
    for (std::uint64_t i = 0; i < step && result > 0x1p-30F; ++i) result *= decay;
    return result;
}

/// One step of Adam (Kingma and Ba 2015).
void adam(const State& from, std::span<const float> gradient, std::uint64_t step, State& to) {
    const std::size_t n = gradient.size();
    const float mean_bias = 1 - power(kMeanDecay, step);
    const float square_bias = 1 - power(kSquareDecay, step);
    to.resize(from.size());
    for (std::size_t i = 0; i < n; ++i) {
        const float g = gradient[i];
        const float mean = kMeanDecay * from[n + i] + (1 - kMeanDecay) * g;
        const float square = kSquareDecay * from[2 * n + i] + (1 - kSquareDecay) * g * g;
        to[i] = from[i] - kRate * (mean / mean_bias) / (std::sqrt(square / square_bias) + kTiny);
        to[n + i] = mean;
        to[2 * n + i] = square;
    }
}

}  // namespace

Model initial_model(Place place) {
    Model model{.dense = initial_dense(), .mine = muster::items_of({place.slot}, place.size, kExperts), .experts = {}};
    for (auto expert = model.mine.first; expert < model.mine.last; ++expert)
        model.experts.push_back(initial_expert(expert));
    return model;
}

void update(const Model& from, std::span<const float> gathered, const std::vector<Gradient>& experts,
            std::uint64_t step, Model& to) {
    Gradient sum(kDenseSize);
    for (std::size_t shard = 0; shard < kShards; ++shard)
        for (std::size_t i = 0; i < kDenseSize; ++i) sum[i] += gathered[shard * kGradientSize + i];
    adam(from.dense, sum, step, to.dense);
    to.mine = from.mine;
    to.experts.resize(from.experts.size());
    for (std::size_t i = 0; i < experts.size(); ++i) adam(from.experts[i], experts[i], step, to.experts[i]);
}

float loss_of(std::span<const float> gathered) {
    float loss = 0;
    for (std::size_t shard = 0; shard < kShards; ++shard) loss += gathered[shard * kGradientSize + kDenseSize];
    return loss;
}

}  // namespace moe
