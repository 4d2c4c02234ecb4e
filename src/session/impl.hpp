// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What a Session holds. Engine thread, except where a member is atomic.

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "agent/agent.hpp"
#include "agent/posix_signals.hpp"
#include "mpi/environment.hpp"
#include "muster/session.hpp"
#include "session/turns.hpp"

namespace muster {

class Session::Impl {
public:
    explicit Impl(Config settings);
    ~Impl();

    Result<Done> join();
    Turn next();
    Result<Step> commit(Step step, std::span<const std::byte> blob);
    [[nodiscard]] Result<Done> took_over();
    void leave();
    bool go(std::string why);  ///< Leaves while the process ends. False where that took too long.
    void stop(ExitCode code, const std::string& reason);

    /// An MPI call of ours on the round's communicators failed.
    Error lost(int code, const char* what);
    /// The communicator for commit and vault; nothing may be called on it where there is no round to work in.
    [[nodiscard]] Result<MPI_Comm> ours() const;

    Config config;
    mpi::Started started;
    agent::Bell bell;
    agent::Mailbox mailbox{bell};
    agent::Inbox inbox{bell};
    std::shared_ptr<detail::Desk> desk;
    Stage stage;
    agent::Watchdog watchdog;
    std::unique_ptr<agent::Agent> agent;
    std::unique_ptr<Turns> turns;  ///< Made once the settings are complete.
    std::thread thread;
    std::vector<core::Member> launch;  ///< Indexed by Rank.

    std::shared_ptr<const agent::Handover> current;
    World world;
    std::vector<RoundReport> rounds;
    Ending ending;
    bool untold = true;             ///< next() has not said yet that there is a round.
    bool first_commit_due = false;  ///< The newest report waits for its stall.
    bool warmed_up = false;
    std::atomic<bool> over{false};
    std::atomic<std::uint32_t> round{0};

private:
    Result<mpi::Communicator> first_pool(std::vector<agent::RosterEntry>& roster);
    Result<Done> check_counts();
    void start_agent();
    std::shared_ptr<const agent::Handover> wait_for_round();
    void take_over(std::shared_ptr<const agent::Handover> next);
    void add_report(const agent::Handover& round, bool seen);
    Error disagreement(Step step, std::uint64_t hash);
    TurnSurroundings surroundings_of_turns();
    void take_posix_signals();
};

/// Installs what happens when this process exits; refers to the one live session.
void watch_exit(Session::Impl& impl);
void unwatch_exit();

}  // namespace muster
