// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What this engine has committed and what it is committing, so that the agent can take a true picture at any moment.
/// Intuition: two entries and one word. The engine fills the free entry, says "attempting", and after the agreement
/// flips the word; the agent freezes the word, and from then on no commit can succeed until the engine has thawed it.
/// Thread safety: begin, record and thaw belong to the engine thread, freeze and entry_of to the agent's thread;
/// committed() to either. Lock-free; a commit allocates only where a blob grows.

#include <array>
#include <atomic>
#include <optional>
#include <span>

#include "core/codec.hpp"
#include "muster/types.hpp"

namespace muster::agent {

class Ledger {
public:
    struct Entry {
        Step step;
        Round round;
        core::Bytes blob;
    };
    struct Picture {
        std::optional<Step> committed, attempted;
        Round committed_in;
    };

    [[nodiscard]] bool begin(Step step, Round round, std::span<const std::byte> blob);  ///< False where frozen.
    [[nodiscard]] bool record();                                                        ///< False where frozen.
    [[nodiscard]] Picture freeze();
    /// Takes the agreed step over: keeps or goes forward to it where this member has it, else holds nothing.
    void thaw(const std::optional<Step>& agreed);

    [[nodiscard]] std::optional<Step> committed() const;
    /// The entry of a step that this member has committed or attempted; nullptr otherwise. Only while frozen.
    [[nodiscard]] const Entry* entry_of(Step step) const;

private:
    static constexpr std::uint32_t kFrozen = 1, kAttempting = 2, kIndex = 4, kHas = 8;
    [[nodiscard]] static std::size_t index_of(std::uint32_t word) { return (word & kIndex) != 0 ? 1 : 0; }
    std::array<Entry, 2> entries_;
    std::atomic<std::uint32_t> word_{0};
};

}  // namespace muster::agent
