// SPDX-License-Identifier: Apache-2.0
#include "muster/session.hpp"

#include <algorithm>

#include "agent/inject.hpp"
#include "agent/settings.hpp"
#include "core/ranks.hpp"
#include "mpi/ulfm.hpp"
#include "muster/mpi.hpp"
#include "session/impl.hpp"

namespace muster {
namespace {

constexpr auto kTick = std::chrono::milliseconds(10);
constexpr auto kLook = std::chrono::milliseconds(1000);
constexpr auto kGoPatience = std::chrono::milliseconds(5000);

World world_of(const agent::Handover& handover, Rank self, const std::vector<core::Member>& launch,
               const Config& config) {
    const core::Plan& plan = handover.plan;
    World world;
    world.round = plan.round;
    world.slot = core::slot_of(plan.world, self);
    world.ranks = plan.world;
    world.standbys = plan.standbys;
    world.waiting = plan.waiting;
    world.closed = plan.closed;
    world.step = plan.step;
    world.newcomers = plan.newcomers;
    world.source = plan.source;
    world.blob = handover.blob;
    const auto settings = agent::placement_settings(config);
    world.engine_ranks = config.engine_ranks;
    world.group_size = config.group_size == 0 ? world.size() : config.group_size * config.engine_ranks;
    world.group = core::groups_of(settings, world.size());
    if (world.slot && !plan.seats.empty())
        if (const auto seat = plan.seats[world.group[world.slot->value]]; seat != core::SeatId{})
            world.replica = ReplicaId{seat.value};
    world.clients = plan.clients;
    world.coordinator = core::coordinator_among(plan.world, plan.world);
    world.partner = core::partners(settings, plan.world, launch);
    world.ward.resize(world.partner.size());
    for (std::uint32_t s = 0; s < world.partner.size(); ++s) world.ward[world.partner[s].value] = Slot{s};
    for (std::uint32_t s = 0; s < plan.world.size(); ++s) world.nodes.push_back(launch[plan.world[s].value].node);
    return world;
}

}  // namespace

/// The next complete round, or the end. In the agent-on-the-engine mode this is where the agent works.
std::shared_ptr<const agent::Handover> Session::Impl::wait_for_round() {
    for (;;) {
        agent::reach_pause();
        if (!over) do_chores();
        if (config.agent == AgentThread::engine) {
            if (auto given = mailbox.take(std::chrono::milliseconds(0))) return given;
            agent->pump(kTick);
        } else if (auto given = mailbox.take(kLook)) {
            return given;
        }
    }
}

void Session::Impl::add_report(const agent::Handover& handover, bool seen) {
    if (!std::exchange(formed, true) && handover.plan.lost.empty()) return;
    const auto& times = handover.times;
    RoundReport report{.from = Round{handover.plan.round.value - 1},
                       .to = handover.plan.round,
                       .lost = handover.plan.lost,
                       .promoted = {}};
    for (const auto& promotion : handover.plan.promoted) report.promoted.push_back({promotion.rank, promotion.slot});
    report.size = static_cast<std::uint32_t>(handover.plan.world.size());
    const auto now = agent::Clock::now();
    report.detect_ms = times.detect_ms();
    report.shrink_ms = times.shrink_ms();
    report.build_ms = times.build_ms();
    report.hand_over_ms = seen ? times.since_built_ms(now) : 0;
    report.stalled_ms = times.since_noticed_ms(now);  // Until a commit tells more.
    rounds.push_back(std::move(report));
    first_commit_due = seen;
}

void Session::Impl::take_over(std::shared_ptr<const agent::Handover> next) {
    mailbox.forget_tracked();
    mailbox.retire(std::exchange(current, std::move(next)));
    if (current->ending) {
        ending = {current->ending->code, current->ending->reason};
        over = true;
        agent::end_timed_faults();
        stage.close();
        return;
    }
    const World before = std::exchange(world, world_of(*current, started.self, launch, config));
    if (const auto* entry = world.step ? mailbox.ledger.entry_of(*world.step) : nullptr) world.blob = entry->blob;
    round = world.round.value;
    turns->enter(*current, world);
    if (agent::has_steward(config)) show_replica(before);
    for (const auto& missed : current->missed) add_report(*missed, false);
    add_report(*current, true);
    untold = true;
}

Turn Session::Impl::next() {
    for (;;) {
        if (over) return {Turn::ended};
        if (untold) {
            if (turns->suspended()) return turns->resume();  // So that the new round finds everything in place.
            if (!learn_its_replica()) {
                take_over(wait_for_round());
                continue;
            }
            untold = false;
            if (config.hooks.world_changed) config.hooks.world_changed(world);
            if (world.slot) return {Turn::rebuilt};
            if (!std::exchange(warmed_up, true) && config.hooks.warm_up) config.hooks.warm_up();
        }
        if (config.agent == AgentThread::engine) agent->pump(std::chrono::milliseconds(0));
        do_chores();
        if (world.slot && !mailbox.interrupted()) {
            const auto turn = turns->next();
            if (turn && turn->kind != Turn::ended) return *turn;
            if (turn) leave();  // Stopped.
        }
        if (!over) take_over(wait_for_round());
    }
}

void Session::Impl::leave() {
    if (over) return;
    mailbox.leave();
    while (!over) take_over(wait_for_round());
}

/// Called from exit() or terminate(): the engine thread may be anywhere, so nothing of its state is touched.
bool Session::Impl::go(std::string why) {
    mailbox.go(std::move(why));
    const auto until = agent::Clock::now() + kGoPatience;
    while (agent::Clock::now() < until) {
        if (config.agent == AgentThread::engine) agent->pump(std::chrono::milliseconds(0));
        if (const auto given = mailbox.take(kTick); given && given->ending) return true;
    }
    return false;
}

void Session::Impl::stop(ExitCode code, const std::string& reason) {
    mailbox.wish({code, "rank " + std::to_string(started.self.value) + " in round " + std::to_string(round.load()) +
                            ": " + reason});
}

Session::Session(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

Turn Session::next() { return impl_->next(); }
Result<Step> Session::commit(Step step, std::span<const std::byte> blob) { return impl_->commit(step, blob); }
void Session::leave() { impl_->leave(); }
void Session::regroup() { impl_->mailbox.ask_for_round(); }
void Session::park() { impl_->mailbox.park(true); }
void Session::unpark() { impl_->mailbox.park(false); }
void Session::set_closed() { impl_->mailbox.close(); }
void Session::abort(std::string reason) { impl_->stop(ExitCode::aborted, reason); }
void Session::stop(ExitCode code, std::string reason) { impl_->stop(code, reason); }
Result<Done> Session::reply(const Request& request, std::span<const std::byte> bytes) {
    if (impl_->over) return Error{Fault::ended, "the session is over"};
    return impl_->turns->reply(request, bytes);
}
void Session::load(Load load) { impl_->inbox.say_load(std::move(load)); }
bool Session::aborted(const Request& request) const { return impl_->inbox.is_called_off(request.client, request.id); }
void Session::manage(Buffer& buffer) { impl_->turns->manage(buffer); }
void Session::unmanage(Buffer& buffer) { impl_->turns->unmanage(buffer); }
const TurnCounts& Session::turns() const { return impl_->turns->counts(); }
bool Session::interrupted() const { return impl_->mailbox.interrupted(); }
Rank Session::rank() const { return impl_->started.self; }
bool Session::is_client() const { return impl_->launch[impl_->started.self.value].client; }
const World& Session::world() const { return impl_->world; }
const std::vector<RoundReport>& Session::rounds() const { return impl_->rounds; }
const Ending& Session::ending() const { return impl_->ending; }

MPI_Comm communicator(const Session& session) {
    const auto& current = session.impl().current;
    return current->comms ? current->comms->world.get() : MPI_COMM_NULL;
}

MPI_Comm group_communicator(const Session& session) {
    const auto& current = session.impl().current;
    return current->comms ? current->comms->group.get() : MPI_COMM_NULL;
}

Result<Done> track(Session& session, MPI_Comm comm) {
    auto& impl = session.impl();
    const auto ours = impl.ours();
    if (!ours) return ours.error();
    const agent::Watch watch(impl.watchdog, agent::Watchdog::engine_lane, "all engines to track a communicator",
                             impl.config.commit_deadline_ms);
    if (const int code = MPI_Barrier(*ours); code != MPI_SUCCESS) return impl.lost(code, "track");
    if (comm == MPI_COMM_NULL) return Done{};
    mpi::attach_error_handler(comm);
    impl.mailbox.track(comm);
    return Done{};
}

void untrack(Session& session, MPI_Comm comm) { session.impl().mailbox.untrack(comm); }

}  // namespace muster
