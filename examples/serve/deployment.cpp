// SPDX-License-Identifier: Apache-2.0
#include "serve/deployment.hpp"

#include <chrono>

#include "serve/calls.hpp"

namespace serve {
namespace {

constexpr char kBackend[] = "classifier";

}  // namespace

bool Deployment::begin() {
    const auto replicas = options_.replicas.front();
    if (!reach(replicas, controller_.create_backend(kBackend, {.num_replicas = replicas}))) return false;
    const auto door = controller_.create_endpoint(kEndpoint, {{kBackend, 1.0}});
    return door || fail(door.error().text);
}

/// At equal distances in the course of the requests.
bool Deployment::run() {
    if (options_.calls > 0) return call_at_random();
    for (std::size_t i = 1; i < options_.replicas.size(); ++i) {
        if (!tally_.wait_answered(options_.requests * i / options_.replicas.size())) return true;  // It ends otherwise.
        const auto replicas = options_.replicas[i];
        if (!reach(replicas, controller_.update_backend_config(kBackend, {.num_replicas = replicas}))) return false;
    }
    return true;
}

/// begin() has had the first goal. The last calls may come when all requests are answered.
bool Deployment::call_at_random() {
    Calls calls(controller_, options_, 1);
    for (std::uint64_t i = 0; i < options_.calls; ++i) {
        if (!tally_.wait_answered(options_.requests * i / options_.calls)) return true;  // It ends otherwise.
        calls.one(kBackend);
        ++report_.calls;
    }
    const auto wrong = calls.check();
    report_.goals = calls.goals();
    return !wrong || fail(*wrong);
}

bool Deployment::reach(std::uint32_t replicas, const Goal& goal) {
    const std::string what = std::to_string(replicas) + " replicas: ";
    if (!goal) return fail(what + goal.error().text);
    const auto begin = std::chrono::steady_clock::now();
    const auto outcome = *goal ? controller_.wait_for_goal(**goal, std::chrono::seconds(options_.patience_s))
                               : muster::Result(muster::GoalOutcome::reached);
    if (!outcome) return fail(what + outcome.error().text);
    if (*outcome != muster::GoalOutcome::reached) return fail(what + "its goal was not reached");
    const std::chrono::duration<double, std::milli> taken = std::chrono::steady_clock::now() - begin;
    report_.scalings.push_back({replicas, taken.count()});
    return true;
}

bool Deployment::fail(const std::string& why) {
    report_.failure = why;
    return false;
}

}  // namespace serve
