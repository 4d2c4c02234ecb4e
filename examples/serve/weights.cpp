// SPDX-License-Identifier: Apache-2.0
#include "serve/weights.hpp"

#include <utility>

#include "moe/dense_pass.hpp"
#include "moe/expert_pass.hpp"

namespace serve {
namespace {

/// Only the weights: Adam's running means, which lie behind them, are of no use to a server.
std::vector<float> flattened(const moe::Model& model) {
    std::vector<float> weights(model.dense.begin(), model.dense.begin() + moe::kDenseSize);
    for (const auto& expert : model.experts)
        weights.insert(weights.end(), expert.begin(), expert.begin() + moe::kExpertSize);
    return weights;
}

}  // namespace

std::vector<float> trained_weights(const moe::Dataset& data, std::uint64_t steps) {
    constexpr moe::Place alone{};
    auto model = moe::initial_model(alone);
    for (std::uint64_t step = 1; step <= steps; ++step) {
        moe::DensePass dense(model, data.batch(step, alone), alone);
        moe::ExpertPass experts(model);
        const auto token_gradients = experts.token_gradients(dense.errors(experts.answers(dense.tokens())));
        moe::Model next;
        moe::update(model, dense.gradients(token_gradients), experts.gradients(), step, next);
        model = std::move(next);
    }
    return flattened(model);
}

}  // namespace serve
