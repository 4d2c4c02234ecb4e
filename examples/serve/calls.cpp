// SPDX-License-Identifier: Apache-2.0
#include "serve/calls.hpp"

#include <chrono>

namespace serve {
namespace {

constexpr auto kPatience = std::chrono::seconds(60);  // Of a call: coordinators may die one after the other.
constexpr char kDoor[] = "aside";

}  // namespace

void Calls::wrong(const std::string& why) {
    if (!wrong_) wrong_ = why;
}

bool Calls::took(const Goal& goal) {
    if (!goal) wrong("a call was refused: " + goal.error().text);
    if (!goal || !*goal) return static_cast<bool>(goal);
    if ((*goal)->value != ++goals_)
        wrong("goal " + std::to_string((*goal)->value) + " follows goal " + std::to_string(goals_ - 1));
    return true;
}

void Calls::one(const std::string& scaled_backend) {
    const std::string tag = "aside" + std::to_string(below(3));
    switch (below(6)) {
        case 0: return scale(scaled_backend);
        case 1: return remove(tag);
        case 2: return route(tag);
        default: return set(tag);
    }
}

void Calls::scale(const std::string& backend) {
    const auto replicas = options_.replicas[below(options_.replicas.size())];
    if (!took(controller_.update_backend_config(backend, {.num_replicas = replicas}, kPatience))) return;
    scaled_ = replicas;
    scaled_backend_ = backend;
}

/// Created or changed; without replicas, so that only the calls matter.
void Calls::set(const std::string& tag) {
    const auto value = std::to_string(++values_);
    muster::BackendConfig config;
    config.num_replicas = 0;
    config.user_config = value;
    muster::BackendConfigUpdate update;
    update.user_config = value;
    const bool is_new = !backends_.contains(tag);
    if (took(is_new ? controller_.create_backend(tag, config, "null", kPatience)
                    : controller_.update_backend_config(tag, update, kPatience)))
        backends_[tag] = value;
}

/// One that an endpoint leads to stays (R11): the refusal is as good an answer.
void Calls::remove(const std::string& tag) {
    const auto goal = controller_.delete_backend(tag, false, kPatience);
    const bool is_used = routed_ == tag;
    if (is_used && goal) wrong("a backend was deleted that an endpoint leads to");
    if (is_used) return;
    if (took(goal)) backends_.erase(tag);
}

void Calls::route(const std::string& tag) {
    if (!backends_.contains(tag)) return;
    const auto answer = routed_ ? controller_.set_traffic(kDoor, {{tag, 1.0}}, kPatience)
                                : controller_.create_endpoint(kDoor, {{tag, 1.0}}, std::nullopt, {"GET"}, kPatience);
    if (!answer) return wrong("a call was refused: " + answer.error().text);
    routed_ = tag;
}

std::optional<std::string> Calls::check() {
    const auto there = controller_.list_backends(kPatience);
    const auto doors = controller_.list_endpoints(kPatience);
    if (!there || !doors) return "the controller's state cannot be read";
    for (const auto& [tag, value] : backends_)
        if (!there->contains(tag) || there->at(tag).user_config != value)
            wrong("backend " + tag + " is not what the last call that was answered has made of it");
    if (there->size() != backends_.size() + 1) wrong("there are backends that no call has left");
    if (scaled_ && there->at(scaled_backend_).num_replicas != *scaled_) wrong("the last scaling is forgotten");
    if (routed_ && (!doors->contains(kDoor) || !doors->at(kDoor).traffic.contains(*routed_)))
        wrong("the last traffic is forgotten");
    for (std::uint64_t goal = 1; goal <= goals_; ++goal) {
        const auto outcome = controller_.wait_for_goal(muster::GoalId{goal}, kPatience);
        if (!outcome || *outcome == muster::GoalOutcome::pending || *outcome == muster::GoalOutcome::failed)
            wrong("goal " + std::to_string(goal) + " is not reached");
    }
    return wrong_;
}

}  // namespace serve
