// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Time as the rendezvous sees it: whole microseconds, so that "exactly 15 s old" is exact.
/// Intuition: a moment is the time since an epoch that all who share a rendezvous agree on; a span is a difference of
/// moments; one type for both. Nothing here asks a clock. Units: microseconds; the source's datetimes have the same.
/// Errors: sums and products that leave the range stop at its ends instead of wrapping. Thread safety: plain values.

#include <compare>
#include <cstdint>
#include <limits>
#include <string>

namespace muster::core::rendezvous {

struct Time {
    std::int64_t micros = 0;
    auto operator<=>(const Time&) const = default;
};

constexpr Time kTimeMax{std::numeric_limits<std::int64_t>::max()};
constexpr Time kTimeMin{std::numeric_limits<std::int64_t>::min()};

constexpr Time seconds(std::int64_t count) { return {count * 1'000'000}; }
constexpr Time millis(std::int64_t count) { return {count * 1'000}; }

constexpr Time operator+(Time a, Time b) {
    Time sum;
    if (__builtin_add_overflow(a.micros, b.micros, &sum.micros)) return b.micros < 0 ? kTimeMin : kTimeMax;
    return sum;
}
constexpr Time operator-(Time a, Time b) {
    Time difference;
    if (__builtin_sub_overflow(a.micros, b.micros, &difference.micros)) return b.micros > 0 ? kTimeMin : kTimeMax;
    return difference;
}
constexpr Time operator*(Time span, std::int64_t count) {
    Time product;
    if (__builtin_mul_overflow(span.micros, count, &product.micros))
        return (span.micros < 0) == (count < 0) ? kTimeMax : kTimeMin;
    return product;
}

/// A span as the source's error texts have it: "0:00:30", "1 day, 0:00:00", "-1 day, 23:59:59.500000".
[[nodiscard]] std::string text_of(Time span);

}  // namespace muster::core::rendezvous
