// SPDX-License-Identifier: Apache-2.0
#pragma once
/// One value that calls write, as outsiders can know it: they see when a call began and when it was answered, nothing
/// of the order in between. So there may be several values that are right at a moment, and there is surely no other.
/// Intuition: a call that was answered "done" before another one began was overwritten by that one, once that is done.
/// An era ends when all who held the state are gone: what was done in it may be there or not.
/// Units: ticks. Thread safety: none.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace muster::sim {

using Written = std::optional<std::string>;  ///< Nothing: it is not there.

class WrittenValue {
public:
    /// A call begins; its place, for done() and refused(). Until one of them it may be done at any time.
    [[nodiscard]] std::size_t write(Written value, std::uint64_t now) {
        writes_.push_back({.value = std::move(value), .begun = now});
        return writes_.size() - 1;
    }
    void done(std::size_t place, std::uint64_t now, std::uint64_t era) {
        writes_[place].done = now;
        writes_[place].era = era;
    }
    void refused(std::size_t place) { writes_[place].is_refused = true; }

    /// May whoever looks between `since` and now see a value for which `is_it` says yes? `also`: of the calls that may
    /// have overwritten it those count that wrote such a value.
    template <class IsIt, class Also>
    [[nodiscard]] bool may_be(IsIt is_it, std::uint64_t since, std::uint64_t era, Also also) const {
        return std::any_of(writes_.begin(), writes_.end(), [&](const Write& one) {
            return !one.is_refused && is_it(one.value) && !is_overwritten(one, since, era, also);
        });
    }
    [[nodiscard]] bool may_be(const Written& value, std::uint64_t since, std::uint64_t era) const {
        return may_be([&](const Written& one) { return one == value; }, since, era,
                      [](const Written&) { return true; });
    }

private:
    struct Write {
        Written value{};
        std::uint64_t begun = 0;
        std::optional<std::uint64_t> done{};
        std::uint64_t era = 0;  ///< In which it was done.
        bool is_refused = false;
    };
    template <class Also>
    [[nodiscard]] bool is_overwritten(const Write& old, std::uint64_t since, std::uint64_t era, Also also) const {
        return old.done && std::any_of(writes_.begin(), writes_.end(), [&](const Write& one) {
                   return one.done && one.era == era && *one.done < since && one.begun > *old.done && also(one.value);
               });
    }

    std::vector<Write> writes_{{.value = std::nullopt, .begun = 0, .done = 0}};  ///< At first it is not there.
};

}  // namespace muster::sim
