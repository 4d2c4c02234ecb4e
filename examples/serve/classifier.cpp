// SPDX-License-Identifier: Apache-2.0
#include "serve/classifier.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "moe/expert_pass.hpp"
#include "muster/vault.hpp"

namespace serve {
namespace {

constexpr float kBrightest = 16.0F;

Hidden hidden_of(std::span<const float> weights, const Picture& picture) {
    std::array<float, moe::kPixels> pixels{};
    for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<float>(picture[i]) / kBrightest;
    Hidden hidden;
    moe::Stem::forward(dense_of(weights), pixels.data(), hidden.values.data());
    for (auto& value : hidden.values) value = std::max(value, 0.0F);
    std::array<float, moe::kExperts> gates{};
    moe::Router::forward(dense_of(weights) + moe::kRouterAt, hidden.values.data(), gates.data());
    const auto best = std::max_element(gates.begin(), gates.end());
    hidden.expert = static_cast<std::uint32_t>(best - gates.begin());
    float sum = 0;
    for (const float gate : gates) sum += std::exp(gate - *best);
    hidden.gate = 1 / sum;
    return hidden;
}

/// Head over hidden + gate * expert(hidden).
std::uint32_t decide(std::span<const float> weights, const Hidden& hidden, const float* answer) {
    std::array<float, moe::kHidden> output{};
    for (std::size_t h = 0; h < output.size(); ++h) output[h] = hidden.values[h] + hidden.gate * answer[h];
    std::array<float, moe::kClasses> classes{};
    moe::Head::forward(dense_of(weights) + moe::kHeadAt, output.data(), classes.data());
    return static_cast<std::uint32_t>(std::max_element(classes.begin(), classes.end()) - classes.begin());
}

}  // namespace

Picture picture_of(const moe::Image& image) {
    Picture picture{};
    for (std::size_t i = 0; i < picture.size(); ++i)
        picture[i] = static_cast<std::byte>(std::lround(image.pixels[i] * kBrightest));
    return picture;
}

struct Cache::Entry {
    std::uint32_t full;  ///< 0: nothing here.
    Picture picture;
    Hidden hidden;
};

Cache::Cache(std::span<std::byte> memory)
    : entries_(reinterpret_cast<Entry*>(memory.data()), memory.size() / sizeof(Entry)) {
    static_assert(std::is_trivially_copyable_v<Entry>);
}

/// Each picture has one place (64-bit FNV-1a); whoever comes later to the same place takes it.
Cache::Entry& Cache::entry_of(const Picture& picture) const {
    std::uint64_t hash = 0xcbf29ce484222325ULL;
    for (const auto byte : picture) hash = (hash ^ std::to_integer<std::uint64_t>(byte)) * 0x100000001b3ULL;
    return entries_[hash % entries_.size()];
}

const Hidden* Cache::find(const Picture& picture) const {
    if (entries_.empty()) return nullptr;
    const Entry& entry = entry_of(picture);
    return entry.full != 0 && entry.picture == picture ? &entry.hidden : nullptr;
}

void Cache::keep(const Picture& picture, const Hidden& hidden) {
    if (!entries_.empty()) entry_of(picture) = {.full = 1, .picture = picture, .hidden = hidden};
}

void Cache::take_memory() {
    for (auto& entry : entries_) *static_cast<volatile std::uint32_t*>(&entry.full) = 0;
}

Pass::Pass(std::span<const float> weights, Cache& cache, moe::Place place)
    : weights_(weights), cache_(cache), place_(place) {}

void Pass::add(const Picture& picture) {
    if (const auto* known = cache_.find(picture)) {
        hidden_.push_back(*known);
        return;
    }
    hidden_.push_back(hidden_of(weights_, picture));
    cache_.keep(picture, hidden_.back());
}

moe::Parcel Pass::tokens() {
    std::vector<std::vector<std::size_t>> to(place_.size);
    for (std::size_t i = 0; i < hidden_.size(); ++i)
        to[muster::owner_of(hidden_[i].expert, place_.size, moe::kExperts).value].push_back(i);
    moe::Parcel parcel;
    for (const auto& pictures : to) {
        parcel.counts.push_back(static_cast<int>(pictures.size() * moe::kTokenSize));
        for (const auto i : pictures) {
            sent_.push_back(i);
            parcel.values.push_back(static_cast<float>(hidden_[i].expert));
            parcel.values.insert(parcel.values.end(), hidden_[i].values.begin(), hidden_[i].values.end());
        }
    }
    return parcel;
}

std::vector<std::uint32_t> Pass::classes(const moe::Parcel& answers) const {
    std::vector<std::uint32_t> classes(hidden_.size());
    for (std::size_t i = 0; i < sent_.size(); ++i)
        classes[sent_[i]] = decide(weights_, hidden_[sent_[i]], &answers.values[i * moe::kHidden]);
    return classes;
}

moe::Parcel expert_answers(std::span<const float> weights, const moe::Parcel& tokens) {
    const auto count = tokens.values.size() / moe::kTokenSize;
    moe::Parcel answers{.counts = tokens.counts, .values = std::vector<float>(count * moe::kHidden)};
    for (auto& n : answers.counts) n = n / static_cast<int>(moe::kTokenSize) * static_cast<int>(moe::kHidden);
    for (std::size_t i = 0; i < count; ++i) {
        const float* token = &tokens.values[i * moe::kTokenSize];
        const float* expert = expert_of(weights, static_cast<std::uint32_t>(token[0]));
        std::array<float, moe::kHidden> middle{};
        moe::Layer::forward(expert, token + 1, middle.data());
        for (auto& value : middle) value = std::max(value, 0.0F);
        moe::Layer::forward(expert + moe::kSecondAt, middle.data(), &answers.values[i * moe::kHidden]);
    }
    return answers;
}

std::uint32_t class_of(std::span<const float> weights, const Picture& picture) {
    Cache none({});
    Pass pass(weights, none, {});
    pass.add(picture);
    return pass.classes(expert_answers(weights, pass.tokens())).front();
}

}  // namespace serve
