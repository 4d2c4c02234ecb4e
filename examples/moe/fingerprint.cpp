// SPDX-License-Identifier: Apache-2.0
#include "moe/fingerprint.hpp"

#include <array>
#include <cstdio>
#include <span>

namespace moe {
namespace {

std::uint64_t add_bytes(std::uint64_t hash, std::span<const std::byte> bytes) {
    for (const auto byte : bytes) hash = (hash ^ static_cast<std::uint64_t>(byte)) * 0x100000001b3ULL;
    return hash;
}

}  // namespace

std::uint64_t fingerprint(const State& state, std::uint64_t hash) {
    return add_bytes(hash, std::as_bytes(std::span(state)));
}

std::vector<std::uint64_t> expert_fingerprints(const Model& model) {
    std::vector<std::uint64_t> hashes;
    for (const auto& expert : model.experts) hashes.push_back(fingerprint(expert));
    return hashes;
}

std::string fingerprint_text(const State& dense, const std::vector<std::uint64_t>& experts) {
    const auto hash = add_bytes(fingerprint(dense), std::as_bytes(std::span(experts)));
    std::array<char, 17> text{};
    std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(hash));
    return text.data();
}

}  // namespace moe
