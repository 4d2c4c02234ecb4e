// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The driver of core::EngineLoop: votes, barriers, batches and rests of one engine rank, over the round's
/// communicators.
/// Intuition: it decides nothing; the loop says what is next, this carries it out and reports back, until there is a
/// turn for the program. Whatever fails means that the round is broken: the caller waits for the next one.
/// Thread safety: engine thread only.

#include <mpi.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/inbox.hpp"
#include "agent/mailbox.hpp"
#include "agent/watchdog.hpp"
#include "core/engine_loop.hpp"
#include "muster/session.hpp"
#include "session/stage.hpp"

namespace muster {

/// What the driver works with. All of it outlives the driver.
struct TurnSurroundings {
    const Config& config;
    agent::Mailbox& mailbox;
    agent::Inbox& inbox;
    agent::Watchdog& watchdog;
    Stage& stage;
    std::function<void()>
        chores;                  ///< What the agent wants of the engine thread between two turns; empty: nothing ever.
    std::function<void()> pump;  ///< Does the agent's work where it has no thread of its own; else empty.
    std::function<void(ExitCode, const std::string&)> stop;
};

class Turns {
public:
    explicit Turns(TurnSurroundings around);

    /// A new round. `self` may be an engine in it or not.
    void enter(const agent::Handover& round, const World& world);

    /// The program's next turn; `ended` after a stop; nothing where the round is broken.
    [[nodiscard]] std::optional<Turn> next();
    /// The program was told to suspend and not yet to resume: it must hear that before it hears of a new round.
    [[nodiscard]] bool suspended() const { return told_suspended_; }
    [[nodiscard]] Turn resume();

    [[nodiscard]] Result<Done> reply(const Request& request, std::span<const std::byte> bytes);
    void manage(Buffer& buffer) { buffers_.push_back(&buffer); }
    void unmanage(Buffer& buffer) { std::erase(buffers_, &buffer); }
    [[nodiscard]] const TurnCounts& counts() const { return counts_; }

private:
    using Key = std::pair<Rank, RequestId>;

    // turns.cpp: the loop, votes, rest.
    std::optional<core::Order> carry_out(const core::Order& order);
    std::optional<Turn> turn_of(const core::Order& order);
    std::optional<core::Votes> vote(const core::Votes& votes);
    bool post(const core::Votes& votes);
    std::optional<core::Votes> read_vote();
    bool rest(const core::Order& order);
    void report_drift(std::uint64_t number);
    bool broken(int code, const char* what);
    void show();
    void tell_crossed(std::uint64_t barrier, State reached);

    // turns_barrier.cpp: barriers, buffers.
    bool barrier(std::uint64_t number);
    bool await(MPI_Request& request, const char* what);
    void release_buffers();
    void restore_buffers();

    // turns_batch.cpp: what comes in.
    std::optional<core::Batch> take_batch();
    std::optional<core::SignalEntry> collect(std::vector<Request>& into);
    bool hear_of(std::uint64_t signal);
    bool share(std::optional<core::SignalEntry>& signal, std::vector<Request>& requests);
    [[nodiscard]] bool news_here() const;
    [[nodiscard]] bool votes_with_group() const;

    TurnSurroundings around_;
    core::EngineLoop loop_;
    std::shared_ptr<mpi::RoundComms> comms_;
    bool receives_ = true;  ///< Lowest rank of its engine.
    int group_ranks_ = 1;   ///< Members of the lockstep group.

    std::uint64_t next_signal_ = 0;   ///< Signals up to here have been taken.
    std::uint64_t told_crossed_ = 0;  ///< Barriers that the program has heard of.
    std::uint64_t looked_ = 0;        ///< Inbox news as of the last look.
    bool more_signals_ = false;
    std::uint64_t batches_ = 0;    ///< In this round; equal on all ranks of an engine.
    std::map<Key, Request> open_;  ///< Taken and not answered. Bytes are kept where the engine has several ranks.
    std::vector<Request> fresh_;   ///< Taken, not handed to the program yet.
    std::vector<Request> again_;   ///< Open when the round changed, on an engine of several ranks: come once more.
    std::vector<Request> handed_;  ///< Of the program's present turn.

    /// The next vote may have to wait for peers that are still being woken. The same on all ranks of the group: they
    /// rest, cross barriers and change rounds together.
    bool first_vote_ = true;
    core::Votes posted_{}, result_{};
    MPI_Request posting_ = MPI_REQUEST_NULL;
    std::vector<Buffer*> buffers_;
    bool told_suspended_ = false, release_due_ = false;
    TurnCounts counts_;
};

}  // namespace muster
