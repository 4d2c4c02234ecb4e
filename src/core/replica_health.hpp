// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Which replicas have to be asked whether they are well, and which are not; and how often a start may fail.
/// Intuition: each is asked every 10 s; three bad answers in a row, or none within the limit, make it unhealthy.
/// Shape: watch() and forget() follow the set of running replicas; due() says whom to ask now; answered() counts.
/// Units: milliseconds. Errors: an answer for nobody, or that nobody has asked for, is dropped. Thread safety: none.
/// Source: later Ray (acceptance, "Later versions").

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace muster::core {

struct HealthSettings {
    std::uint64_t every_ms = 10'000;
    std::uint64_t limit_ms = 30'000;  ///< No answer for so long counts as a bad one.
    std::uint32_t unhealthy_after = 3;
};

constexpr std::uint32_t kStartRetriesEach = 3;
constexpr std::uint32_t kStartRetriesMax = 20;

/// Starts that may fail before it is given up: 3 for each replica that is wanted, 20 in all.
[[nodiscard]] constexpr std::uint32_t start_failures_max(std::uint32_t wanted) {
    return std::min(kStartRetriesMax, kStartRetriesEach * std::clamp(wanted, 1U, kStartRetriesMax));
}

template <class Name>
class ReplicaHealth {
public:
    explicit ReplicaHealth(const HealthSettings& settings) : settings_(settings) {}

    /// From now on it is asked, first after one period. Again for one that is watched: nothing changes.
    void watch(const Name& name, std::uint64_t now_ms) { watched_.try_emplace(name, Watched{now_ms, std::nullopt, 0}); }
    void forget(const Name& name) { watched_.erase(name); }

    /// Whom to ask now; counts them as asked. Where the last question is still open nobody is asked again.
    [[nodiscard]] std::vector<Name> due(std::uint64_t now_ms) {
        std::vector<Name> names;
        for (auto& [name, one] : watched_) {
            if (one.asked_ms || now_ms - one.last_ms < settings_.every_ms) continue;
            one.asked_ms = now_ms;
            names.push_back(name);
        }
        return names;
    }

    void answered(const Name& name, bool well, std::uint64_t now_ms) {
        const auto found = watched_.find(name);
        if (found == watched_.end() || !found->second.asked_ms) return;
        count(found->second, well, now_ms);
    }

    /// Who is unhealthy; also counts those who have not answered in time.
    [[nodiscard]] std::vector<Name> unhealthy(std::uint64_t now_ms) {
        std::vector<Name> names;
        for (auto& [name, one] : watched_) {
            if (one.asked_ms && now_ms - *one.asked_ms >= settings_.limit_ms) count(one, false, now_ms);
            if (one.bad_in_a_row >= settings_.unhealthy_after) names.push_back(name);
        }
        return names;
    }

private:
    struct Watched {
        std::uint64_t last_ms = 0;                ///< When it began to be watched, or was last asked.
        std::optional<std::uint64_t> asked_ms{};  ///< A question is open since then.
        std::uint32_t bad_in_a_row = 0;
    };
    void count(Watched& one, bool well, std::uint64_t now_ms) {
        one.last_ms = std::exchange(one.asked_ms, std::nullopt).value_or(now_ms);
        one.bad_in_a_row = well ? 0 : one.bad_in_a_row + 1;
    }

    HealthSettings settings_;
    std::map<Name, Watched> watched_;
};

}  // namespace muster::core
