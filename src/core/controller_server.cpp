// SPDX-License-Identifier: Apache-2.0
// Calls that change something, the control loop, and what leaves when. Questions: controller_questions.cpp.
#include "core/controller_server.hpp"

#include <algorithm>
#include <iterator>

#include "core/overloaded.hpp"

namespace muster::core {

using namespace controller;

namespace {

constexpr std::size_t kRememberedMax = 1024;  ///< Changes of one client that it has not said to have the answers to.
constexpr Topic kTopics[] = {Topic::backend_configs, Topic::replica_handles, Topic::route_table,
                             Topic::traffic_policies};

void append(MirrorEffects more, MirrorEffects& out) { std::move(more.begin(), more.end(), std::back_inserter(out)); }

std::string not_written(const std::string& why) {
    return "nothing has changed, since it could not be written down: " + why;
}

}  // namespace

void ControllerServer::complete(bool coordinates, const std::vector<Rank>& members) {
    interrupted_ = false;
    if (coordinates) return forget_absent(members);
    controller_.reset();
    board_.reset();
    early_.clear();  // Whoever has asked here asks the successor.
    held_.clear();
    callers_.clear();
    waiting_.clear();
}

MirrorEffects ControllerServer::ask(Rank client, message::ControllerAsk ask) {
    if (!serves()) {
        early_.emplace_back(client, std::move(ask));
        return {};
    }
    const auto call = decode_call(ask.call);
    if (!call) {
        refuse(client, ask.id, "this is no call that the controller knows");
        return {};
    }
    if (const auto* command = std::get_if<Command>(&*call)) return change(client, ask, *command);
    look(client, ask.id, std::get<Question>(*call));
    return {};
}

MirrorEffects ControllerServer::change(Rank client, const message::ControllerAsk& ask, const Command& command) {
    MirrorEffects out;
    const auto& calls = keeper_->state().calls();
    if (const auto done = calls.find(client, ask.id)) {
        answer(client, ask.id, CallDone{done->goal});
        return out;
    }
    if (ask.id < calls.settled(client)) return out;  // The client waits for it no longer.
    if (calls.unsettled(client, ask.settled) >= kRememberedMax) {
        refuse(client, ask.id,
               "rank " + std::to_string(client.value) + " has " + std::to_string(kRememberedMax) +
                   " changes under way; this one must wait");
        return out;
    }
    const auto step = controller_->call(command, {.room = room_, .scaling_fails = {}}, now_ms_);
    if (step.error) {
        refuse(client, ask.id, *step.error);
        return out;
    }
    if (!step.records.empty())
        if (auto why = checkpoint(step, CallBook::Call{client, ask.id, ask.settled, step.goal}, out)) {
            refuse(client, ask.id, not_written(*why));
            return out;
        }
    answer(client, ask.id, CallDone{step.goal});
    return out;
}

std::optional<std::string> ControllerServer::checkpoint(const Step& step, std::optional<CallBook::Call> call,
                                                        MirrorEffects& out) {
    if (auto why = keeper_->append(JobState::entry({std::move(call), step.records}), out)) {
        controller_->abandon(step);
        return why;
    }
    hold(controller_->committed(step, chance()));
    return std::nullopt;
}

/// Of the control loop: nobody waits for an answer, so what cannot be written is tried again in the next turn.
MirrorEffects ControllerServer::take_step(const Step& step) {
    MirrorEffects out;
    if (step.records.empty()) {
        hold(controller_->committed(step));
    } else if (auto why = checkpoint(step, std::nullopt, out)) {
        hold(ControllerNote{"control loop: " + not_written(*why)});
    }
    return out;
}

MirrorEffects ControllerServer::serve() {
    MirrorEffects out;
    if (!keeper_->serving()) return out;
    if (!controller_) begin();
    for (auto& [client, early] : std::exchange(early_, {})) append(ask(client, std::move(early)), out);
    return out;
}

/// An incarnation: listeners hear of it when all that it shows is on the board.
void ControllerServer::begin() {
    controller_.emplace(keeper_->state().controller(), settings_.controller);
    controller_->set_room(room_);
    board_.emplace(random_ + 0x9e3779b97f4a7c15ULL * (keeper_->position().term.value + 1));
    last_turn_ms_ = now_ms_;
    hold(controller_->start(now_ms_));
    if (state().endpoints.empty() && !state().shutting_down)
        for (const auto topic : {Topic::route_table, Topic::traffic_policies}) hold(Push{topic, {}});
    hold(OpenBoard{});
}

bool ControllerServer::is_used() const {
    const auto& now = state();
    return now.last_goal != GoalId{} || !now.endpoints.empty() || now.shutting_down || !waiting_.empty();
}

MirrorEffects ControllerServer::tick(std::uint64_t now_ms) {
    MirrorEffects out;
    now_ms_ = now_ms;
    if (!serves() || !is_used()) return out;
    for (auto& reply : replies_of(board_->tick(now_ms))) hold(std::move(reply));
    if (now_ms < last_turn_ms_ + settings_.period_ms) return out;
    last_turn_ms_ = now_ms;
    return take_step(controller_->turn(now_ms));
}

MirrorEffects ControllerServer::report(const ReplicaReport& report) {
    if (!controller_) return {};  // A successor attaches what should run, and is told again.
    controller_->report(report, now_ms_);
    if (!serves()) return {};
    return take_step(controller_->settle(now_ms_));
}

void ControllerServer::set_room(std::optional<std::uint32_t> room) {
    room_ = room;
    if (controller_) controller_->set_room(room);
}

void ControllerServer::observe(const std::string& backend, double ongoing) {
    if (controller_) controller_->observe(backend, ongoing);
}

/// What an answer or an effect tells of is seen by nobody before the followers have it.
void ControllerServer::hold(Due due) { held_.push_back({keeper_->position().index, std::move(due)}); }

void ControllerServer::hold(const Effects& effects) {
    for (const auto& effect : effects)
        std::visit(Overloaded{[this](const Push& one) { hold(one); },
                              [this](const Retire& one) {
                                  const auto key = std::string(name_of(one.topic)) + ":" + one.tag;
                                  hold(Publish{{{key, view_of(state(), one.topic, one.tag)}}});
                              },
                              [this](const EndWait& one) { end_wait(one); },
                              [this](const DeleteCheckpoint& one) { hold(ClearState{one.record}); },
                              [this](const Exit&) { hold(CrashOrder{}); },
                              [this](const Warn& one) { hold(ControllerNote{one.text}); }, [](const StartGate&) {},
                              [](const StopGate&) {}, [](const KillGate&) {},
                              [this](const auto& replica) { hold(ReplicaOrder{replica}); }},
                   effect);
}

/// The values are taken now: when the push leaves the state may hold what is not safe yet.
void ControllerServer::hold(const Push& push) {
    const std::string name = name_of(push.topic);
    Publish publish{{{name, view_of(state(), push.topic)}}};
    for (const auto& tag : push.tags) publish.changes.emplace_back(name + ":" + tag, view_of(state(), push.topic, tag));
    hold(std::move(publish));
}

void ControllerServer::answer(Rank client, CallId id, const Answer& answer) {
    hold(ControllerReply{client, {id, std::nullopt, encode(answer)}});
}

void ControllerServer::refuse(Rank client, CallId id, std::string why) {
    hold(ControllerReply{client, {id, std::move(why), {}}});
}

std::vector<ControllerOutput> ControllerServer::take_outputs(MirrorEffects& mirrored) {
    std::vector<ControllerOutput> out;
    while (serves() && !held_.empty() && held_.front().after <= keeper_->safe()) {
        auto due = std::move(held_.front().due);
        held_.pop_front();
        const auto* shutdown = std::get_if<ClearState>(&due);
        if (shutdown == nullptr) {
            carry_out(std::move(due), out);
        } else if (!clear(*shutdown, mirrored)) {
            if (!std::exchange(stuck_, true)) out.emplace_back(ControllerNote{"the shutdown waits for its journal"});
            held_.push_front({0, std::move(due)});
            break;
        }
    }
    return out;
}

/// The checkpoint is deleted by an entry of its own; what was to come after it waits until that is safe. False: it
/// cannot be written.
bool ControllerServer::clear(const ClearState& due, MirrorEffects& mirrored) {
    Cleared was;
    for (const auto& [tag, backend] : state().backends) was.backends.push_back(tag);
    for (const auto& [tag, replicas] : state().replicas) was.backends.push_back(tag);
    for (const auto& [name, endpoint] : state().endpoints) was.endpoints.push_back(name);
    if (keeper_->append(JobState::entry({std::nullopt, {due.record}}), mirrored)) return false;
    stuck_ = false;
    const auto after = keeper_->position().index;
    for (auto& held : held_) held.after = std::max(held.after, after);
    held_.push_front({after, std::move(was)});
    return true;
}

void ControllerServer::cleared(const Cleared& there_was) {
    for (const auto topic : kTopics) {
        const bool of_backend = topic == Topic::backend_configs || topic == Topic::replica_handles;
        hold(Push{topic, of_backend ? there_was.backends : there_was.endpoints});
    }
    hold(controller_->cleared());
    keeper_->compact();
}

void ControllerServer::carry_out(Due due, std::vector<ControllerOutput>& out) {
    const auto reply = [&out](std::vector<ControllerReply> replies) {
        for (auto& one : replies) out.emplace_back(std::move(one));
    };
    std::visit(Overloaded{[&](Publish& one) { reply(replies_of(board_->publish(one.changes))); },
                          [&](OpenBoard&) { reply(replies_of(board_->open())); }, [](ClearState&) {},
                          [&](Cleared& one) { cleared(one); },
                          [&](CrashOrder& one) {
                              crashed_ = true;  // Until the process is gone nobody hears anything from it.
                              out.emplace_back(one);
                          },
                          [&](auto& one) { out.emplace_back(std::move(one)); }},
               due);
}

/// SplitMix64, as a number in [0, 1).
double ControllerServer::chance() {
    std::uint64_t z = (random_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
    return static_cast<double>((z ^ (z >> 31U)) >> 11U) * 0x1p-53;
}

}  // namespace muster::core
