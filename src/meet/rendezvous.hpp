// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Where processes meet before there is MPI: core's rendezvous handler with a clock, a timer, dice and a lock.
///
///     auto made = meet::Rendezvous::create({.settings = settings, .backend = std::move(file)});
///     auto joined = std::get<0>(made)->next_rendezvous();        // round, rank, world; or why not
///     ... is_round_over() -> next_rendezvous() again; at the end shutdown()
///
/// Intuition: next_rendezvous() polls, since nobody tells a reader of a file that it has changed; between two looks it
/// waits on a condition variable, so that shutdown() and interrupt() cut the wait short. From joining to the next call
/// a thread of its own sends keep-alives. Units: Settings::timeouts and periods.
/// Errors: Failure, with the source's texts and names; each is also recorded. What a call waits for is bounded by
/// Settings::timeouts, but a redundant node's place, which it waits for until it is closed (T19).
/// Thread safety: all calls from any thread, next_rendezvous() from one at a time; destroy it when no call runs.
/// Source: acceptance T27 to T35; DESIGN.md, "Meeting before there is MPI".

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "core/rendezvous_handler.hpp"
#include "meet/timer.hpp"

namespace muster::meet {

using core::rendezvous::Failure;
using core::rendezvous::Node;
using core::rendezvous::Or;
using core::rendezvous::State;

/// A complete round with this node in it.
struct Joined {
    Round round;
    Slot rank;
    std::vector<Node> world;   ///< By rank; world[0] is who opens the round's store (T30) and tells how to begin.
    std::string store_prefix;  ///< Of the round's keys: "muster.rendezvous.{run_id}.{round}".
};

struct RendezvousOptions {
    core::rendezvous::Settings settings{};
    std::unique_ptr<core::rendezvous::Backend> backend{};  ///< Only used under this object's lock.
    std::string address{};                                 ///< Node::addr; empty: this machine's full name.
    /// Each step's record and when it was; called by one thread at a time, and must not call back into this object.
    std::function<void(const core::rendezvous::Event&, core::rendezvous::Time)> on_event{};
    std::function<double()> chance{};  ///< In [0, 1): of the join delay. Default: the system's dice.
};

class Rendezvous {
public:
    /// Errors: the source's ValueError (T1, T2), recorded.
    [[nodiscard]] static Or<std::unique_ptr<Rendezvous>> create(RendezvousOptions options);
    ~Rendezvous();
    Rendezvous(const Rendezvous&) = delete;
    Rendezvous& operator=(const Rendezvous&) = delete;

    /// Leaves the round that it was in and waits for the next one that it gets into. Nothing: interrupt() was called.
    [[nodiscard]] Or<std::optional<Joined>> next_rendezvous();
    /// Nobody else gets in, for good. For all, not only for this node.
    [[nodiscard]] std::optional<Failure> set_closed();
    /// set_closed() that cannot fail: false where it was not closed (recorded). No keep-alives afterwards.
    bool shutdown();

    [[nodiscard]] Or<bool> is_closed();
    [[nodiscard]] Or<std::size_t> num_nodes_waiting();  ///< On the wait list; redundant ones don't count.
    [[nodiscard]] Or<bool> is_round_over();
    /// The state as it is now, the dead taken off.
    [[nodiscard]] Or<State> look();
    /// The state as it was seen last; asks nobody.
    [[nodiscard]] State seen() const;

    /// next_rendezvous() returns at once, now and ever after. For who gives up: call leave() then.
    void interrupt();
    /// Takes this node off all lists, so that nobody waits for its keep-alives to expire. The last call of all but
    /// seen(). Not the source's: there a node that gives up is found dead.
    [[nodiscard]] std::optional<Failure> leave();

    [[nodiscard]] const Node& node() const { return handler_->node(); }
    [[nodiscard]] const core::rendezvous::Settings& settings() const { return handler_->settings(); }
    [[nodiscard]] const char* backend_name() const { return handler_->backend_name(); }

private:
    using Call = core::rendezvous::Call;
    using Progress = core::rendezvous::Progress;
    struct Result;

    explicit Rendezvous(RendezvousOptions options);
    void carry_out(const core::rendezvous::effect::StartHeartbeats& start);
    void stop_timer();
    void record(const core::rendezvous::Event& event);
    Result perform(const Progress& progress);
    [[nodiscard]] Result run(Call call);
    [[nodiscard]] Result close(Call call);
    [[nodiscard]] std::uint64_t closings();
    [[nodiscard]] bool pause(core::rendezvous::Time span, std::uint64_t before);
    template <class T>
    [[nodiscard]] Or<T> ask(core::rendezvous::Answer<T> (core::rendezvous::Handler::*question)(core::rendezvous::Time));

    RendezvousOptions options_;
    mutable std::mutex mutex_;  ///< Around every step and question: the handler's and the backend's.
    std::unique_ptr<core::rendezvous::Handler> handler_;
    std::mutex waiting_;
    std::condition_variable wake_;
    bool interrupted_ = false;    ///< Under waiting_.
    std::uint64_t closings_ = 0;  ///< Under waiting_: how often somebody here has tried to close it.
    std::mutex recording_;
    std::mutex timing_;
    std::unique_ptr<Timer> timer_;  ///< Under timing_; destroyed outside of all locks.
};

}  // namespace muster::meet
