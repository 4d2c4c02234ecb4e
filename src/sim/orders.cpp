// SPDX-License-Identifier: Apache-2.0
/// What programs ask the job's controller for: backends and endpoints that come, change and go, traffic, shadows; they
/// wait for goals, look, and listen for changes. Every value that is written is its writer's own.
#include <algorithm>

#include "sim/names.hpp"
#include "sim/stage.hpp"

namespace muster::sim {

using namespace core::controller;

namespace {

constexpr std::size_t kOrdersMax = 6;  ///< Open calls per member.
constexpr std::uint32_t kReplicasMax = 3;
constexpr double kUnique = 1e-13;  ///< So much differs a weight from any other; a sum may be wrong by 1e-8.
constexpr std::uint32_t kGivesUpMaxMs = 150;

std::uint32_t every(double per_ms) { return static_cast<std::uint32_t>(2 * kTicksPerMs / per_ms); }

template <class Names>
const std::string& one_of(const Names& names, Dice& dice) {
    return names[dice.below(names.size())];
}

AutoscalingConfig hasty_autoscaling() {
    return {.min_replicas = 1,
            .max_replicas = 3,
            .target_ongoing_requests = 2,
            .upscale_delay_s = 0.03,
            .downscale_delay_s = 0.1,
            .look_back_period_s = 0.03};
}

}  // namespace

/// What there is from the start, so that much can happen to it.
void World::Stage::order_first(Member& member) {
    for (const auto& tag : kBackendTags) {
        BackendConfig config;
        config.user_config = "\"first\"";
        config.graceful_shutdown_timeout_s = 0.1;
        call_controller(member, Command{CreateBackend{tag, config, "1"}});
    }
    for (const auto& name : kEndpointNames)
        call_controller(member, Command{CreateEndpoint{name, any_traffic(), std::nullopt, {"first"}}});
}

void World::Stage::begin_orders(Member& member) {
    if (member.rank.value + 1 == members_.size()) order_first(member);
    arrange(dice_.between(1, every(options_.orders_per_ms)), member, Happening::program_orders);
    if (dice_.below(4) != 0) return;
    Listening listening;
    for (auto more = dice_.between(1, 4); more > 0; --more) {
        const auto topic = static_cast<Topic>(dice_.below(4));
        std::string key = core::controller::name_of(topic);
        const bool of_backend = topic == Topic::backend_configs || topic == Topic::replica_handles;
        if (dice_.below(3) == 0)
            key += ":" + (of_backend ? one_of(kBackendTags, dice_) : one_of(kEndpointNames, dice_));
        listening.keys[key] = core::kNeverSeen;
    }
    member.listening = std::move(listening);
    arrange(dice_.between(1, 1'000), member, Happening::program_listens);
}

void World::Stage::program_orders(Member& member) {
    if (healed_ || member.ended) return;
    arrange(dice_.between(1, every(options_.orders_per_ms)), member, Happening::program_orders);
    if (dice_.chance(options_.faults.kill_draining)) kill_one_that_drains();
    const auto open = std::count_if(member.calls.open.begin(), member.calls.open.end(),
                                    [](const auto& call) { return call.second.controller; });
    if (!member.alive || !member.view || static_cast<std::size_t>(open) >= kOrdersMax) return;
    call_controller(member, any_order(member));
}

void World::Stage::call_controller(Member& member, const Call& call) {
    const core::CallId id{++member.calls.made};
    const bool changes = std::holds_alternative<Command>(call);
    const auto* question = std::get_if<Question>(&call);
    const bool waits = question && (std::holds_alternative<WaitForGoal>(*question) ||
                                    std::holds_alternative<ListenForChange>(*question));
    member.calls.open[id.value] = {.controller = true, .waits = waits};
    core::message::ControllerAsk ask{id, encode(call), id, {}};
    for (const auto& [other, one] : member.calls.open)
        if (one.controller && !one.waits && other < ask.settled.value) ask.settled.value = other;
    if (changes) ++counts_.orders;
    witness_.controller().asks(member, id, call, now());
    if (!waits && !healed_ && dice_.below(10) == 0)
        arrange(dice_.between(1, kGivesUpMaxMs) * kTicksPerMs, member, Happening::call_due,
                static_cast<std::uint32_t>(id.value));
    post(member, std::move(ask));
}

// What is asked for.

Call World::Stage::any_order(const Member& member) {
    const std::string mark = std::to_string(member.rank.value) + "." + std::to_string(member.calls.made + 1);
    const auto dice = dice_.below(20);
    if (dice < 8) return any_backend_order(mark);
    if (dice < 14) return any_endpoint_order(mark);
    return any_question();
}

Command World::Stage::any_backend_order(const std::string& mark) {
    const auto& tag = one_of(kBackendTags, dice_);
    const auto dice = dice_.below(12);
    if (dice == 0) return DeleteBackend{tag, dice_.below(2) == 0};
    const auto dice_replicas = dice_.below(8);
    const auto replicas = dice_replicas == 0 ? 0 : dice_replicas < 7 ? dice_.between(1, 2) : kReplicasMax;
    if (dice < 7) {
        BackendConfigUpdate update;
        update.num_replicas = replicas;
        update.user_config = "\"" + mark + "\"";
        return UpdateBackendConfig{tag, update};
    }
    BackendConfig config;
    config.num_replicas = replicas;
    config.user_config = "\"" + mark + "\"";
    config.graceful_shutdown_timeout_s = dice_.below(4) == 0 ? 0 : 0.01 * dice_.between(1, 10);
    if (dice_.below(5) == 0) config.autoscaling = hasty_autoscaling();
    return CreateBackend{tag, config, dice_.below(4) == 0 ? "2" : "1"};
}

TrafficDict World::Stage::any_traffic() {
    const auto first = dice_.below(kBackendTags.size());
    const double own = kUnique * static_cast<double>(++last_order_);
    if (dice_.below(2) == 0) return {{kBackendTags[first], 1 + own}};
    const double weight = 0.1 * dice_.between(1, 9);
    return {{kBackendTags[first], weight}, {kBackendTags[(first + 1) % kBackendTags.size()], 1 - weight + own}};
}

Command World::Stage::any_endpoint_order(const std::string& mark) {
    const auto& name = one_of(kEndpointNames, dice_);
    const auto dice = dice_.below(12);
    if (dice == 0) return DeleteEndpoint{name};
    if (dice < 4) return CreateEndpoint{name, any_traffic(), std::nullopt, {mark}};
    if (dice < 9) return SetTraffic{name, any_traffic()};
    const double own = kUnique * static_cast<double>(++last_order_);
    return ShadowTraffic{name, one_of(kBackendTags, dice_), dice_.below(4) == 0 ? 0 : 0.1 * dice_.between(1, 9) + own};
}

Question World::Stage::any_question() {
    const auto goal = witness_.controller().some_goal(dice_);
    switch (dice_.below(goal ? 8 : 5)) {
        case 0: return GetBackendConfig{one_of(kBackendTags, dice_)};
        case 1: return ListBackends{};
        case 2: return ListEndpoints{};
        case 3: return ListReplicas{};
        case 4: return CountPendingGoals{};
        default:
            return WaitForGoal{
                *goal, dice_.below(2) == 0 ? std::nullopt : std::optional<std::uint64_t>(dice_.between(1, 200))};
    }
}

/// Mostly an endpoint, sometimes a backend by a handle.
core::Target World::Stage::any_target() {
    if (dice_.below(4) > 0) return {core::Target::endpoint, one_of(kEndpointNames, dice_)};
    return {core::Target::backend, one_of(kBackendTags, dice_)};
}

// Answers.

void World::Stage::perform(Member& member, core::ControllerCallEnded& effect) {
    const auto id = effect.told.id.value;
    if (followed())
        tell(member,
             "controller call " + std::to_string(id) + " ends" + (effect.told.error ? ": " + *effect.told.error : ""));
    witness_.controller().answered(member, effect, now());
    member.calls.open.erase(id);
    if (effect.over) return;
    if (effect.told.error) {
        ++counts_.orders_refused;
        return;
    }
    const auto answer = decode_answer(effect.told.answer);
    if (!answer) return;
    if (std::holds_alternative<CallDone>(*answer)) ++counts_.orders_done;
    if (std::holds_alternative<Viewed>(*answer)) ++counts_.looked;
    if (const auto* ended = std::get_if<WaitEnded>(&*answer); ended && ended->outcome != GoalOutcome::pending)
        ++counts_.waited;
    if (const auto* changed = std::get_if<Changed>(&*answer)) hear_changes(member, *changed);
}

void World::Stage::hear_changes(Member& member, const Changed& changed) {
    counts_.heard += changed.keys.size();
    for (const auto& [key, snapshot] : changed.keys) {
        member.listening->keys[key] = snapshot.id;
        member.listening->seen[key] = snapshot.value;
    }
    arrange(dice_.between(1, 500), member, Happening::program_listens);
}

/// Again and again, with what it knows.
void World::Stage::program_listens(Member& member) {
    if (member.ended) return;
    const auto limit = dice_.below(3) == 0 ? std::nullopt : std::optional<std::uint64_t>(dice_.between(20, 200));
    call_controller(member, Question{ListenForChange{member.listening->keys, limit}});
}

/// In the end: what is open may only be waiting for what nobody wants.
std::string World::Stage::unrest() {
    const Member* some = newest();
    const Member& coordinator = members_[some->view->coordinator.value];
    auto why = witness_.controller().unrest(coordinator, members_, core::unit_of(plan_settings_.placement));
    if (!why.empty()) return why;
    for (const auto& member : members_) {
        if (!member.alive || member.ended || !member.book) continue;
        for (const auto id : member.book->open_requests)
            if (!witness_.controller().may_wait(coordinator, {member.rank, RequestId{id}}))
                return "rank " + std::to_string(member.rank.value) + "'s request " + std::to_string(id) + " is open";
    }
    return "";
}

}  // namespace muster::sim
