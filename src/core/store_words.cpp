// SPDX-License-Identifier: Apache-2.0
#include "core/store_words.hpp"

#include <algorithm>

#include "core/store_state.hpp"

namespace muster::core {
namespace {

constexpr std::size_t kOpenCost = 512;   // Of an open call: its places in four indices.
constexpr std::size_t kNamedCost = 128;  // Of each key that it names, beside twice the key's bytes.

std::optional<std::string> objection_to_key(const std::string& key) {
    if (key.empty()) return "a key must have at least one byte";
    if (key.size() <= kStoreKeyMax) return std::nullopt;
    return "key " + in_quotes(key) + " has " + std::to_string(key.size()) + " bytes, more than " +
           std::to_string(kStoreKeyMax);
}

std::optional<std::string> objection_to_value(const std::string& key, std::size_t size) {
    if (size <= kStoreValueMax) return std::nullopt;
    return "the value for key " + in_quotes(key) + " has " + std::to_string(size) + " bytes, more than " +
           std::to_string(kStoreValueMax);
}

/// Bytes of the values that a call brings, the largest and all.
struct Sizes {
    std::size_t largest = 0, sum = 0;
};

Sizes sizes_of(const StoreOperation& operation) {
    if (const auto* set = std::get_if<store::Set>(&operation)) return {set->value->size(), set->value->size()};
    if (const auto* swap = std::get_if<store::CompareSet>(&operation)) {
        return {std::max(swap->expected.size(), swap->desired->size()), swap->expected.size() + swap->desired->size()};
    }
    return {};
}

}  // namespace

std::vector<std::string> keys_of(const StoreOperation& operation) {
    return std::visit(
        [](const auto& what) -> std::vector<std::string> {
            if constexpr (requires { what.key; }) return {what.key};
            if constexpr (requires { what.keys; }) {
                auto keys = what.keys;
                std::sort(keys.begin(), keys.end());
                keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
                return keys;
            }
            return {};
        },
        operation);
}

std::string listed(const std::vector<std::string>& keys) {
    std::string text;
    for (std::size_t i = 0; i < std::min(keys.size(), kNamedMax); ++i) text += (i > 0 ? ", " : "") + in_quotes(keys[i]);
    if (keys.size() > kNamedMax) text += " and " + std::to_string(keys.size() - kNamedMax) + " more";
    return text;
}

std::optional<std::string> objection_to(const StoreOperation& operation) {
    const auto keys = keys_of(operation);
    if (keys.size() > kStoreWaitKeysMax) {
        return "a wait for " + std::to_string(keys.size()) + " keys (" + listed(keys) + "): more than " +
               std::to_string(kStoreWaitKeysMax);
    }
    for (const auto& key : keys)
        if (auto objection = objection_to_key(key)) return objection;
    return keys.empty() ? std::nullopt : objection_to_value(keys.front(), sizes_of(operation).largest);
}

std::string outdated(const StoreCall& call, Round now) {
    const auto keys = keys_of(call.operation);
    std::string text = "the store is";
    if (keys.size() == 1) text = "key " + listed(keys) + " is";
    if (keys.size() > 1) text = "keys " + listed(keys) + " are";
    return text + " of round " + std::to_string(call.round.value) + ", the job is in round " +
           std::to_string(now.value);
}

std::size_t open_cost_of(const StoreCall& call) {
    std::size_t cost = kOpenCost + sizes_of(call.operation).sum;
    for (const auto& key : keys_of(call.operation)) cost += kNamedCost + 2 * key.size();
    return cost;
}

}  // namespace muster::core
