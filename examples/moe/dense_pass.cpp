// SPDX-License-Identifier: Apache-2.0
#include "moe/dense_pass.hpp"

#include <algorithm>
#include <cmath>

namespace moe {
namespace {

/// Weight of the term that keeps the router from sending everything to one expert (Fedus et al. 2021).
constexpr float kBalance = 0.01F;
constexpr float kPerImage = 1.0F / (kShards * kShardImages);

/// std::exp may differ in its last bit between machines' C libraries, never between ranks of one kind of machine.
template <std::size_t N>
void softmax(std::array<float, N>& values) {
    const float largest = *std::max_element(values.begin(), values.end());
    float sum = 0;
    for (auto& value : values) sum += value = std::exp(value - largest);
    for (auto& value : values) value /= sum;
}

template <std::size_t N>
std::uint32_t argmax(const std::array<float, N>& values) {
    return static_cast<std::uint32_t>(std::max_element(values.begin(), values.end()) - values.begin());
}

}  // namespace

DensePass::DensePass(const Model& model, const std::vector<Shard>& shards, Place place, std::uint32_t capacity)
    : model_(model),
      place_(place),
      capacity_(capacity),
      shards_(shards.size()),
      sent_counts_(place.size),
      taken_(shards_ * kExperts),
      balance_(shards_ * kExperts) {
    for (std::size_t shard = 0; shard < shards.size(); ++shard)
        for (const Image* image : shards[shard].images) {
            auto& token = tokens_.emplace_back();
            token.image = image;
            token.shard = shard;
        }
}

void DensePass::route(Token& token) {
    const float* dense = model_.dense.data();
    Stem::forward(dense, token.image->pixels.data(), token.hidden.data());
    for (auto& value : token.hidden) value = std::max(value, 0.0F);
    Router::forward(dense + kRouterAt, token.hidden.data(), token.gates.data());
    softmax(token.gates);
    token.expert = argmax(token.gates);
    const auto at = token.shard * kExperts + token.expert;
    token.sent = taken_[at]++ < capacity_;
    balance_[at] += kBalance * kExperts / kShardImages * kPerImage;
}

Parcel DensePass::tokens() {
    std::vector<std::vector<std::size_t>> to(place_.size);
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
        route(tokens_[i]);
        const auto owner = muster::owner_of(tokens_[i].expert, place_.size, kExperts);
        if (tokens_[i].sent) to[owner.value].push_back(i);
    }
    Parcel parcel;
    for (std::size_t slot = 0; slot < to.size(); ++slot) {
        sent_counts_[slot] = static_cast<int>(to[slot].size());
        parcel.counts.push_back(sent_counts_[slot] * static_cast<int>(1 + kHidden));
        for (const auto i : to[slot]) {
            sent_.push_back(i);
            parcel.values.push_back(static_cast<float>(tokens_[i].expert));
            parcel.values.insert(parcel.values.end(), tokens_[i].hidden.begin(), tokens_[i].hidden.end());
        }
    }
    return parcel;
}

void DensePass::classify(const Parcel& answers) {
    for (std::size_t i = 0; i < sent_.size(); ++i)
        std::copy_n(&answers.values[i * kHidden], kHidden, tokens_[sent_[i]].answer.data());
    for (auto& token : tokens_) {
        token.output = token.hidden;
        if (token.sent)
            for (std::size_t h = 0; h < kHidden; ++h) token.output[h] += token.gates[token.expert] * token.answer[h];
        Head::forward(model_.dense.data() + kHeadAt, token.output.data(), token.classes.data());
        softmax(token.classes);
    }
}

std::uint32_t DensePass::count_right(const Parcel& answers) {
    classify(answers);
    const auto right = [](const Token& token) { return argmax(token.classes) == token.image->label; };
    return static_cast<std::uint32_t>(std::count_if(tokens_.begin(), tokens_.end(), right));
}

Parcel DensePass::errors(const Parcel& answers) {
    classify(answers);
    gradients_.assign(shards_ * kGradientSize, 0.0F);
    for (auto& token : tokens_) {
        float* gradient = &gradients_[token.shard * kGradientSize];
        gradient[kDenseSize] -= kPerImage * std::log(std::max(token.classes[token.image->label], 1e-30F));
        auto error = token.classes;
        error[token.image->label] -= 1;
        for (auto& value : error) value *= kPerImage;
        Head::add_gradient(token.output.data(), error.data(), gradient + kHeadAt);
        Head::add_input_gradient(model_.dense.data() + kHeadAt, error.data(), token.output_gradient.data());
    }
    Parcel parcel;
    for (const int count : sent_counts_) parcel.counts.push_back(count * static_cast<int>(kHidden));
    for (const auto i : sent_)
        for (const float value : tokens_[i].output_gradient)
            parcel.values.push_back(tokens_[i].gates[tokens_[i].expert] * value);
    return parcel;
}

void DensePass::go_back(const Token& token, float* gradient) const {
    std::array<float, kExperts> gates_gradient{};
    for (std::size_t e = 0; e < kExperts; ++e) {
        gates_gradient[e] = balance_[token.shard * kExperts + e];
        gradient[kDenseSize] += token.gates[e] * gates_gradient[e];
    }
    if (token.sent)
        for (std::size_t h = 0; h < kHidden; ++h)
            gates_gradient[token.expert] += token.output_gradient[h] * token.answer[h];
    float mean = 0;
    for (std::size_t e = 0; e < kExperts; ++e) mean += token.gates[e] * gates_gradient[e];
    for (std::size_t e = 0; e < kExperts; ++e) gates_gradient[e] = token.gates[e] * (gates_gradient[e] - mean);
    Router::add_gradient(token.hidden.data(), gates_gradient.data(), gradient + kRouterAt);

    auto hidden = token.hidden_gradient;
    for (std::size_t h = 0; h < kHidden; ++h) hidden[h] += token.output_gradient[h];
    Router::add_input_gradient(model_.dense.data() + kRouterAt, gates_gradient.data(), hidden.data());
    for (std::size_t h = 0; h < kHidden; ++h)
        if (token.hidden[h] <= 0) hidden[h] = 0;
    Stem::add_gradient(token.image->pixels.data(), hidden.data(), gradient);
}

std::vector<float> DensePass::gradients(const Parcel& token_gradients) {
    for (std::size_t i = 0; i < sent_.size(); ++i)
        std::copy_n(&token_gradients.values[i * kHidden], kHidden, tokens_[sent_[i]].hidden_gradient.data());
    for (const auto& token : tokens_) go_back(token, &gradients_[token.shard * kGradientSize]);
    return std::move(gradients_);
}

}  // namespace moe
