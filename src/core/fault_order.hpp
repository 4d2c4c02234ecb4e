// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Faults to order: the words of `muster run --inject` and MUSTER_INJECT as values. Pure.
/// Intuition: who (a rank), what (a kind), when (a trigger): "kill:rank=3@step=120; stop:rank=2@time=2.5s:0.5".
/// Grammar, spaces around each order left out:
///
///     ORDERS  = ORDER (";" ORDER)*
///     ORDER   = KIND ":rank=" (NUMBER | "any") "@" TRIGGER [":" AMOUNT]
///     KIND    = kill | stop | slow | exit0 | abort | segv
///     TRIGGER = step=NUMBER | time=DURATION | state=STATE[#NTH] | point=POINT[#NTH]
///             | rate=PER_SECOND/s[,seed=NUMBER][,max=NUMBER]
///     ORDER   = crash-after-checkpoint=CHANCE[,max=NUMBER][:exit | :kill]    (R5: whoever coordinates; exit is exit0)
///     AMOUNT  = seconds for stop (none: for ever), milliseconds for slow (must be there)
///     DURATION = 2.5s | 250ms
///
/// "any" goes with a rate and with nothing else. Units: microseconds. Thread safety: plain values.
/// Errors: bad_setup; the text names the part that is wrong and says what it may be.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "muster/lifecycle.hpp"
#include "muster/types.hpp"

namespace muster::core {

enum class FaultKind {
    kill,   ///< SIGKILL.
    stop,   ///< SIGSTOP; SIGCONT after FaultOrder::amount_us, where that is not 0.
    slow,   ///< From then on each turn takes amount_us longer.
    exit0,  ///< exit(0) on the engine's thread.
    abort,  ///< SIGABRT.
    segv,   ///< SIGSEGV.
};
[[nodiscard]] const char* name_of(FaultKind kind);
/// A process that meets it is no member any more.
[[nodiscard]] constexpr bool ends_the_process(FaultKind kind) {
    return kind != FaultKind::stop && kind != FaultKind::slow;
}

struct AtStep {
    std::uint64_t step = 0;  ///< As given to Session::commit(): on entering it.
};
struct AtTime {
    std::uint64_t after_us = 0;  ///< Since the rank's first round.
};
struct AtState {
    State state = State::running;
    std::uint32_t nth = 1;  ///< The n-th time that the rank comes to it.
};
struct AtPoint {
    std::string point;
    std::uint32_t nth = 1;
};
struct AtRandom {
    double per_second = 0;  ///< Of the whole job where the rank is any. See fault_draw.hpp.
    std::uint64_t seed = 1;
    std::optional<std::uint32_t> most{};  ///< Faults of this order in the whole job.
};

/// Each time that the controller's state has been made safe.
struct AtCheckpoint {
    double chance = 0;
    std::optional<std::uint32_t> most{};  ///< Deaths in the whole job: only ranks below it die. Coordinators are the
                                          ///< lowest, so the next one is always another.
};

struct FaultOrder {
    FaultKind kind = FaultKind::kill;
    std::optional<Rank> rank{};  ///< Nothing: any.
    std::variant<AtStep, AtTime, AtState, AtPoint, AtRandom, AtCheckpoint> when{};
    std::uint64_t amount_us = 0;
    std::string text{};  ///< As it was written.
};

[[nodiscard]] Result<std::vector<FaultOrder>> parse_fault_orders(std::string_view text);

/// Which order names a rank that a job of so many ranks lacks; empty: none.
[[nodiscard]] std::string complaint_about_ranks(const std::vector<FaultOrder>& orders, std::uint32_t ranks);

/// Does one of them stop a process and never let it go on?
[[nodiscard]] bool stops_for_ever(const std::vector<FaultOrder>& orders);

}  // namespace muster::core
