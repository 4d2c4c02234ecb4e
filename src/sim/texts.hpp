// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Values that simulated programs write are texts.

#include <string>

#include "core/codec.hpp"

namespace muster::sim {

[[nodiscard]] inline core::Bytes bytes_of(const std::string& text) {
    const auto* begin = reinterpret_cast<const std::byte*>(text.data());
    return {begin, begin + text.size()};
}

[[nodiscard]] inline std::string text_of(const core::Bytes& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace muster::sim
