// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A whole job of virtual members in one process, in virtual time, with everything that happens to it out of one seed.
/// Intuition: one more driver beside src/agent: core::EngineLoop, core::Switchboard, core::Recovery and core::decide
/// are the very code that a job runs; clock, network, collectives and deaths are simulated.
///
///     sim::World world({.seed = 7, .engines = 8, .standbys = 2, .clients = 1, .faults = {.kill_per_event = 1e-4}});
///     world.run(Tick{200'000});
///     ASSERT_EQ(world.violations(), "");
///     world.heal();
///     ASSERT_TRUE(world.settles(State::running, Tick{2'000'000}));
///
/// Thread safety: none. Determinism: the same options give the same run on every machine.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/message.hpp"
#include "muster/config.hpp"
#include "muster/exit_codes.hpp"
#include "muster/lifecycle.hpp"
#include "sim/clock.hpp"

namespace muster::sim {

struct Faults {
    /// Probability that the member to whom something happens dies of it: before it, or in the middle of what it does.
    double kill_per_event = 0;
    double kill_per_recovery_event = 0;  ///< The same for a member in a recovery: few events, and each one matters.
    double kill_coordinator = 0;         ///< The same for the coordinator outside a recovery.
    double kill_holders = 0;    ///< Beside it: several of those who hold the job's state at once, never all of them.
    double kill_preparing = 0;  ///< Probability that a member dies of preparing for a replica.
    double kill_draining = 0;  ///< Probability, at each call on the controller, that one of a replica that drains dies.
    std::uint32_t deaths_max = 0;  ///< Random deaths, all in all.
    /// Probability that the member to whom something happens is stopped (SIGSTOP): two times of three for less than the
    /// window after which the others go on without it.
    double hang_per_event = 0;
    double hang_coordinator = 0;  ///< Beside it, for the coordinator outside a recovery.
    std::uint32_t hangs_max = 0;
    std::uint32_t hang_window = 20'000;  ///< Ticks. 1 s in a job; only its ratio to a recovery matters.
    /// Probability that a packet that was lost with its round comes all the same, later.
    double stale_packet = 0;
    [[nodiscard]] bool kill() const {
        return kill_per_event > 0 || kill_per_recovery_event > 0 || kill_coordinator > 0 || kill_holders > 0 ||
               kill_preparing > 0 || kill_draining > 0;
    }
    [[nodiscard]] bool hang() const { return hang_per_event > 0 || hang_coordinator > 0; }
};

struct WorldOptions {
    std::uint64_t seed = 1;
    std::uint32_t engines = 8, engine_ranks = 1, group_size = 0, standbys = 0, clients = 0;
    std::uint32_t engines_min = 1;
    std::uint32_t nodes = 1;  ///< Members are dealt to them in turn.
    std::uint32_t fan_out = 4;
    ConsensusMode consensus = ConsensusMode::blocking;
    std::uint32_t consensus_every = 1;
    Work work = Work::requests;
    bool stay = true;
    SlotOrder slot_order = SlotOrder::stable;
    Quorum quorum = Quorum::majority;
    /// Clients (any member, where there is none) do something so often; 0: only what is asked for below.
    double acts_per_ms = 0;
    double calls_per_ms = 0;   ///< Calls of each member on the round's store and the job's registry.
    double wishes_per_ms = 0;  ///< Rounds that each member's program asks for: regroup, park, unpark.
    /// The world holds what a controller wants (Config::controller); the coordinator wants something else so often.
    bool controller = false;
    double seats_per_ms = 0;
    /// Calls of each member on the job's controller, which then wants the replicas itself. With `controller`.
    double orders_per_ms = 0;
    double prepares_refused = 0, prepares_slow = 0;  ///< Shares; slow: beyond the deadline of a start.
    double unwell = 0;                               ///< Share of the checks.
    double closing_worlds = 0;  ///< Share of the worlds in which programs may also close the rendezvous.
    /// Engines report loads and waves, clients are told of them. Off: nobody says any, agents tick only with cause.
    bool loads = false;
    bool restless_loads = false;  ///< Every engine's load changes with every tick: what loads cost at their worst.
    std::uint32_t load_interval_ms = 100;
    Routing routing = Routing::round_robin;
    std::uint32_t queue_max_per_engine = 0, queue_max = 0;  ///< 0: no bound.
    double bursts_per_ms = 0;      ///< Of requests, of each client: up to `burst_max` at once, then none for a while.
    std::uint32_t burst_max = 16;  ///< Requests.
    double pins = 0, aborts = 0;   ///< Share of all requests that name a slot, and that are taken back.
    /// Members can die and rounds follow one another. Off: no core::Recovery, for very many members.
    bool recovery = true;
    Faults faults{};
    /// Hears a line for each death, round, crossing, message and note, for a replay; empty: nothing is written.
    std::function<void(const std::string&)> trace{};
};

/// Where nothing changes any more: how long until clients are told of the last load and wave. In every tree.
[[nodiscard]] Tick told_within(const WorldOptions& options);

struct Counts {
    std::uint64_t events = 0, packets = 0, bytes = 0, votes = 0, forwards = 0, dummy_forwards = 0;
    std::uint64_t barriers = 0;  ///< Crossed, each once.
    std::uint64_t rounds = 0, deaths = 0;
    std::uint64_t hangs = 0, cut_off = 0, fenced = 0;  ///< Those fenced have woken cut off and stopped themselves.
    std::uint64_t wishes = 0;
    std::uint64_t seated = 0, unseated = 0, no_room = 0, dissolved = 0;  ///< Replicas; no_room: wanted and not seated.
    std::uint64_t calls = 0, answered = 0, refused_calls = 0, late_calls = 0;  ///< On the store.
    std::uint64_t registry_calls = 0, registry_answered = 0, registry_refused = 0;
    std::uint64_t orders = 0, orders_done = 0, orders_refused = 0;  ///< Calls on the controller that change something.
    std::uint64_t looked = 0, waited = 0, heard = 0;                ///< Queries, goals that ended, changes.
    std::uint64_t prepares = 0, prepares_failed = 0, copies = 0;    ///< Copies: requests of shadows.
    std::uint64_t losses = 0;                                       ///< Worlds in which all who held the state died.
    std::uint64_t operations = 0, refused = 0, requests = 0, replies = 0, errors = 0;
    std::uint64_t taken_back = 0, aborted = 0, busy = 0;  ///< Requests; the last two are among the errors.
    std::uint64_t waves = 0;  ///< The highest wave of a lockstep group that an engine was in.
    std::uint64_t wakes = 0;  ///< Engines' ranks that left a rest.
    std::uint64_t told = 0;   ///< Publications that a client has heard, one a group.
    std::uint64_t load_packets = 0;
    std::uint64_t loads_most = 0;    ///< Packets of loads that one member was sent in one load interval.
    std::uint64_t traffic_most = 0;  ///< The same, of all packets.
    std::uint64_t packets_most = 0;  ///< Sent by one member.
    Tick last_wake;                  ///< When the last engine's rank left a rest.
    Tick last_crossing;              ///< When the last engine crossed the last barrier.
};

/// What a program can want of the rendezvous.
enum class Wish : std::uint8_t { regroup, park, unpark, close };

class World {
public:
    explicit World(const WorldOptions& options);
    World(World&&) noexcept;
    World& operator=(World&&) noexcept;
    ~World();

    void run(Tick ticks);              ///< So much longer, or until something is violated.
    void signal(core::Wanted wanted);  ///< Some client asks for it now.
    void submit(std::uint32_t count);  ///< Some client hands in so many requests now.
    void kill(Rank rank);              ///< Now, between two events.
    void hang(Rank rank, Tick ticks);  ///< From now on.
    void wish(Rank rank, Wish wish);   ///< Its program wants that now.
    void heal();                       ///< From now on nobody dies or falls asleep, and programs only wait.

    /// Goes on until nothing is under way and all engines of the world are in `state`: at most `ticks`.
    [[nodiscard]] bool settles(State state, Tick ticks);
    /// As settles(), after the clients have asked for what leads to a stable `state`, again and again.
    [[nodiscard]] bool reaches(State state, Tick ticks);

    [[nodiscard]] const std::string& violations() const;  ///< A line each; empty where there is none.
    [[nodiscard]] std::optional<ExitCode> ended() const;  ///< How the job has ended; nothing while it goes on.
    [[nodiscard]] std::string story() const;              ///< Where everybody is, for a failed test.
    [[nodiscard]] Counts counts() const;
    [[nodiscard]] Tick now() const;

private:
    class Stage;
    std::unique_ptr<Stage> stage_;
};

}  // namespace muster::sim
