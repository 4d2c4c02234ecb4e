// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Numbers and texts as bytes: little-endian, lengths before contents, nothing aligned.
/// Intuition: a Writer appends, a Reader takes from the front and remembers whether anything was missing.
/// Errors: a Reader never reads past its end; after the first short read ok() is false and every value is zero.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "muster/types.hpp"

namespace muster::core {

using Bytes = std::vector<std::byte>;

class Writer {
public:
    void u8(std::uint8_t value) { little(value, 1); }
    void u32(std::uint32_t value) { little(value, 4); }
    void u64(std::uint64_t value) { little(value, 8); }
    void text(const std::string& value);
    void blob(std::span<const std::byte> value);
    void flag(bool value) { u8(value ? 1 : 0); }
    template <class Tag, class Value>
    void id(Id<Tag, Value> value) {
        little(value.value, sizeof(Value));
    }
    template <class Tag, class Value>
    void maybe(const std::optional<Id<Tag, Value>>& value) {
        u8(value ? 1 : 0);
        id(value.value_or(Id<Tag, Value>{}));
    }
    [[nodiscard]] Bytes take() { return std::move(bytes_); }

private:
    void little(std::uint64_t value, std::size_t size);
    Bytes bytes_;
};

class Reader {
public:
    explicit Reader(std::span<const std::byte> bytes) : rest_(bytes) {}
    [[nodiscard]] std::uint8_t u8() { return static_cast<std::uint8_t>(little(1)); }
    [[nodiscard]] std::uint32_t u32() { return static_cast<std::uint32_t>(little(4)); }
    [[nodiscard]] std::uint64_t u64() { return little(8); }
    /// Anything but 0 and 1 is no flag: an error, as a short read is.
    [[nodiscard]] bool flag() {
        const auto value = u8();
        if (value > 1) ok_ = false;
        return value == 1;
    }
    [[nodiscard]] std::string text();
    [[nodiscard]] Bytes blob();
    template <class IdType>
    [[nodiscard]] IdType id() {
        using Value = decltype(IdType::value);
        return IdType{static_cast<Value>(little(sizeof(Value)))};
    }
    template <class IdType>
    [[nodiscard]] std::optional<IdType> maybe() {
        const auto there = u8();
        const auto value = id<IdType>();
        if (there > 1 || (there == 0 && value != IdType{})) ok_ = false;
        return there == 1 ? std::optional<IdType>(value) : std::nullopt;
    }
    /// A count of things of at least `size_min` bytes each: more than could follow is an error, not an allocation.
    [[nodiscard]] std::uint32_t count(std::size_t size_min);
    [[nodiscard]] bool ok() const { return ok_; }
    [[nodiscard]] bool finished() const { return ok_ && rest_.empty(); }

private:
    std::uint64_t little(std::size_t size);
    std::span<const std::byte> rest_;
    bool ok_ = true;
};

/// 64-bit FNV-1a: tells two blobs or two configurations apart; no defence against intent.
[[nodiscard]] std::uint64_t hash_of(std::span<const std::byte> bytes);

}  // namespace muster::core
