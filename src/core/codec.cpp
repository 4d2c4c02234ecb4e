// SPDX-License-Identifier: Apache-2.0
#include "core/codec.hpp"

namespace muster::core {

void Writer::little(std::uint64_t value, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) bytes_.push_back(static_cast<std::byte>((value >> (8 * i)) & 0xff));
}

void Writer::text(const std::string& value) {
    u32(static_cast<std::uint32_t>(value.size()));
    for (const char c : value) bytes_.push_back(static_cast<std::byte>(c));
}

void Writer::blob(std::span<const std::byte> value) {
    u32(static_cast<std::uint32_t>(value.size()));
    bytes_.insert(bytes_.end(), value.begin(), value.end());
}

std::uint64_t Reader::little(std::size_t size) {
    if (!ok_ || rest_.size() < size) {
        ok_ = false;
        return 0;
    }
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i) value |= std::to_integer<std::uint64_t>(rest_[i]) << (8 * i);
    rest_ = rest_.subspan(size);
    return value;
}

std::uint32_t Reader::count(std::size_t size_min) {
    const std::uint32_t value = u32();
    if (ok_ && size_min > 0 && value > rest_.size() / size_min) ok_ = false;
    return ok_ ? value : 0;
}

std::string Reader::text() {
    const std::uint32_t size = count(1);
    std::string value;
    value.reserve(size);
    for (std::uint32_t i = 0; i < size; ++i) value.push_back(static_cast<char>(rest_[i]));
    rest_ = rest_.subspan(size);
    return value;
}

Bytes Reader::blob() {
    const auto here = rest_.first(count(1));
    rest_ = rest_.subspan(here.size());
    return {here.begin(), here.end()};
}

std::uint64_t hash_of(std::span<const std::byte> bytes) {
    std::uint64_t hash = 0xcbf29ce484222325ULL;
    for (const std::byte b : bytes) hash = (hash ^ std::to_integer<std::uint64_t>(b)) * 0x100000001b3ULL;
    return hash;
}

}  // namespace muster::core
