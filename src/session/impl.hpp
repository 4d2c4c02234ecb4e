// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What a Session holds. Engine thread, except where a member is atomic.

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "agent/agent.hpp"
#include "agent/posix_signals.hpp"
#include "agent/pulse.hpp"
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
    void leave();
    bool go(std::string why);  ///< Leaves while the process ends. False where that took too long.
    void stop(ExitCode code, const std::string& reason);

    /// An MPI call of ours on the round's communicators failed.
    Error lost(int code, const char* what);
    /// The communicator for commit and vault; nothing may be called on it where there is no round to work in.
    [[nodiscard]] Result<MPI_Comm> ours() const;
    [[nodiscard]] bool knows_its_replica() const;  ///< Or has none.

    Config config;
    mpi::Started started;
    agent::Bell bell;
    agent::Mailbox mailbox{bell};
    agent::Inbox inbox{bell};
    std::shared_ptr<detail::Desk> desk;
    Stage stage;
    agent::Watchdog watchdog;
    std::unique_ptr<agent::Pulse> pulse;
    std::unique_ptr<agent::Agent> agent;
    std::unique_ptr<Turns> turns;  ///< Made once the settings are complete.
    std::thread thread;
    std::vector<core::Member> launch;  ///< Indexed by Rank.

    std::shared_ptr<const agent::Handover> current;
    World world;
    std::vector<RoundReport> rounds;
    Ending ending;
    std::optional<ReplicaInfo>
        prepared;                   ///< The replica that this member has prepared for last; its own, once it is in.
    bool untold = true;             ///< next() has not said yet that there is a round.
    bool first_commit_due = false;  ///< The newest report waits for its stall.
    bool warmed_up = false;
    bool formed = false;  ///< There has been a round: the next ones are worth a report.
    std::atomic<bool> over{false};
    std::atomic<std::uint32_t> round{0};

private:
    Result<mpi::Communicator> first_pool(std::vector<agent::RosterEntry>& roster);
    Result<Done> check_counts();
    [[nodiscard]] std::optional<core::RestoredJob> restored_here();
    void start_agent();
    std::shared_ptr<const agent::Handover> wait_for_round();
    void take_over(std::shared_ptr<const agent::Handover> next);
    void add_report(const agent::Handover& round, bool seen);
    Error disagreement(Step step, std::uint64_t hash);
    TurnSurroundings surroundings_of_turns();
    void do_chores();
    void prepare(const core::ReplicaSpec& spec);
    bool learn_its_replica();
    void show_replica(const World& before);
    void take_posix_signals();
};

/// Installs what happens when this process exits; refers to the one live session.
void watch_exit(Session::Impl& impl);
void unwatch_exit();

}  // namespace muster
