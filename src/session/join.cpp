// SPDX-License-Identifier: Apache-2.0
/// Becoming a member, and what happens when the process ends without having left.
#include <csignal>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "agent/inject.hpp"
#include "agent/link.hpp"
#include "agent/log.hpp"
#include "agent/roster.hpp"
#include "agent/settings.hpp"
#include "mpi/pool.hpp"
#include "session/impl.hpp"

namespace muster {
namespace {

std::atomic<Session::Impl*> live{nullptr};
std::atomic<bool> finalize_may_hang{false};
Rank self;

/// The process ends: peers go on without it in a new round, the launcher is told the status. Open MPI would not notice
/// a process that exits by itself (PRRTE reports signals only), so a process that cannot leave dies by one. Once it is
/// told, the process ends with 0: after another status PRRTE loses the last output of other ranks (DESIGN.md).
int departing(int status) {
    Session::Impl* impl = live.exchange(nullptr);
    const bool member = impl != nullptr && impl->agent && !impl->over;
    const bool left =
        member && impl->go(status < 0 ? "ended by an uncaught exception" : "exited " + std::to_string(status));
    if (member) finalize_may_hang = true;
    bool told = left;
    if (status != 0)
        told = agent::LauncherLink(self).send({{"event", "exit"}, {"rank", self.value}, {"status", status}}) || told;
    if (member && !left) {
        std::fflush(nullptr);
        (void)std::raise(SIGKILL);
    }
    return told ? 0 : status;
}

/// A deadline that even a recovery could not keep: say so, and do not keep the others waiting.
void give_up(const char* what, std::uint64_t waited_ms) {
    const std::string text = "waited " + std::to_string(waited_ms) + " ms for " + what +
                             ": a member that MPI believes alive does not answer; this process stops";
    agent::say(text);
    agent::LauncherLink(self).send(
        agent::ended_event(ExitCode::timed_out, "rank " + std::to_string(self.value) + " " + text));
    std::fflush(nullptr);
    (void)std::raise(SIGKILL);  // A death that MPI notices; an exit it would not.
}

}  // namespace

void watch_exit(Session::Impl& impl) {
    live = &impl;
    self = impl.started.self;
    static const bool once = [&impl] {
        mpi::install_exit_hooks({.departing = departing,
                                 .finalize_may_hang =
                                     [] {
                                         // MPI_Finalize with a live session: leave first, the agent uses MPI.
                                         if (Session::Impl* now = live.exchange(nullptr)) now->leave();
                                         return finalize_may_hang.load();
                                     },
                                 .finalize_deadline_ms = impl.config.finalize_deadline_ms,
                                 .finalize = impl.started.ours});
        return true;
    }();
    (void)once;
}

void unwatch_exit() { live = nullptr; }

namespace {

Error refuse(const std::string& text) { return {Fault::bad_setup, text}; }
std::string number(std::uint64_t value) { return std::to_string(value); }

/// A replica is a lockstep group.
Result<Done> check_controller(const Config& config) {
    if (!config.controller) return Done{};
    if (config.group_size == 0)
        return refuse("a job with a controller needs lockstep groups (group_size): each replica is one");
    if (config.slot_order != SlotOrder::stable)
        return refuse(
            "a job with a controller needs stable slots (slot_order): sorted ones would move members from one "
            "replica to another");
    return Done{};
}

}  // namespace

Result<Done> Session::Impl::check_counts() {
    if (config.engine_ranks == 0) return refuse("an engine of 0 ranks (engine_ranks): it must be 1 or more");
    if (config.consensus_every == 0) return refuse("a vote every 0 turns (consensus_every): it must be 1 or more");
    if (config.fan_out == 0) return refuse("a broadcast to 0 members at a time (fan_out): it must be 1 or more");
    const std::uint64_t others = std::uint64_t{config.standbys} + config.clients;
    if (config.engines == 0 && started.ranks > others) {
        const auto left = static_cast<std::uint32_t>(started.ranks - others);
        if (left % config.engine_ranks != 0)
            return refuse("engines of " + number(config.engine_ranks) + " ranks do not divide the " + number(left) +
                          " ranks that are neither standbys nor clients");
        config.engines = left / config.engine_ranks;
    }
    const std::uint64_t taken = std::uint64_t{config.engines} * config.engine_ranks + config.clients;
    if (config.engines == 0 || taken > started.ranks)
        return refuse("the job wants " + number(config.engines) + " engines" +
                      (config.engine_ranks > 1 ? " of " + number(config.engine_ranks) + " ranks" : "") +
                      (config.clients > 0 ? ", " + number(config.clients) + " clients" : "") + " and " +
                      number(config.standbys) + " standbys but mpirun started " + number(started.ranks) + " ranks");
    if (config.engines_min > config.engines)
        return refuse("the minimum of " + number(config.engines_min) + " engines is above the wanted " +
                      number(config.engines));
    if (config.group_size != 0 && config.engines % config.group_size != 0)
        return refuse("lockstep groups of " + number(config.group_size) + " do not divide " + number(config.engines) +
                      " engines");
    if (auto controller = check_controller(config); !controller) return controller;
    const auto engines = config.controller ? (started.ranks - config.clients) / config.engine_ranks : config.engines;
    const auto layout =
        core::complaint_about_layout({.engines = engines, .group_size = config.group_size, .layout = config.layout});
    return layout.empty() ? Result<Done>(Done{}) : refuse(layout);
}

/// The pool of all that are alive, and the roster that they have exchanged. Begins again when somebody dies meanwhile.
Result<mpi::Communicator> Session::Impl::first_pool(std::vector<agent::RosterEntry>& roster) {
    const auto own = agent::own_entry(started.self, config, bell.address());
    const auto until = agent::Clock::now() + std::chrono::milliseconds(config.join_deadline_ms);
    const agent::Watch watch(watchdog, agent::Watchdog::agent_lane, "all ranks to join", config.join_deadline_ms);
    auto pool = mpi::Communicator::shrink(MPI_COMM_WORLD);
    while (pool && agent::Clock::now() < until) {
        auto exchanged = agent::exchange(*pool, own, started.ranks);
        const bool differ = !exchanged && exchanged.error().fault == Fault::bad_setup;
        if (mpi::agree(*pool, differ || static_cast<bool>(exchanged))) {
            if (!exchanged) return exchanged.error();
            roster = std::move(*exchanged);
            return pool;
        }
        pool->revoke();
        pool = mpi::Communicator::shrink(pool->get());
    }
    if (!pool) return pool.error();
    return Error{Fault::timed_out,
                 "the ranks did not come together within " + std::to_string(config.join_deadline_ms) + " ms"};
}

/// Signals of the system that stand for signals of the job. What they ask for goes the way of any client's.
void Session::Impl::take_posix_signals() {
    auto signals = agent::parse_posix_signals(config.posix_signals);
    if (!signals) return agent::say(signals.error().text);
    for (const auto& note : agent::install_posix_signals(*signals, bell)) agent::trace(note);
}

void Session::Impl::start_agent() {
    if (config.agent == AgentThread::engine) return agent->form();
    thread = std::thread([this] {
        agent->form();
        while (agent->pump(std::chrono::milliseconds(10))) {
        }
    });
}

/// One member of each node looks for what an earlier launch has left there. Where that cannot be used the first round
/// is an ending, for all: nobody begins anew in silence.
std::optional<core::RestoredJob> Session::Impl::restored_here() {
    const auto& node = launch[started.self.value].node;
    const auto first =
        std::find_if(launch.begin(), launch.end(), [&](const core::Member& member) { return member.node == node; });
    if (first->rank != started.self) return std::nullopt;
    auto restored = agent::read_state(config);
    if (!restored) mailbox.wish({ExitCode::bad_usage, restored.error().text});
    return restored ? std::move(*restored) : std::nullopt;
}

namespace {

/// Should all ranks crash before there is a round, the launcher must not take it for a program without muster: mpirun's
/// exit code may be 0 then.
void tell_launcher_joining() {
    const char* rank = std::getenv("OMPI_COMM_WORLD_RANK");
    if (rank == nullptr) rank = std::getenv("PMIX_RANK");  // Under srun.
    if (rank == nullptr || std::string_view(rank) != "0") return;
    agent::LauncherLink(Rank{0}).send({{"event", "joining"}});
}

}  // namespace

Result<Done> Session::Impl::join() {
    tell_launcher_joining();
    auto begun = mpi::start(config.agent);
    if (!begun) return begun.error();
    started = std::move(*begun);
    agent::set_log_rank(started.self);
    watchdog.on_expiry(agent::Watchdog::agent_lane, give_up);
    watch_exit(*this);
    pulse = std::make_unique<agent::Pulse>(started.self, mailbox, *desk);
    if (started.self.value == 0)
        for (const auto& note : started.notes) agent::say(note);
    if (auto counts = check_counts(); !counts) return counts.error();
    if (auto orders = agent::order_faults(std::getenv("MUSTER_INJECT"), started.self, started.ranks); !orders)
        return orders.error();
    std::vector<agent::RosterEntry> roster;
    auto pool = first_pool(roster);
    if (!pool) return pool.error();
    for (auto& entry : roster) {
        entry.member.client = entry.member.rank.value >= started.ranks - config.clients;
        launch.push_back(entry.member);
    }

    static agent::Mailbox* complain_to = nullptr;
    complain_to = &mailbox;
    mpi::set_error_handler([] { complain_to->complain(); });
    watchdog.on_expiry(agent::Watchdog::engine_lane, [this](const char* what, std::uint64_t waited_ms) {
        if (what == agent::kVoteWait || what == agent::kBatchWait || what == agent::kBarrierWait)
            return mailbox.look_for_missing(what, waited_ms, what != agent::kBarrierWait);
        mailbox.wish({ExitCode::timed_out, "rank " + std::to_string(started.self.value) + " waited " +
                                               std::to_string(waited_ms) + " ms for " + what + " in round " +
                                               std::to_string(round.load())});
    });
    const auto restored = restored_here();
    agent = std::make_unique<agent::Agent>(config, std::move(roster), std::move(*pool), started.self,
                                           agent::Surroundings{bell, mailbox, inbox, *desk, watchdog}, restored);
    turns = std::make_unique<Turns>(surroundings_of_turns());
    start_agent();
    take_posix_signals();
    take_over(wait_for_round());
    if (!over) agent::begin_timed_faults();
    return Done{};
}

Session::Impl::~Impl() {
    if (agent && !over) leave();
    agent::end_timed_faults();
    unwatch_exit();
    agent::uninstall_posix_signals();
    if (agent && agent->lost_any()) finalize_may_hang = true;
    if (thread.joinable()) thread.join();
    pulse.reset();
    mpi::set_error_handler([] {});
}

Result<Session> Session::join(Config config) {
    if (live.load() != nullptr) return Error{Fault::refused, "this process has joined already"};
    auto impl = std::make_unique<Impl>(std::move(config));
    if (auto joined = impl->join(); !joined) {
        impl->over = true;
        agent::LauncherLink(self).send(agent::ended_event(ExitCode::bad_usage, joined.error().text));
        return joined.error();
    }
    return Session(std::move(impl));
}

}  // namespace muster
