// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A member's place in the job: join it, take turns, commit steps, survive the others' deaths, leave.
///
/// Intuition: the program is a loop over next(). Most turns say "forward". After a death one says "rebuilt": the
/// world has new communicators, the step that was interrupted is to be done again from the last committed state.
/// A standby sits inside next() until it is needed.
///
///     auto session = muster::Session::join(*muster::Config::from_environment());
///     while (auto turn = session->next())
///         if (turn.kind == muster::Turn::rebuilt) engine.rewire(session->world());
///         else if (engine.forward()) (void)session->commit(engine.step());
///
/// MPI types are in muster/mpi.hpp (the world's communicator, track()).
/// Thread safety: all calls of one Session belong to one thread, the engine thread, except interrupted(), abort(),
/// client(), controller(), wait_for(), state(), reached(), regroup(), park(), unpark() and set_closed(), which any
/// thread may call. One Session per process. Errors: expected failures are Results or an ended turn; a broken invariant
/// stops the process with a message. Source: design of torch's dynamic rendezvous (rounds, standbys) on ULFM
/// communicator rebuilds; see DESIGN.md.

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "muster/buffer.hpp"
#include "muster/client.hpp"
#include "muster/config.hpp"
#include "muster/controller.hpp"
#include "muster/exit_codes.hpp"
#include "muster/lifecycle.hpp"
#include "muster/load.hpp"
#include "muster/replica.hpp"
#include "muster/store.hpp"
#include "muster/types.hpp"

namespace muster {

/// A member that is in the world but does not hold the state of World::step.
struct Newcomer {
    Slot slot;
    Rank rank;
    /// The slot that kept the copy of this slot's shard at the last commit (World::partner of that round) and is
    /// still there; nothing where it is gone too. Programs whose state is the same everywhere use World::source.
    std::optional<Slot> holder;
};

/// One round's agreed membership, seen from this member. A value: it stays true for its round.
struct World {
    Round round;
    std::optional<Slot> slot;          ///< This member's place; nothing on a standby.
    std::vector<Rank> ranks;           ///< Shape: one per slot. ranks.size() is the size of the world.
    std::vector<std::string> nodes;    ///< Shape: one per slot: the host's name.
    std::vector<Rank> standbys;        ///< Parked members, ascending.
    std::vector<Rank> waiting;         ///< Of the standbys those for whom there is a place, but no whole engine or
                                       ///< lockstep group of them; the others are redundant. Ascending.
    bool closed = false;               ///< The rendezvous is closed: no round follows this one.
    std::optional<Step> step;          ///< Last step that all agree on; nothing: start from the beginning.
    std::vector<std::byte> blob;       ///< What was committed with that step.
    std::vector<Newcomer> newcomers;   ///< Ascending by slot. Who needs to be fed before the step can be repeated.
    std::optional<Slot> source;        ///< Lowest slot that holds the state of `step`; nothing where step is nothing.
    std::vector<Slot> partner;         ///< Shape: one per slot. partner[s] keeps a copy of s's shard, on another node
                                       ///< and in another lockstep group where there is one; s itself in a world of 1.
    std::vector<Slot> ward;            ///< Inverse of partner: whose shard slot s keeps.
    std::uint32_t group_size = 0;      ///< Members per lockstep group (the world's size where there is one group).
    std::uint32_t engine_ranks = 1;    ///< Members per engine.
    std::vector<std::uint32_t> group;  ///< Shape: one per slot: its lockstep group.
    /// Which replica this member's lockstep group is; nothing where it is idle, on standbys and without a controller.
    std::optional<ReplicaId> replica;
    std::vector<Rank> clients;  ///< Members that are neither engines nor standbys, ascending.
    Rank coordinator;           ///< Who coordinates this round.

    [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(ranks.size()); }
    [[nodiscard]] bool is_newcomer(Slot s) const;
};

/// A request as an engine sees it.
struct Request {
    Rank client;  ///< Above every rank there is: this is a copy of a request (shadow traffic), its reply goes nowhere.
    RequestId id;
    Bytes bytes;
};

/// What the engine is to do now.
struct Turn {
    enum Kind {
        ended,          ///< No more turns; Session::ending() says why.
        forward,        ///< Do the next piece of work in the current world.
        rebuilt,        ///< A new round: take Session::world(), drop what belonged to the old one, feed the newcomers.
        dummy_forward,  ///< Peers of the lockstep group have work: take part in their collectives, without any work.
        suspend,        ///< The job is being suspended: release what is large (registered buffers go by themselves).
        resume,         ///< Take it again.
    };
    Kind kind = ended;
    /// With forward: the requests that have come since the last turn, the same on all ranks of an engine. They are this
    /// engine's until reply(); turns say forward while one of them is open. Valid until the next next().
    /// Over a rebuild an engine of one rank keeps its open requests. On engines of several ranks drop them at
    /// `rebuilt`: they come again, for all ranks alike. A member that is parked drops them too: another engine has
    /// them.
    std::span<const Request> requests{};
    explicit operator bool() const { return kind != ended; }
};

/// Turns since join.
struct TurnCounts {
    std::uint64_t forward = 0, dummy_forward = 0, votes = 0, rests = 0, barriers = 0;
};

/// How a member was lost. `text` is for people: "killed", "exited 3", "left", "aborted: out of memory".
struct Loss {
    Rank rank;
    std::string node;
    std::string text;
};

/// What one rebuild did, as this member saw it.
struct RoundReport {
    Round from, to;
    std::vector<Loss> lost;
    struct Promotion {
        Rank rank;
        Slot slot;
    };
    std::vector<Promotion> promoted;
    std::uint32_t size = 0;   ///< Engines in the new world.
    double stalled_ms = 0;    ///< Last commit of the old world -> first commit of the new one; until then, and for
                              ///< programs that do not commit, notice -> next() said rebuilt.
    double detect_ms = 0;     ///< Last commit -> the failure was noticed here. 0 where nothing was committed.
    double shrink_ms = 0;     ///< Revoke and shrink.
    double build_ms = 0;      ///< Facts, plan, communicators and the closing agreement.
    double hand_over_ms = 0;  ///< Built -> next() said rebuilt on this member.
};

/// Why the session is over.
struct Ending {
    ExitCode code = ExitCode::finished;
    std::string reason;  ///< A sentence that names ranks and the round; empty where the job just finished.
};

class Session {
public:
    /// Becomes a member. Initialises MPI (MPI_THREAD_MULTIPLE, MCA parameters, SIGPIPE) where the program has not.
    /// Collective over MPI_COMM_WORLD, within Config::join_deadline_ms. Returns when the first round is built.
    /// Errors: bad_setup (threads, singleton under srun, settings that differ: the text says what to change),
    /// timed_out.
    [[nodiscard]] static Result<Session> join(Config config);

    Session(Session&&) noexcept;
    Session& operator=(Session&&) noexcept;
    ~Session();  ///< leave(), without waiting for the others where that has not happened yet.

    /// The next turn. Blocks on a standby until it is promoted or the job ends, on an engine only during a rebuild.
    [[nodiscard]] Turn next();

    /// Agrees with all engines that `step` is done and its result is in place.
    /// `blob` is what else must be the same everywhere (data order, random state): a few bytes, equal on all ranks.
    /// Collective over the world; steps count up by one from any start. Ok: every engine has the step's result in
    /// place, and the job goes on from it or from a later one as long as one process that saw this Ok is alive.
    /// peer_lost does not mean that it failed: the next World::step may be this one, then its result counts and must be
    /// kept until next() has said so. So two generations are needed: the last committed one and the one being
    /// committed. Errors: peer_lost (return to next()); refused (engines differ in step or blob: the session ends with
    /// ExitCode::aborted and the text names the slots); timed_out; ended.
    Result<Step> commit(Step step, std::span<const std::byte> blob = {});

    /// Answers a request. On an engine of several ranks each rank calls it (or none of the others does: the receiving
    /// rank's answer is the one that goes out; it counts as done on all). Never blocks.
    /// Errors: refused (no such request is open here: it was answered, stopped, or given to another engine), ended.
    Result<Done> reply(const Request& request, std::span<const std::byte> bytes);

    /// What this engine has to do, where it knows better than "its open requests" (which count without a call).
    /// Requests that come and replies that go afterwards are counted on from there. Engine thread; costs no message.
    /// On an engine of several ranks only the receiving rank's word counts.
    void load(Load load);
    /// The client has taken this request back: its answer is of no interest any more, but must be given. On the rank
    /// that received it. Any thread.
    [[nodiscard]] bool aborted(const Request& request) const;

    /// A client of the job in this process. Blocks until the coordinator knows it (M14).
    /// Errors: timed_out, ended.
    [[nodiscard]] Result<Client> client(std::chrono::milliseconds deadline = std::chrono::seconds(30));

    /// What the job is to run, and where its requests go. Any member, any thread.
    [[nodiscard]] Controller controller();

    /// The store of the round that this member's last turn was in (World::round): a dictionary that all members of the
    /// round share, empty when it begins, refused by name once the job is in a later one. Any thread may use it.
    [[nodiscard]] std::shared_ptr<Store> store() const;

    /// Waits until this engine has reached a stable state. For other threads than the engine's.
    /// Errors: refused (a state that passes cannot be waited for, M1), timed_out, ended.
    Result<Done> wait_for(Milestone milestone, std::chrono::milliseconds deadline) const;
    Result<Done> wait_for(State state, std::chrono::milliseconds deadline) const;
    [[nodiscard]] State state() const;                      ///< Of this engine, now. Any thread.
    [[nodiscard]] bool reached(Milestone milestone) const;  ///< Any thread.

    /// Adds a buffer to those that are released before Turn::suspend's barrier and restored before Turn::resume.
    /// The buffer must outlive the session, or be taken out again. Engine thread.
    void manage(Buffer& buffer);
    void unmanage(Buffer& buffer);

    [[nodiscard]] const TurnCounts& turns() const;  ///< How many turns of each kind this member has had.

    /// This member is done. When all engines of the world leave within Config::leave_window_ms the job ends with
    /// ExitCode::finished, standbys included; else the others go on without this one, in a new round.
    /// Never hangs on a dead peer. Afterwards next() says ended.
    void leave();

    /// Asks for a round of the same members after the one that this member's last turn was in (World::round): every
    /// engine's next() says rebuilt. Calls of many members in the same round lead to one new round. Any thread.
    void regroup();
    /// This member gives its slot up and is a standby from the next round on. Another standby takes the slot, or the
    /// world shrinks. It stays parked until unpark(), or until the others alone would be fewer than engines_min or
    /// without the committed state: then it is taken back. Any thread; the new round is asked for at once.
    void park();
    void unpark();
    /// Closes the job's rendezvous: one last round without standbys, which end without an error; a loss after that
    /// ends the job with ExitCode::stopped. Any thread.
    void set_closed();

    /// Ends the whole job: every member's next() says ended, with ExitCode::aborted and a reason that names this
    /// rank and round. Also for other threads.
    void abort(std::string reason);

    /// As abort(), with a code of the caller's choice (ExitCode::state_lost and so on).
    void stop(ExitCode code, std::string reason);

    /// True once this round is broken or the job has ended: a long forward may look at it and return early.
    /// One atomic load.
    [[nodiscard]] bool interrupted() const;

    [[nodiscard]] Rank rank() const;       ///< This member's name for life.
    [[nodiscard]] bool is_client() const;  ///< One of the last Config::clients ranks: its next() only ever ends.
    /// What this member's replica is, as of the last turn; nothing in an idle group, on standbys and without a
    /// controller.
    [[nodiscard]] std::optional<ReplicaInfo> replica() const;
    [[nodiscard]] const World& world() const;  ///< As of the last turn; on a standby, as of the last round it saw.
    [[nodiscard]] const std::vector<RoundReport>& rounds() const;  ///< Every rebuild since join, oldest first.
    [[nodiscard]] const Ending& ending() const;                    ///< Valid once next() said ended.

    class Impl;
    [[nodiscard]] Impl& impl() const { return *impl_; }  ///< For muster/mpi.hpp.

private:
    explicit Session(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace muster
