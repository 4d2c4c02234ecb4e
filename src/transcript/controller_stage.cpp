// SPDX-License-Identifier: Apache-2.0
#include "transcript/controller_stage.hpp"

#include <algorithm>
#include <cctype>

#include "transcript/controller_fields.hpp"

namespace muster::transcript {

namespace ctl = core::controller;

namespace {

using Kind = ctl::ReplicaReport::Kind;

constexpr ctl::Topic kTopics[] = {ctl::Topic::backend_configs, ctl::Topic::replica_handles, ctl::Topic::route_table,
                                  ctl::Topic::traffic_policies};

core::Value value_of(const Json& view) {
    if (view.is_null()) return nullptr;
    const auto text = view.dump();
    const auto bytes = std::as_bytes(std::span(text));
    return core::value_of(core::Bytes(bytes.begin(), bytes.end()));
}

Json json_of(const core::Value& value) {
    if (!value) return nullptr;
    std::string text;
    for (const auto byte : *value) text.push_back(static_cast<char>(byte));
    return Json::parse(text);
}

/// "backend_configs:b", "LongPollKey.BACKEND_CONFIGS" -> as the board names it. Tags are left as they are.
std::string key_on_board(std::string key) {
    constexpr std::string_view prefix = "LongPollKey.";
    if (key.starts_with(prefix)) key.erase(0, prefix.size());
    const auto end = std::min(key.find(':'), key.size());
    auto upper = key;
    for (std::size_t i = 0; i < end; ++i)
        upper[i] = static_cast<char>(std::toupper(static_cast<unsigned char>(key[i])));
    const auto topic = upper.substr(0, end);
    const bool known =
        std::any_of(std::begin(kTopics), std::end(kTopics), [&topic](ctl::Topic one) { return topic == name_of(one); });
    return known ? upper : key;
}

/// What a wait for a goal comes to, as fields of an answer.
Json outcome_of(ctl::GoalId goal, ctl::GoalOutcome outcome) {
    if (outcome == ctl::GoalOutcome::pending) return {{"result", false}};  // Its time is over.
    if (outcome != ctl::GoalOutcome::failed) return {{"result", true}};
    return {{"result", false},
            {"error", "goal g" + std::to_string(goal.value) + " failed: replicas could not be started"}};
}

Json with_line(ctl::WaiterId line, const Json& fields) {
    Json answer{{"line", line.value}};
    answer.update(fields);
    return answer;
}

}  // namespace

ControllerStage::ControllerStage() {
    Scene first;
    begin(first);
}

void ControllerStage::begin(Scene& scene) {
    up_ = true;
    folded_ = std::make_unique<ctl::FoldedState>();
    for (const auto& record : journal_) static_cast<void>(folded_->apply(record));
    controller_ = std::make_unique<ctl::Controller>(*folded_, ctl::ControllerSettings{});
    controller_->gates().set_nodes(nodes_);
    board_ = std::make_unique<core::LongPoll>(++incarnation_);
    carry_out(controller_->start(now_ms_), scene);
    if (!up_) return;
    for (const auto topic : kTopics)
        if (!board_->id_of(name_of(topic))) publish(topic, {}, true, scene);
    answer(board_->open(), scene);
}

void ControllerStage::crash_and_recover(Scene& scene) {
    begin(scene);
    if (up_) ask_again(scene);
}

/// Clients attach to the successor by themselves and ask for what they still wait for.
void ControllerStage::ask_again(Scene& scene) {
    for (const auto& [line, call] : std::map(goal_calls_))
        if (const auto outcome = controller_->wait_for_goal(line, call.goal, call.until_ms))
            carry_out(ctl::EndWait{line, call.goal, *outcome}, scene);
    for (const auto& [line, call] : std::map(listen_calls_))
        answer(board_->listen(core::ListenerId{line.value}, call.listen), scene);
}

std::optional<ctl::GoalId> ControllerStage::call(const ctl::Command& command, Scene& scene) {
    ctl::Surroundings around;
    around.room = room_;
    if (scaling_fails_) around.scaling_fails = "The scaling step failed (fail_next_scale).";
    const auto step = controller_->call(command, around, now_ms_);
    if (step.scaled) scaling_fails_ = false;
    if (step.error) {
        scene.error = step.error;
        return std::nullopt;
    }
    carry_out(step, scene);
    if (scene.error) return std::nullopt;
    return step.goal;
}

void ControllerStage::turn(Scene& scene) {
    controller_->set_room(room_);
    answer(board_->tick(now_ms_), scene);
    carry_out(controller_->turn(now_ms_), scene);
    if (up_ && !scene.error) carry_out(controller_->settle(now_ms_), scene);
}

bool ControllerStage::checkpoint(const ctl::Step& step, Scene& scene) {
    if (step.records.empty()) return true;
    if (checkpoint_fails_) {
        checkpoint_fails_ = false;
        scene.error = "The checkpoint could not be written (fail_next_checkpoint). Nothing has changed.";
        return false;
    }
    if (!enters("checkpoint", scene)) return false;
    journal_.insert(journal_.end(), step.records.begin(), step.records.end());
    return true;
}

void ControllerStage::carry_out(const ctl::Step& step, Scene& scene) {
    if (checkpoint(step, scene))
        carry_out(controller_->commit(step), scene);
    else
        controller_->abandon(step);
}

void ControllerStage::carry_out(const ctl::Effects& effects, Scene& scene) {
    for (const auto& effect : effects)
        if (up_) std::visit([this, &scene](const auto& one) { carry_out(one, scene); }, effect);
}

bool ControllerStage::enters(const std::string& what, Scene& scene) {
    if (scene.crash_after && scene.order.size() >= *scene.crash_after) {
        up_ = false;
        scene.error = "The controller has crashed (crash_after).";
        return false;
    }
    scene.order.push_back(what);
    scene.effects.push_back(what);
    return true;
}

void ControllerStage::carry_out(const ctl::Push& effect, Scene& scene) {
    if (enters(std::string("push:") + name_of(effect.topic), scene)) publish(effect.topic, effect.tags, true, scene);
}

void ControllerStage::carry_out(const ctl::Retire& effect, Scene& scene) {
    publish(effect.topic, {effect.tag}, false, scene);
}

void ControllerStage::carry_out(const ctl::EndWait& effect, Scene& scene) {
    scene.then.push_back(with_line(effect.waiter, outcome_of(effect.goal, effect.outcome)));
    goal_calls_.erase(effect.waiter);
}

void ControllerStage::carry_out(const ctl::StartReplica& effect, Scene& scene) {
    const auto name = text_of(effect.name);
    if (failing_starts_ > 0) {
        --failing_starts_;
        scene.effects.push_back("start_failed:" + name);
        return report(effect.name, Kind::start_failed);
    }
    scene.effects.push_back((running_.insert(name).second ? "start:" : "attach:") + name);
    report(effect.name, Kind::started);
}

void ControllerStage::carry_out(const ctl::AttachReplica& effect, Scene& scene) {
    const auto name = text_of(effect.name);
    const bool is_there = running_.contains(name);
    scene.effects.push_back((is_there ? "attach:" : "not_there:") + name);
    if (!is_there) report(effect.name, Kind::gone);
}

void ControllerStage::carry_out(const ctl::StopReplica& effect, Scene& scene) {
    scene.effects.push_back((effect.grace_ms > 0 ? "drain:" : "kill:") + text_of(effect.name));
    running_.erase(text_of(effect.name));  // Also where it is gone already.
    report(effect.name, Kind::gone);
}

void ControllerStage::carry_out(const ctl::CheckReplica& effect, Scene&) {
    report(effect.name, running_.contains(text_of(effect.name)) ? Kind::well : Kind::gone);
}

void ControllerStage::carry_out(const ctl::StartGate& effect, Scene& scene) {
    scene.effects.push_back("start_gate:" + effect.node);
    controller_->gates().up(effect.node);
}

void ControllerStage::carry_out(const ctl::StopGate& effect, Scene& scene) {
    scene.effects.push_back("stop_gate:" + effect.node);
    controller_->gates().gone(effect.node);
}

void ControllerStage::carry_out(const ctl::KillGate& effect, Scene& scene) {
    if (enters("kill_proxy:" + effect.node, scene)) controller_->gates().gone(effect.node);
}

void ControllerStage::carry_out(const ctl::KillReplica& effect, Scene& scene) {
    if (enters("kill_replica:" + text_of(effect.name), scene)) running_.erase(text_of(effect.name));
}

void ControllerStage::carry_out(const ctl::DeleteCheckpoint& effect, Scene& scene) {
    if (!enters("delete_checkpoint", scene)) return;
    journal_.clear();
    static_cast<void>(folded_->apply(effect.record));
    carry_out(controller_->cleared(), scene);
}

void ControllerStage::carry_out(const ctl::Exit&, Scene&) { up_ = false; }
void ControllerStage::carry_out(const ctl::Warn& effect, Scene& scene) { scene.warnings.push_back(effect.text); }

void ControllerStage::publish(ctl::Topic topic, const std::vector<std::string>& tags, bool whole, Scene& scene) {
    const std::string name = name_of(topic);
    std::vector<core::LongPoll::Change> changes;
    if (whole) changes.emplace_back(name, value_of(view_of(state(), topic)));
    for (const auto& tag : tags) changes.emplace_back(name + ":" + tag, value_of(view_of(state(), topic, tag)));
    answer(board_->publish(changes), scene);
}

void ControllerStage::answer(const core::LongPollAnswers& answers, Scene& scene) {
    for (const auto& one : answers) {
        const ctl::WaiterId line{one.listener.value};
        scene.then.push_back(with_line(line, {{"result", told(one, listen_calls_.at(line))}}));
        listen_calls_.erase(line);
    }
}

Json ControllerStage::told(const core::LongPollAnswer& answer, const Listener& listener) const {
    Json result = Json::object();
    for (const auto& [key, snapshot] : answer.changed)
        result[listener.spelled.at(key)] = {{"object_snapshot", json_of(snapshot.value)}, {"snapshot_id", snapshot.id}};
    return result;
}

std::optional<Json> ControllerStage::wait_for_goal(WaiterId line, ctl::GoalId goal,
                                                   std::optional<std::uint64_t> limit_ms) {
    const auto until = limit_ms ? std::optional(now_ms_ + *limit_ms) : std::nullopt;
    if (const auto outcome = controller_->wait_for_goal(line, goal, until)) return outcome_of(goal, *outcome);
    goal_calls_[line] = {goal, until};
    return std::nullopt;
}

std::optional<Json> ControllerStage::listen(WaiterId line, const std::map<std::string, core::SnapshotId>& keys,
                                            std::optional<std::uint64_t> limit_ms) {
    Listener call;
    if (limit_ms) call.listen.until_ms = now_ms_ + *limit_ms;
    for (const auto& [spelled, id] : keys) {
        const auto key = key_on_board(spelled);
        call.spelled[key] = spelled;
        call.listen.keys[key] = id;
    }
    const auto answers = board_->listen(core::ListenerId{line.value}, call.listen);
    if (!answers.empty()) return Json{{"result", told(answers.front(), call)}};
    listen_calls_[line] = std::move(call);
    return std::nullopt;
}

void ControllerStage::set_nodes(std::vector<std::string> nodes) {
    nodes_ = std::move(nodes);
    controller_->gates().set_nodes(nodes_);
}

bool ControllerStage::kill_replica(const std::string& name) {
    if (running_.erase(name) == 0) return false;
    if (const auto replica = ctl::replica_from(name)) report(*replica, ctl::ReplicaReport::Kind::gone);
    return true;
}

void ControllerStage::report(const ctl::ReplicaName& name, ctl::ReplicaReport::Kind kind) {
    controller_->report({name, kind}, now_ms_);
}

}  // namespace muster::transcript
