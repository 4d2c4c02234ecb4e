// SPDX-License-Identifier: Apache-2.0
#pragma once
/// How many world barriers this engine has crossed, so that the agent can take a true picture at any moment.
/// Intuition: as the ledger does for commits: one word; once the agent has frozen it no crossing counts until the
/// engine has taken the next round over, so nobody acts on a barrier that the survivors have not agreed on.
/// Thread safety: record and thaw belong to the engine thread, freeze to the agent's. Lock-free.

#include <atomic>
#include <cstdint>

namespace muster::agent {

class Crossings {
public:
    /// Barrier `number` is behind this engine. False where frozen: then it does not count.
    [[nodiscard]] bool record(std::uint64_t number) {
        std::uint64_t word = word_.load(std::memory_order_acquire);
        return (word & kFrozen) == 0 &&
               word_.compare_exchange_strong(word, number << kShift, std::memory_order_acq_rel);
    }
    [[nodiscard]] std::uint64_t freeze() { return word_.fetch_or(kFrozen, std::memory_order_acq_rel) >> kShift; }
    void thaw(std::uint64_t agreed) { word_.store(agreed << kShift, std::memory_order_release); }

private:
    static constexpr std::uint64_t kFrozen = 1;
    static constexpr int kShift = 1;
    std::atomic<std::uint64_t> word_{kFrozen};
};

}  // namespace muster::agent
