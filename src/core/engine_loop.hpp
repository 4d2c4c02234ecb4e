// SPDX-License-Identifier: Apache-2.0
#pragma once
/// One engine rank's loop as a machine: what to do next, from the call of next() to the turn that the program gets.
/// Intuition: the driver asks begin(), carries one order out, answers with its result, gets the next order, until an
/// order is a turn for the program (forward, dummy_forward, suspend, resume) or the end.
///
///     begin -> take_batch -> batch() -> vote -> counted() -> forward | dummy_forward | rest | barrier | ...
///     rest -> woken() -> take_batch -> batch() -> vote (RUNNING, PAUSING) | rest | barrier | ...
///     barrier -> crossed() -> (held signals) -> take_batch | barrier | suspend | finish
///     suspend, resume: the program's turn; its next begin() leads to the barrier.
///
/// At most one signal is taken a turn, after all data of that turn (M19). Votes: [work, flag, check, -check], MAX over
/// the lockstep group; check is a hash of (round, barriers crossed, vote number, last decision), so that members whose
/// turns differ see it at once. Overlapped: the vote for the next turn is posted before the forward and read after it;
/// the first vote of a wave, of a round and after a barrier is blocking; nothing is outstanding in rest or barrier.
/// Errors: an answer that does not fit the order is a bug in the driver and stops the process (MUSTER_ASSERT).
/// Thread safety: none; the engine thread owns it. No allocation in a turn without a signal.

#include <array>
#include <cstdint>
#include <optional>

#include "core/lifecycle.hpp"
#include "muster/config.hpp"
#include "muster/types.hpp"

namespace muster::core {

using Votes = std::array<std::int64_t, 4>;

struct LoopSettings {
    ConsensusMode mode = ConsensusMode::blocking;
    std::uint32_t every = 1;  ///< A vote every so many turns; between them the last decision holds. At least 1.
    bool stay = false;        ///< After stop: rest until a start instead of finish.
};

/// What the driver does next.
struct Order {
    enum Kind : std::uint8_t {
        take_batch,     ///< Answer batch(): what is here now.
        vote,           ///< All-reduce `votes` over the group, blocking. Answer counted().
        read_vote,      ///< Wait for the vote that was posted before. Answer counted().
        forward,        ///< To the program. Where `post` is set, post `votes` first.
        dummy_forward,  ///< The same.
        rest,           ///< Wait for news here (a signal that was not taken, a request that came after the last
                        ///< batch) or for a wake with number >= `number`. Answer woken(). In RUNNING and PAUSING a
                        ///< vote of the whole group follows, so whoever leaves the rest for news wakes the group for
                        ///< `number` first; elsewhere only this engine goes on. Where `wake` is set, there is news
                        ///< that the last vote did not hold: do not wait, wake the group.
        suspend,        ///< To the program: release what it holds. Its next begin() goes on.
        resume,         ///< To the program: take it again.
        barrier,        ///< World barrier `number`. Answer crossed().
        finish,         ///< The loop is over.
        drift,          ///< Members of the group are not in the same turn; vote `number` did not agree. No answer.
    };
    Kind kind = take_batch;
    bool post = false;
    bool wake = false;
    Votes votes{};
    std::uint64_t number = 0;  ///< vote, read_vote, drift: of the vote in this round, from 1. barrier: from 1. rest: of
                               ///< the wake; grows over rounds and barriers, so that a late wake is known by it.
};

struct Batch {
    std::optional<Signal> signal;  ///< The oldest signal that has not been taken.
    std::uint64_t work = 0;        ///< Requests pending here, those of this batch included. always_busy: at least 1.
};

class EngineLoop {
public:
    explicit EngineLoop(LoopSettings settings);

    [[nodiscard]] Order begin();
    [[nodiscard]] Order batch(const Batch& batch);
    [[nodiscard]] Order counted(const Votes& result);
    [[nodiscard]] Order woken();
    [[nodiscard]] Order crossed();

    /// A new round, after any order: everything in flight is gone. `crossed` barriers are behind all members; signals
    /// after that come again in batches. The next call is begin().
    /// A wave that was interrupted is over; `wave`: above all that the survivors know of.
    void rebuilt(Round round, std::uint64_t crossed, State stable, std::int64_t wave = 0);

    [[nodiscard]] const EngineLifecycle& lifecycle() const { return lifecycle_; }
    [[nodiscard]] std::uint64_t barriers_crossed() const { return crossed_; }
    [[nodiscard]] std::uint64_t votes_counted() const { return vote_; }  ///< In this round.
    /// Which wave the group is in (awake), or will be in when it is woken by work. Counted by each member from the
    /// group's votes, so without a message. Never goes back.
    [[nodiscard]] std::int64_t wave() const { return wave_; }
    [[nodiscard]] bool awake() const { return awake_; }
    [[nodiscard]] std::uint64_t signals_taken() const { return taken_; }  ///< Since the last rebuilt().
    /// A signal that the lifecycle refused in the last batch() or crossed(): its outcome, once; for the log.
    [[nodiscard]] std::optional<Outcome> take_refusal();

private:
    [[nodiscard]] Order give(Order order);
    [[nodiscard]] Order turn();
    [[nodiscard]] Order apply(Signal signal);
    [[nodiscard]] Order vote();
    [[nodiscard]] Order decide(Consensus decision);
    [[nodiscard]] Order rest(bool wake);
    [[nodiscard]] Order to_program(Order::Kind kind);
    [[nodiscard]] Order order_of(const Outcome& outcome);
    [[nodiscard]] Votes next_votes() const;
    [[nodiscard]] bool votes_now() const;
    [[nodiscard]] bool news_for_group() const;

    LoopSettings settings_;
    EngineLifecycle lifecycle_;
    Round round_;
    std::uint64_t crossed_ = 0;
    std::uint64_t vote_ = 0;  ///< Votes counted in this round. Equal on all members of a group between two turns.
    std::uint64_t taken_ = 0;
    std::int64_t wave_ = 0;
    bool awake_ = false;
    std::uint64_t work_ = 0;                ///< As of the last batch.
    Consensus decision_ = Consensus::none;  ///< Of the last vote since the last barrier.
    bool outstanding_ = false;              ///< A vote is posted and not read. Only while the program has its turn.
    bool fresh_ = false;                    ///< The decision was read in this turn and not acted on yet.
    std::uint32_t until_vote_ = 0;          ///< Turns that repeat the last decision, before the next vote.
    Votes voted_{};                         ///< What was given in the last vote.
    std::optional<Outcome> refusal_;
    Order::Kind expected_ = Order::forward;  ///< The order that is under way.
};

}  // namespace muster::core
