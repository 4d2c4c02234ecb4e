// SPDX-License-Identifier: Apache-2.0
#include "session/turns.hpp"

#include <algorithm>

#include "agent/inject.hpp"
#include "agent/log.hpp"
#include "agent/settings.hpp"
#include "core/ranks.hpp"

namespace muster {
namespace {

using agent::Watchdog;
using core::Order;
using core::Position;

constexpr auto kRestSlice = std::chrono::milliseconds(1000);

}  // namespace

Turns::Turns(TurnSurroundings around)
    : around_(std::move(around)),
      loop_({.mode = around_.config.consensus,
             .every = std::max<std::uint32_t>(1, around_.config.consensus_every),
             .stay = around_.config.stay}) {}

void Turns::enter(const agent::Handover& round, const World& world) {
    if (posting_ != MPI_REQUEST_NULL) (void)await(posting_, "a vote of the last round");
    posting_ = MPI_REQUEST_NULL;
    comms_ = round.comms;
    const auto& lifecycle = round.plan.lifecycle;
    loop_.rebuilt(round.plan.round, lifecycle.crossed, lifecycle.state, lifecycle.wave);
    around_.inbox.whereabouts.show_wave(loop_.wave(), loop_.awake());
    next_signal_ = lifecycle.crossed;
    more_signals_ = true;
    first_vote_ = true;
    batches_ = 0;
    const std::uint32_t ranks = around_.config.engine_ranks;
    receives_ = world.slot && world.slot->value % ranks == 0;
    group_ranks_ = static_cast<int>(world.group_size);
    again_.clear();
    // The ranks of an engine must hold the same: what is open comes again, from its receiving rank.
    if (receives_ && ranks > 1)
        for (auto& [key, request] : open_) again_.push_back(std::move(request));
    if (!world.slot || ranks > 1) {
        open_.clear();
        fresh_.clear();
    }
    around_.inbox.whereabouts.round = round.plan.round.value;
    show();
    if (world.slot) tell_crossed(lifecycle.crossed, lifecycle.state);
}

void Turns::show() {
    around_.stage.show(loop_.lifecycle());
    agent::reach_state(loop_.lifecycle().state());
    around_.inbox.whereabouts.crossed.store(loop_.barriers_crossed(), std::memory_order_relaxed);
    if (const auto refusal = loop_.take_refusal())
        agent::say(std::string("a signal that the coordinator let pass was refused here: ") + refusal->reason);
}

void Turns::tell_crossed(std::uint64_t barrier, State reached) {
    if (barrier <= told_crossed_) return;
    told_crossed_ = barrier;
    if (around_.config.hooks.crossed) around_.config.hooks.crossed(barrier, reached);
}

bool Turns::broken(int code, const char* what) {
    if (code == MPI_SUCCESS) return false;
    agent::trace(std::string(what) + " failed: the round is looked at anew");
    around_.mailbox.complain();
    return true;
}

std::optional<Turn> Turns::next() {
    if (std::exchange(release_due_, false)) release_buffers();
    if (loop_.lifecycle().state() == State::suspended && !told_suspended_) {
        told_suspended_ = release_due_ = true;  // A newcomer in a job that is SUSPENDED.
        return Turn{.kind = Turn::suspend};
    }
    auto& doing = around_.inbox.whereabouts.doing;
    doing.store(Position::elsewhere, std::memory_order_relaxed);
    Order order = loop_.begin();
    for (;;) {
        if (auto turn = turn_of(order)) return turn;
        const auto following = carry_out(order);
        if (!following) return std::nullopt;
        order = *following;
        around_.inbox.whereabouts.show_wave(loop_.wave(), loop_.awake());
        around_.inbox.whereabouts.vote.store(loop_.votes_counted(), std::memory_order_relaxed);
        doing.store(Position::elsewhere, std::memory_order_relaxed);
    }
}

/// Orders that are answered here; nothing where the round is broken.
std::optional<Order> Turns::carry_out(const Order& order) {
    switch (order.kind) {
        case Order::take_batch:
            if (const auto batch = take_batch()) {
                const Order next = loop_.batch(*batch);
                if (batch->signal) show();
                return next;
            }
            return std::nullopt;
        case Order::vote:
            if (const auto result = vote(order.votes)) return loop_.counted(*result);
            return std::nullopt;
        case Order::read_vote:
            if (const auto result = read_vote()) return loop_.counted(*result);
            return std::nullopt;
        case Order::rest:
            if (rest(order)) return loop_.woken();
            return std::nullopt;
        case Order::barrier:
            if (barrier(order.number)) {
                const Order next = loop_.crossed();
                show();
                return next;
            }
            return std::nullopt;
        case Order::drift: report_drift(order.number); return std::nullopt;
        default: return std::nullopt;
    }
}

/// Orders that are the program's; nothing for the others.
std::optional<Turn> Turns::turn_of(const Order& order) {
    auto& doing = around_.inbox.whereabouts.doing;
    switch (order.kind) {
        case Order::forward:
        case Order::dummy_forward: {
            if (order.post && !post(order.votes)) return std::nullopt;
            agent::reach_turn();
            const bool real = order.kind == Order::forward;
            doing.store(real ? Position::forward : Position::dummy_forward, std::memory_order_relaxed);
            ++(real ? counts_.forward : counts_.dummy_forward);
            handed_.clear();
            if (real) handed_.swap(fresh_);
            return Turn{.kind = real ? Turn::forward : Turn::dummy_forward, .requests = handed_};
        }
        case Order::suspend:
            told_suspended_ = release_due_ = true;
            doing.store(Position::in_hooks, std::memory_order_relaxed);
            return Turn{.kind = Turn::suspend};
        case Order::resume: return resume();
        case Order::finish: return Turn{.kind = Turn::ended};
        default: return std::nullopt;
    }
}

Turn Turns::resume() {
    told_suspended_ = release_due_ = false;
    around_.inbox.whereabouts.doing.store(Position::in_hooks, std::memory_order_relaxed);
    restore_buffers();
    return Turn{.kind = Turn::resume};
}

std::optional<core::Votes> Turns::vote(const core::Votes& votes) {
    ++counts_.votes;
    if (group_ranks_ == 1) return votes;
    around_.inbox.whereabouts.doing.store(Position::voting, std::memory_order_relaxed);
    const agent::Watch watch(around_.watchdog, Watchdog::engine_lane, agent::kVoteWait,
                             around_.config.turn_deadline_ms);
    core::Votes result{};
    const MPI_Comm comm = comms_->votes().get();
    if (std::exchange(first_vote_, false)) {
        // Peers may be asleep, and where this core is theirs too, or the agent's who must wake them, spinning inside
        // MPI would keep them so.
        MPI_Request request = MPI_REQUEST_NULL;
        const int code = MPI_Iallreduce(votes.data(), result.data(), 4, MPI_INT64_T, MPI_MAX, comm, &request);
        if (broken(code, "the vote") || !await(request, "the vote")) return std::nullopt;
        return result;
    }
    const int code = MPI_Allreduce(votes.data(), result.data(), 4, MPI_INT64_T, MPI_MAX, comm);
    if (broken(code, "the vote")) return std::nullopt;
    return result;
}

bool Turns::post(const core::Votes& votes) {
    posted_ = result_ = votes;
    if (group_ranks_ == 1) return true;
    const int code =
        MPI_Iallreduce(posted_.data(), result_.data(), 4, MPI_INT64_T, MPI_MAX, comms_->votes().get(), &posting_);
    return !broken(code, "posting a vote");
}

std::optional<core::Votes> Turns::read_vote() {
    ++counts_.votes;
    if (group_ranks_ == 1) return result_;
    around_.inbox.whereabouts.doing.store(Position::voting, std::memory_order_relaxed);
    const agent::Watch watch(around_.watchdog, Watchdog::engine_lane, agent::kVoteWait,
                             around_.config.turn_deadline_ms);
    const int code = MPI_Wait(&posting_, MPI_STATUS_IGNORE);
    posting_ = MPI_REQUEST_NULL;
    if (broken(code, "the vote")) return std::nullopt;
    return result_;
}

/// Until there is something to do here, or a peer has something to do. False where the round is broken.
bool Turns::rest(const Order& order) {
    ++counts_.rests;
    auto& inbox = around_.inbox;
    inbox.whereabouts.doing.store(Position::resting, std::memory_order_relaxed);
    const bool group = votes_with_group();
    first_vote_ = first_vote_ || group;
    const auto scope = group ? core::WakeScope::group : core::WakeScope::engine;
    const std::uint64_t key = group ? order.number : batches_ + 1;
    const bool peers = group ? group_ranks_ > 1 : around_.config.engine_ranks > 1;
    for (;;) {
        const auto seen = inbox.news();
        if (around_.mailbox.interrupted()) return false;
        agent::reach_pause();
        if (around_.chores) around_.chores();
        if (order.wake || news_here()) {
            if (peers) inbox.give(agent::Inbox::Wake{scope, key});
            return true;
        }
        if (inbox.woken(scope) >= key) return true;
        if (around_.pump)
            around_.pump();
        else
            inbox.wait(seen, kRestSlice);
    }
}

/// The members of the group do not take the same turn: everybody sees who is where, and the job ends.
void Turns::report_drift(std::uint64_t number) {
    const std::array<std::uint64_t, 2> mine{loop_.votes_counted(), loop_.barriers_crossed()};
    std::vector<std::uint64_t> all(2 * static_cast<std::size_t>(group_ranks_));
    const auto& comm = comms_->votes();
    const int code = MPI_Allgather(mine.data(), 2, MPI_UINT64_T, all.data(), 2, MPI_UINT64_T, comm.get());
    if (broken(code, "naming who drifted")) return;
    const auto ranks = comm.ranks();
    std::string text = "the lockstep group is not in step at vote " + std::to_string(number) + ":";
    for (std::size_t place = 0; place < ranks.size(); ++place)
        text += " rank " + std::to_string(ranks[place].value) + " is in turn " + std::to_string(all[2 * place]) +
                " after barrier " + std::to_string(all[2 * place + 1]) + (place + 1 < ranks.size() ? "," : "");
    around_.stop(ExitCode::aborted, text);
    around_.mailbox.complain();
}

}  // namespace muster
