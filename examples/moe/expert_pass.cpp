// SPDX-License-Identifier: Apache-2.0
#include "moe/expert_pass.hpp"

#include <algorithm>

namespace moe {

ExpertPass::ExpertPass(const Model& model) : model_(model), gradients_(model.experts.size(), Gradient(kExpertSize)) {}

Parcel ExpertPass::answers(const Parcel& tokens) {
    tokens_.resize(tokens.values.size() / kTokenSize);
    Parcel answers{.counts = tokens.counts, .values = std::vector<float>(tokens_.size() * kHidden)};
    for (auto& count : answers.counts) count = count / static_cast<int>(kTokenSize) * static_cast<int>(kHidden);
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
        const float* sent = &tokens.values[i * kTokenSize];
        auto& token = tokens_[i];
        token.expert = static_cast<std::uint32_t>(sent[0]) - model_.mine.first;
        std::copy_n(sent + 1, kHidden, token.input.data());
        const float* weights = model_.experts.at(token.expert).data();
        Layer::forward(weights, token.input.data(), token.middle.data());
        for (auto& value : token.middle) value = std::max(value, 0.0F);
        Layer::forward(weights + kSecondAt, token.middle.data(), &answers.values[i * kHidden]);
    }
    return answers;
}

Parcel ExpertPass::token_gradients(const Parcel& errors) {
    Parcel result{.counts = errors.counts, .values = std::vector<float>(errors.values.size())};
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
        const auto& token = tokens_[i];
        const float* weights = model_.experts[token.expert].data();
        const float* error = &errors.values[i * kHidden];
        float* gradient = gradients_[token.expert].data();
        std::array<float, kHidden> middle{};
        Layer::add_gradient(token.middle.data(), error, gradient + kSecondAt);
        Layer::add_input_gradient(weights + kSecondAt, error, middle.data());
        for (std::size_t h = 0; h < kHidden; ++h)
            if (token.middle[h] <= 0) middle[h] = 0;
        Layer::add_gradient(token.input.data(), middle.data(), gradient);
        Layer::add_input_gradient(weights, middle.data(), &result.values[i * kHidden]);
    }
    return result;
}

}  // namespace moe
