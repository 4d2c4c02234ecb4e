// SPDX-License-Identifier: Apache-2.0
#include "core/recovery.hpp"

#include <algorithm>
#include <array>

#include "core/assert.hpp"
#include "core/overloaded.hpp"
#include "core/ranks.hpp"

namespace muster::core {
namespace {

constexpr std::size_t kInputs = std::variant_size_v<Input>;

/// Which input is expected in which phase. Noticed is welcome wherever a round is or will be; Failed wherever an
/// effect is under way. Columns as in Input: noticed shrunk gathered planned built agreed failed.
constexpr std::array<std::array<bool, kInputs>, 7> kExpected{{
    /* steady    */ {true, false, false, false, false, false, false},
    /* shrinking */ {false, true, false, false, false, false, true},
    /* gathering */ {false, false, true, false, false, false, true},
    /* planning  */ {false, false, false, true, false, false, true},
    /* building  */ {false, false, false, false, true, false, true},
    /* agreeing  */ {false, false, false, false, false, true, true},
    /* ended     */ {true, false, false, false, false, false, false},
}};

}  // namespace

const char* name_of(Phase phase) {
    switch (phase) {
        case Phase::steady: return "steady";
        case Phase::shrinking: return "shrinking";
        case Phase::gathering: return "gathering";
        case Phase::planning: return "planning";
        case Phase::building: return "building";
        case Phase::agreeing: return "agreeing";
        case Phase::ended: return "ended";
    }
    return "unknown";
}

Recovery::Recovery(Rank self, PlanSettings settings, std::vector<Member> launch)
    : self_(self), settings_(std::move(settings)), launch_(std::move(launch)) {
    if (settings_.controller) settings_.placement.engines = groups_min(settings_) * settings_.placement.group_size;
    const std::size_t size = std::size_t{settings_.placement.engines} * settings_.placement.engine_ranks;
    for (const auto& member : launch_) {
        complete_.push_back(member.rank);
        if (!member.client && world_.size() < size) world_.push_back(member.rank);
    }
    pool_ = complete_;
}

Rank Recovery::coordinator() const {
    MUSTER_ASSERT(!pool_.empty());
    return coordinator_among(world_, pool_);
}

Effects Recovery::step(const Input& input) {
    MUSTER_ASSERT(kExpected[static_cast<std::size_t>(phase_)][input.index()]);
    if (phase_ == Phase::ended) return {};
    return std::visit(Overloaded{
                          [this](const Noticed&) { return begin_again(); },
                          [this](const Failed&) { return failed(); },
                          [this](const Shrunk& shrunk) { return gather(shrunk); },
                          [this](const Gathered& gathered) { return plan(gathered); },
                          [this](const Planned& planned) { return build(planned); },
                          [this](const Built&) {
                              phase_ = Phase::agreeing;
                              return Effects{Agree{.yes = true}};
                          },
                          [this](const Agreed&) { return complete(); },
                      },
                      input);
}

Effects Recovery::begin_again() {
    phase_ = Phase::shrinking;
    return {Revoke{}, Shrink{}};
}

/// All members call the same agreements and shrinks on a pool, in the same order: a shrink here beside an agreement
/// there would be taken for one another. So whoever fails before the agreement frees the others and says no in it.
Effects Recovery::failed() {
    if (phase_ == Phase::shrinking || phase_ == Phase::agreeing) return begin_again();
    phase_ = Phase::agreeing;
    return {Revoke{}, Agree{.yes = false}};
}

/// Without the proof of anybody's death, would this pool be too small to go on?
bool Recovery::need_proof() const {
    return settings_.quorum == Quorum::majority && 2 * pool_.size() <= complete_.size();
}

Effects Recovery::gather(const Shrunk& shrunk) {
    pool_ = shrunk.members;
    phase_ = Phase::gathering;
    Gather effect{.root = coordinator(), .prove = {}, .insist = need_proof()};
    const std::string& node = launch_[self_.value].node;
    // One witness a node: its lowest survivor.
    for (const Rank rank : pool_)
        if (rank < self_ && launch_[rank.value].node == node) return {effect};
    for (const Rank rank : complete_)
        if (!contains(pool_, rank) && launch_[rank.value].node == node) effect.prove.push_back(rank);
    return {effect};
}

Effects Recovery::plan(const Gathered& gathered) {
    phase_ = Phase::planning;
    if (coordinator() != self_) return {Broadcast{coordinator(), {}}};
    MUSTER_ASSERT(gathered.facts.size() == pool_.size());
    Broadcast broadcast{self_, {}};
    broadcast.plan = decide({.settings = settings_,
                             .launch = launch_,
                             .next = Round{round_.value + 1},
                             .complete = complete_,
                             .previous = world_,
                             .worlds = worlds_,
                             .present = gathered.facts,
                             .closed = closed_,
                             .seats = seats_},
                            settings_.record ? &broadcast.events : nullptr);
    return {std::move(broadcast)};
}

Effects Recovery::build(const Planned& planned) {
    plan_ = planned.plan;
    if (plan_.ending) {  // Nothing to build; all must know that all know.
        phase_ = Phase::agreeing;
        return {Agree{.yes = true}};
    }
    phase_ = Phase::building;
    return {Build{plan_}};
}

Effects Recovery::complete() {
    if (plan_.ending || contains(plan_.dismissed, self_)) {
        phase_ = Phase::ended;
        const bool closed = plan_.closed && !plan_.ending;
        const std::string reason = closed ? "the rendezvous '" + settings_.run_id + "' is closed" : "";
        return {End{plan_.ending.value_or(Wish{ExitCode::finished, reason}), plan_}};
    }
    MUSTER_ASSERT(plan_.round > round_);
    phase_ = Phase::steady;
    round_ = plan_.round;
    closed_ = plan_.closed;
    world_ = plan_.world;
    seats_ = plan_.seats;
    complete_ = plan_.world;
    complete_.insert(complete_.end(), plan_.standbys.begin(), plan_.standbys.end());
    complete_.insert(complete_.end(), plan_.clients.begin(), plan_.clients.end());
    std::erase_if(pool_, [this](Rank rank) { return !contains(complete_, rank); });
    worlds_[round_] = world_;
    std::erase_if(worlds_, [this](const auto& old) { return old.first < plan_.state_round; });
    return {HandOver{plan_}};
}

}  // namespace muster::core
