// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The client of deployer.cpp: a stream of requests, and stories of what the controller is asked meanwhile. Each
/// request must be answered once, by the backend that it was for; what is broken is said in lines that begin with
/// WRONG.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "muster/controller.hpp"
#include "muster/session.hpp"

namespace deployer {

using namespace std::chrono_literals;

struct Asked {
    std::uint64_t value = 0;
    std::uint32_t takes_ms = 0;
    std::uint32_t kills = 0;  ///< This rank and one more. 0: nobody.
};
struct Said {
    std::uint64_t value = 0, replica = 0, version = 0;
    std::uint32_t rank = 0, padding = 0;
    char backend[16] = {};
};

inline void wrong(const std::string& what) { std::printf("WRONG %s\n", what.c_str()); }

/// Sends to an endpoint or a backend all the time, and counts who answers.
class Stream {
public:
    Stream(muster::Client& client, muster::SubmitOptions to, std::chrono::microseconds pause = 2ms)
        : client_(client), to_(std::move(to)), pause_(pause), thread_([this] { run(); }) {}
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
    /// Until all that was sent is answered.
    ~Stream() {
        end_ = true;
        thread_.join();
    }
    struct Counts {
        std::map<std::string, std::uint64_t> backends, versions;  ///< Of which "b/2" is the second of b.
        std::set<std::uint64_t> replicas;
        std::uint64_t all = 0;
    };
    [[nodiscard]] Counts counts() const {
        const std::scoped_lock lock(mutex_);
        return counts_;
    }
    /// What has come since the last look; waits for `least`.
    [[nodiscard]] Counts since_now(std::uint64_t least) {
        {
            const std::scoped_lock lock(mutex_);
            counts_ = {};
        }
        for (int i = 0; i < 20'000 && counts().all < least; ++i) std::this_thread::sleep_for(1ms);
        return counts();
    }

private:
    void run() {
        for (std::uint64_t value = 1; !end_; ++value) {
            const Asked asked{value, 0, 0};
            const auto id = client_.submit(std::as_bytes(std::span(&asked, 1)), to_);
            if (!id) return wrong("submit: " + id.error().text);
            const auto reply = client_.wait(*id, 30s);
            if (!reply) return wrong("a request was lost: " + reply.error().text);
            if (reply->error) return wrong("a request was refused: " + reply->error->text);
            count(value, *reply);
            std::this_thread::sleep_for(pause_);
        }
    }
    void count(std::uint64_t value, const muster::Reply& reply) {
        Said said;
        if (reply.bytes.size() != sizeof said) return wrong("an answer makes no sense");
        std::memcpy(&said, reply.bytes.data(), sizeof said);
        const std::string backend = said.backend;
        if (said.value % value != 0) wrong("an answer is not that request's");
        if (!to_.backend.empty() && backend != to_.backend) wrong("backend " + backend + " has answered");
        const std::scoped_lock lock(mutex_);
        ++counts_.all;
        ++counts_.backends[backend];
        ++counts_.versions[backend + "/" + std::to_string(said.value / value)];
        counts_.replicas.insert(said.replica);
    }

    muster::Client& client_;
    muster::SubmitOptions to_;
    std::chrono::microseconds pause_;
    std::atomic<bool> end_{false};
    mutable std::mutex mutex_;
    Counts counts_;
    std::thread thread_;
};

/// The controller, with waits for its goals.
class Deployments {
public:
    explicit Deployments(muster::Session& session) : controller_(session.controller()) {}

    muster::GoalOutcome create(const std::string& tag, std::int64_t replicas, const std::string& config,
                               double grace_s = 20) {
        muster::BackendConfig backend;
        backend.num_replicas = replicas;
        backend.graceful_shutdown_timeout_s = grace_s;
        return reached("create " + tag, controller_.create_backend(tag, backend, config));
    }
    void scale(const std::string& tag, std::int64_t replicas) {
        muster::BackendConfigUpdate update;
        update.num_replicas = replicas;
        const auto outcome = reached("scale " + tag, controller_.update_backend_config(tag, update));
        if (outcome != muster::GoalOutcome::reached) wrong("scaling " + tag + " came to nothing");
        if (const auto there = serving(tag); there != static_cast<std::size_t>(replicas))
            wrong(tag + " has " + std::to_string(there) + " replicas");
    }
    muster::GoalOutcome remove(const std::string& tag) {
        return reached("delete " + tag, controller_.delete_backend(tag));
    }
    void door(const std::string& name, const muster::Controller::Traffic& traffic) {
        done("create endpoint", controller_.create_endpoint(name, traffic));
    }
    void done(const char* what, const muster::Result<muster::Done>& result) {
        if (!result) wrong(std::string(what) + ": " + result.error().text);
    }
    [[nodiscard]] std::size_t serving(const std::string& tag) {
        const auto handles = controller_.replica_handles();
        if (!handles) return wrong("handles: " + handles.error().text), 0;
        const auto found = handles->find(tag);
        return found == handles->end() ? 0 : found->second.size();
    }
    [[nodiscard]] muster::Controller& controller() { return controller_; }

private:
    muster::GoalOutcome reached(const std::string& what, const muster::Result<std::optional<muster::GoalId>>& goal) {
        if (!goal) return wrong(what + ": " + goal.error().text), muster::GoalOutcome::failed;
        if (!*goal) return muster::GoalOutcome::reached;
        const auto outcome = controller_.wait_for_goal(**goal, 40s);
        if (!outcome) return wrong(what + ": " + outcome.error().text), muster::GoalOutcome::failed;
        if (*outcome == muster::GoalOutcome::pending) wrong(what + ": its goal was not reached");
        return *outcome;
    }
    muster::Controller controller_;
};

void ask(muster::Session& session, const std::string& mode);

}  // namespace deployer
