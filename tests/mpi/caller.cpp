// SPDX-License-Identifier: Apache-2.0
/// A client that calls the controller, for tests/mpi/controller.py: caller MODE CALLS SEED. Engines and standbys rest.
///     calls   so many random calls, each checked against what was answered before; then the job is stopped
///     hold    calls until somebody kills the job; "ok TEXT" is printed when a call was answered
///     look    prints what there is, then whether the job was paused, and stops it
/// Prints WRONG where something is broken. Backends have no replicas: this is about calls.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <thread>

#include "muster/session.hpp"

namespace {

using namespace std::chrono_literals;
using muster::Session;

constexpr auto kPatience = 25s;

void wrong(const std::string& what) {
    std::printf("WRONG %s\n", what.c_str());
    std::fflush(stdout);
}

void say(const std::string& text) {
    std::printf("%s\n", text.c_str());
    std::fflush(stdout);
}

/// Calls in any order, and what must be there after them.
class Caller {
public:
    Caller(Session& session, std::uint64_t seed) : controller_(session.controller()), dice_(seed) {}

    void one(bool loud) {
        const std::string tag = "b" + std::to_string(below(4));
        switch (below(6)) {
            case 0: remove(tag); break;
            case 1: route(tag); break;
            case 2: unroute(); break;
            default: set(tag);
        }
        if (loud) say("ok " + expected());
    }
    void check() {
        const auto backends = controller_.list_backends(kPatience);
        const auto endpoints = controller_.list_endpoints(kPatience);
        if (!backends || !endpoints) return wrong("a query failed");
        if (text_of(*backends, *endpoints) != expected())
            wrong("there is " + text_of(*backends, *endpoints) + " and not " + expected());
        const auto pending = controller_.num_pending_goals(kPatience);
        for (std::uint64_t goal = 1; goal <= goals_; ++goal)
            if (const auto outcome = controller_.wait_for_goal({goal}, kPatience);
                !outcome || *outcome == muster::GoalOutcome::pending)
                wrong("goal " + std::to_string(goal) + " is not reached");
        if (!pending) wrong("the pending goals cannot be counted");
        say("calls " + std::to_string(calls_) + " goals " + std::to_string(goals_) + " slowest_ms " +
            std::to_string(slowest_.count()));
    }
    static std::string text_of(const std::map<std::string, muster::BackendConfig>& backends,
                               const std::map<std::string, muster::Endpoint>& endpoints) {
        std::string text;
        for (const auto& [tag, config] : backends) text += tag + "=" + config.user_config + " ";
        for (const auto& [name, endpoint] : endpoints)
            text += name + ">" + (endpoint.traffic.empty() ? "" : endpoint.traffic.begin()->first) + " ";
        return text;
    }

private:
    std::uint64_t below(std::uint64_t count) { return dice_() % count; }

    /// Makes a call again until it is answered: that does no harm, and a refusal says that nothing has changed.
    template <class Call>
    auto made(Call call) {
        const auto begun = std::chrono::steady_clock::now();
        auto answer = call();
        const auto took =
            std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun);
        slowest_ = std::max(slowest_, took);
        ++calls_;
        if (!answer && answer.error().fault != muster::Fault::refused) wrong(answer.error().text);
        return answer;
    }
    void take(const muster::Result<std::optional<muster::GoalId>>& answer) {
        if (!answer || !*answer) return;
        // One caller, so each goal is the next one: none is lost, none was begun twice.
        if ((*answer)->value != ++goals_)
            wrong("goal " + std::to_string((*answer)->value) + " after " + std::to_string(goals_ - 1));
    }
    void set(const std::string& tag) {
        const auto value = std::to_string(calls_);
        muster::BackendConfig config;
        config.num_replicas = 0;
        config.user_config = value;
        muster::BackendConfigUpdate update;
        update.user_config = value;
        const bool is_new = !backends_.contains(tag);
        const auto answer = made([&] {
            return is_new ? controller_.create_backend(tag, config, "null", kPatience)
                          : controller_.update_backend_config(tag, update, kPatience);
        });
        take(answer);
        if (answer) backends_[tag] = value;
        if (!answer) wrong("refused: " + answer.error().text);
    }
    void remove(const std::string& tag) {
        const auto answer = made([&] { return controller_.delete_backend(tag, false, kPatience); });
        take(answer);
        const bool used = !endpoint_.empty() && endpoint_ == tag;
        if (static_cast<bool>(answer) == (used && backends_.contains(tag))) wrong("a backend in use was deleted");
        if (answer) backends_.erase(tag);
    }
    void route(const std::string& tag) {
        const auto answer = made([&] {
            return endpoint_.empty() ? controller_.create_endpoint("e", {{tag, 1.0}}, "/e", {"GET"}, kPatience)
                                     : controller_.set_traffic("e", {{tag, 1.0}}, kPatience);
        });
        if (static_cast<bool>(answer) != backends_.contains(tag)) wrong("traffic to a backend that is not there");
        if (answer) endpoint_ = tag;
    }
    void unroute() {
        if (!made([&] { return controller_.delete_endpoint("e", kPatience); })) wrong("delete_endpoint");
        endpoint_.clear();
    }
    [[nodiscard]] std::string expected() const {
        std::string text;
        for (const auto& [tag, value] : backends_) text += tag + "=" + value + " ";
        return text + (endpoint_.empty() ? "" : "e>" + endpoint_ + " ");
    }

    muster::Controller controller_;
    std::mt19937_64 dice_;
    std::map<std::string, std::string> backends_;
    std::string endpoint_;
    std::uint64_t goals_ = 0, calls_ = 0;
    std::chrono::milliseconds slowest_{0};
};

void look(Session& session, muster::Client& client) {
    auto controller = session.controller();
    const auto backends = controller.list_backends(kPatience);
    const auto endpoints = controller.list_endpoints(kPatience);
    if (!backends || !endpoints) return wrong("a query failed");
    say("there " + Caller::text_of(*backends, *endpoints));
    say("round " + std::to_string(session.world().round.value));
    if (const auto loads = client.loads(kPatience); loads && !loads->groups.empty())
        say("wave " + std::to_string(loads->groups.front().wave));
    // Only a paused job can be unpaused.
    say(std::string("paused ") + (client.unpause().wait(kPatience) ? "yes" : "no"));
    muster::BackendConfig config;
    config.num_replicas = 0;
    const auto goal = controller.create_backend("fresh", config, "null", kPatience);
    say("goal " + (goal && *goal ? std::to_string((*goal)->value) : "none"));
}

void act(Session& session, const std::string& mode, std::uint64_t calls, std::uint64_t seed) {
    auto client = session.client();
    if (!client) return wrong(client.error().text);
    if (mode == "look") {
        look(session, *client);
    } else {
        Caller caller(session, seed);
        if (mode == "hold") {
            if (const auto paused = client->pause().wait(kPatience); !paused) wrong(paused.error().text);
            say("round " + std::to_string(session.world().round.value));
        }
        for (std::uint64_t i = 0; i < calls; ++i) caller.one(mode == "hold");
        caller.check();
    }
    if (const auto stopped = client->stop().wait(kPatience); !stopped && stopped.error().fault != muster::Fault::ended)
        wrong(stopped.error().text);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) return 2;
    auto config = muster::Config::from_environment();
    if (!config) return 2;
    auto session = Session::join(*config);
    if (!session) {
        std::fprintf(stderr, "%s\n", session.error().text.c_str());
        return 2;
    }
    std::thread calls;
    if (session->is_client())
        calls = std::thread([&session, argv] {
            act(*session, argv[1], std::strtoull(argv[2], nullptr, 10), std::strtoull(argv[3], nullptr, 10));
        });
    while (auto turn = session->next())
        for (const auto& request : turn.requests) (void)session->reply(request, request.bytes);
    if (calls.joinable()) calls.join();
    if (session->is_client()) say("ended " + session->ending().reason);
    return static_cast<int>(session->ending().code);
}
