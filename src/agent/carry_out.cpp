// SPDX-License-Identifier: Apache-2.0
/// The driver loop: effects of core::Recovery, carried out in order over MPI.
#include <algorithm>
#include <csignal>
#include <deque>
#include <nlohmann/json.hpp>

#include "agent/agent.hpp"
#include "agent/inject.hpp"
#include "agent/log.hpp"
#include "agent/settings.hpp"
#include "core/assert.hpp"
#include "core/ranks.hpp"

namespace muster::agent {
namespace {

constexpr unsigned kFailuresMax = 1000;
constexpr unsigned kFruitlessMax = 8;
constexpr auto kCalm = std::chrono::seconds(10);
constexpr auto kFarewell = std::chrono::milliseconds(1'000);  ///< A member may hang.

}  // namespace

void Agent::run(core::Effects effects) {
    std::deque<core::Effect> due(effects.begin(), effects.end());
    while (!due.empty()) {
        const core::Effect effect = std::move(due.front());
        due.pop_front();
        const auto input = carry_out(effect);
        if (!input) continue;
        const bool failed = std::holds_alternative<core::Failed>(*input);
        if (failed) ++failures_in_a_row_, troubled_ = true;
        if (failures_in_a_row_ > kFailuresMax) {
            say("giving up: " + std::to_string(kFailuresMax) + " recoveries in a row failed in phase " +
                core::name_of(recovery_.phase()));
            link_.send(ended_event(ExitCode::internal, "recovery failed again and again"));
            (void)std::raise(SIGKILL);  // A death that MPI notices; an exit it would not.
        }
        for (auto& next : recovery_.step(*input)) due.push_back(std::move(next));
        trace(std::string(failed ? "failed; " : "") + "phase " + core::name_of(recovery_.phase()));
    }
}

std::optional<core::Input> Agent::carry_out(const core::Effect& effect) {
    return std::visit([this](const auto& one) { return perform(one); }, effect);
}

/// Freezes the ledger: from here on no commit of the old round can succeed.
core::Facts Agent::own_facts() {
    switchboard_.engine_says(inbox_.says(switchboard_.in_progress()));  // For the wave that it is in.
    const auto picture = mailbox_.ledger.freeze();
    if (const auto barrier = mailbox_.crossings.freeze(); barrier > switchboard_.facts().crossed)
        apply(switchboard_.crossed(barrier));
    state_exists_ = state_exists_ || picture.committed.has_value();
    told_parked_ = mailbox_.parked();
    told_close_ = mailbox_.closes();
    told_seats_ = switchboard_.coordinates() ? mailbox_.seat_wishes() : core::SeatWishes{};
    return {.rank = self_,
            .leaving = mailbox_.leaving(),
            .parked = told_parked_,
            .close = told_close_,
            .asked = asked_,
            .going = mailbox_.going(),
            .committed = picture.committed,
            .attempted = picture.attempted,
            .state_exists = state_exists_,
            .committed_in = picture.committed_in,
            .proven_dead = proven_,
            .wish = mailbox_.wish(),
            .lifecycle = switchboard_.facts(),
            .mirror = switchboard_.mirror(),
            .seats = told_seats_};
}

mpi::WorldShape Agent::shape_of(const core::Plan& plan) const {
    return {.group = core::groups_of(placement_settings(config_), static_cast<std::uint32_t>(plan.world.size())),
            .engine_ranks = config_.engine_ranks};
}

std::optional<core::Input> Agent::perform(const core::Gather& gather) {
    const Watch watch(watchdog_, Watchdog::agent_lane, "gathering the survivors' facts", config_.recovery_deadline_ms);
    prove(gather);
    const auto facts = own_facts();
    auto all = mpi::gather(pool_, place_of(gather.root), core::encode(facts));
    if (!all) return core::Failed{};
    core::Gathered gathered;
    for (const auto& bytes : *all) {
        auto one = core::decode_facts(bytes);
        if (!one) return core::Failed{};
        gathered.facts.push_back(std::move(*one));
    }
    reach_point("gathered");
    return gathered;
}

std::optional<core::Input> Agent::perform(const core::Broadcast& effect) {
    const Watch watch(watchdog_, Watchdog::agent_lane, "the coordinator's plan", config_.recovery_deadline_ms);
    auto bytes =
        mpi::broadcast(pool_, place_of(effect.root), effect.root == self_ ? core::encode(effect.plan) : core::Bytes());
    if (!bytes) return core::Failed{};
    auto plan = core::decode_plan(*bytes);
    if (!plan) return core::Failed{};
    steps_ = effect.events;
    reach_point("planned");
    return core::Planned{std::move(*plan)};
}

/// Newcomers learn what was committed with the agreed step from a slot that has it.
Result<Done> Agent::share_blob(const core::Plan& plan) {
    blob_.clear();
    if (plan.newcomers.empty() || !plan.source || !plan.step) return Done{};
    const Rank source = plan.world[plan.source->value];
    core::Bytes own;
    if (source == self_) {
        const auto* entry = mailbox_.ledger.entry_of(*plan.step);
        MUSTER_ASSERT(entry != nullptr);
        own = entry->blob;
    }
    auto blob = mpi::broadcast(pool_, place_of(source), std::move(own));
    if (!blob) return blob.error();
    blob_ = std::move(*blob);
    return Done{};
}

std::optional<core::Input> Agent::perform(const core::Build& effect) {
    const Watch watch(watchdog_, Watchdog::agent_lane, "building the round's communicators",
                      config_.recovery_deadline_ms);
    if (!share_blob(effect.plan)) return core::Failed{};
    auto built = mpi::build(pool_, effect.plan, self_, shape_of(effect.plan), reach_point);
    if (!built) return core::Failed{};
    building_ = std::move(*built);
    reach_point("built");
    return core::Built{};
}

std::optional<core::Input> Agent::perform(const core::Agree& effect) {
    const Watch watch(watchdog_, Watchdog::agent_lane, "agreement: all survivors to have built the round",
                      config_.recovery_deadline_ms);
    if (!mpi::agree(pool_, effect.yes)) return core::Failed{};
    times_.built = Clock::now();
    reach_point("agreed");
    return core::Agreed{};
}

/// An engine whose own calls fail without anybody's death would have the world rebuilt for ever.
void Agent::count_fruitless(const core::Plan& plan) {
    const bool fruitful =
        !plan.lost.empty() || plan.asked || plan.step > last_step_ || times_.noticed - last_rebuild_ > kCalm;
    fruitless_ = fruitful ? 0 : fruitless_ + 1;
    last_step_ = plan.step;
    last_rebuild_ = times_.noticed;
    if (fruitless_ < kFruitlessMax) return;
    mailbox_.wish({ExitCode::aborted, std::to_string(fruitless_) +
                                          " rebuilds within seconds lost nobody and led to no commit: an engine's own "
                                          "MPI calls seem to fail (last seen by rank " +
                                          std::to_string(self_.value) + ")"});
}

void Agent::tell_launcher_joined(const core::Plan& plan) {
    nlohmann::json nodes = nlohmann::json::array();
    for (const auto& entry : roster_)
        if (std::find(nodes.begin(), nodes.end(), entry.member.node) == nodes.end()) nodes.push_back(entry.member.node);
    link_.send({{"event", "joined"},
                {"run_id", config_.run_id},
                {"engines", plan.world.size() / config_.engine_ranks},
                {"engine_ranks", config_.engine_ranks},
                {"standbys", plan.standbys.size()},
                {"clients", plan.clients.size()},
                {"nodes", nodes},
                {"round", plan.round.value}});
}

std::optional<core::Input> Agent::perform(const core::HandOver& effect) {
    failures_in_a_row_ = 0;
    events_.write(std::exchange(steps_, {}));
    auto handover = std::make_shared<Handover>();
    handover->plan = effect.plan;
    handover->blob = std::move(blob_);
    handover->times = times_;
    if (building_->pool) {
        pool_ = std::move(*building_->pool);
        places_ = pool_.ranks();
    }
    const bool first = comms_ == nullptr;
    comms_ = std::make_shared<mpi::RoundComms>(std::move(building_->comms));
    building_.reset();
    handover->comms = comms_;
    if (!effect.plan.lost.empty()) lost_any_ = true;
    if (effect.plan.step) state_exists_ = true;
    if (told_parked_ && core::contains(effect.plan.world, self_)) mailbox_.taken_back(), told_parked_ = false;
    asked_ = calm_ = troubled_ = standbys_told_ = false;
    if (!first || !effect.plan.lost.empty()) {
        count_fruitless(effect.plan);
        report_again();
        if (!effect.plan.lost.empty()) recent_ = handover;
        unreported_ = handover;
        unreported_since_ = Clock::now();
    } else if (recovery_.coordinator() == self_) {
        tell_launcher_joined(effect.plan);
    }
    desk_.clear();
    announced_leaving_ = false;
    set_log_round(effect.plan.round);
    enter_round(effect.plan);
    mailbox_.give(std::move(handover));
    mailbox_.ask_again_unless(told_parked_, told_close_);
    mailbox_.seats_settled(std::exchange(told_seats_, {}), !switchboard_.coordinates());
    reach_point("handed_over");
    return std::nullopt;
}

std::optional<core::Input> Agent::perform(const core::End& effect) {
    ended_ = true;
    heart_.stop();
    if (effect.plan.ending) {
        mpi::farewell(pool_, kFarewell);
        // Two tell the launcher, so that the death of either does not lose the verdict.
        auto pool = recovery_.pool();
        std::sort(pool.begin(), pool.end());
        const bool second = pool.size() > 1 && (pool[0] == recovery_.coordinator() ? pool[1] : pool[0]) == self_;
        events_.write(std::exchange(steps_, {}));
        report();
        report_again();
        if (recovery_.coordinator() == self_ || second)
            link_.send(ended_event(effect.ending.code, effect.ending.reason));
    } else {
        lost_any_ = true;  // The others go on: a finalize would wait for them.
    }
    if (!effect.plan.lost.empty()) lost_any_ = true;
    apply(switchboard_.ended(effect.plan.lifecycle, {Fault::ended, "the job has ended: " + effect.ending.reason}));
    desk_of_clients_.end({Fault::ended, "the job has ended: " + effect.ending.reason});
    auto handover = std::make_shared<Handover>();
    handover->plan = effect.plan;
    handover->ending = effect.ending;
    handover->times = times_;
    mailbox_.give(std::move(handover));
    inbox_.poke();
    return std::nullopt;
}

int Agent::place_of(Rank rank) const {
    const auto place = std::find(places_.begin(), places_.end(), rank);
    MUSTER_ASSERT(place != places_.end());
    return static_cast<int>(place - places_.begin());
}

}  // namespace muster::agent
