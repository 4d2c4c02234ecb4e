// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The client of the server program (server.cpp).
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "server_engine.hpp"

namespace server {

using namespace std::chrono_literals;
using muster::State;

/// A client's day: requests at random, and what the mode makes of signals.
class Asker {
public:
    Asker(Session& session, muster::Client client)
        : session_(session), client_(client), dice_(static_cast<unsigned>(options["seed"])) {}

    void submit(int count) {
        for (int i = 0; i < count; ++i) {
            const std::uint64_t request[2] = {
                next_++, options["turns"] > 0 ? static_cast<std::uint64_t>(options["turns"]) : 1 + dice_() % 4};
            const auto id = client_.submit(std::as_bytes(std::span(request)));
            if (!id) return wrong(session_, "submit: " + id.error().text);
            sent_[*id] = request[0];
        }
    }

    /// One request of one turn, to the engine at this slot.
    void submit_to(muster::Slot slot) {
        const std::uint64_t request[2] = {next_++, 1};
        const auto id = client_.submit(std::as_bytes(std::span(request)), muster::SubmitOptions{.engine = slot});
        if (!id) return wrong(session_, "submit: " + id.error().text);
        sent_[*id] = request[0];
    }

    /// Takes the replies that are here, or waits for all.
    void collect(bool all) {
        while (!sent_.empty()) {
            const auto reply = client_.next(all ? deadline() : 0ms);
            if (!reply) {
                if (all) wrong(session_, std::to_string(sent_.size()) + " requests unanswered: " + reply.error().text);
                return;
            }
            take(*reply);
        }
        if (client_.next(0ms)) wrong(session_, "one reply too many");
    }

    void take(const muster::Reply& reply) {
        const auto sent = sent_.find(reply.id);
        if (sent == sent_.end()) return wrong(session_, "a reply to nothing");
        std::uint64_t square[2] = {};
        if (reply.error)
            wrong(session_, "request " + std::to_string(reply.id.value) + ": " + reply.error->text);
        else if (std::memcpy(square, reply.bytes.data(), std::min(sizeof square, reply.bytes.size()));
                 square[0] != sent->second || square[1] != sent->second * sent->second)
            wrong(session_, "a wrong reply");
        sent_.erase(sent);
        ++answered_;
    }

    void done(const char* what, muster::Operation operation) {
        const auto begun = std::chrono::steady_clock::now();
        if (const auto ended = operation.wait(deadline()); !ended)
            wrong(session_, std::string(what) + ": " + ended.error().text);
        else if (options["times"] != 0)
            std::printf("%s took %.0f us\n", what,
                        std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begun).count());
    }

    /// What is submitted while PAUSED does not come back before UNPAUSE (M7).
    void paused_requests_wait() {
        collect(false);
        const auto before = client_.open_requests();
        submit(3);
        std::this_thread::sleep_for(5ms);
        while (const auto reply = client_.next(0ms)) {
            if (before == 0) wrong(session_, "a reply while PAUSED");
            take(*reply);
        }
        if (client_.open_requests() < 3) wrong(session_, "a request that was made while PAUSED was answered");
    }

    /// Random legal signals; each is waited for, or with wait=0 they are fired one upon the other.
    void cycles() {
        State state = State::running;
        std::vector<std::pair<const char*, muster::Operation>> fired;
        const auto ask = [&](const char* what, muster::Operation operation) {
            if (options["wait"] != 0)
                done(what, operation);
            else
                fired.emplace_back(what, operation);
        };
        for (long i = 0; i < options["cycles"]; ++i) {
            submit(static_cast<int>(dice_() % 4));
            if (state == State::running) {
                ask("pause", client_.pause());
                state = State::paused;
                if (options["wait"] != 0 && dice_() % 8 == 0) paused_requests_wait();
            } else if (state == State::paused && dice_() % 2 == 0) {
                ask("suspend", client_.suspend());
                state = State::suspended;
            } else if (state == State::paused) {
                ask("unpause", client_.unpause());
                state = State::running;
            } else {
                ask("resume", client_.resume());
                state = State::paused;
            }
            collect(false);
            if (fired.size() >= 8) wait_for(fired);
            if (dice_() % 4 == 0) std::this_thread::sleep_for(std::chrono::microseconds(dice_() % 3000));
        }
        wait_for(fired);
        if (state == State::suspended) done("resume", client_.resume());
        if (state != State::running) done("unpause", client_.unpause());
        collect(true);
    }

    void wait_for(std::vector<std::pair<const char*, muster::Operation>>& fired) {
        for (auto& [what, operation] : fired) done(what, operation);
        fired.clear();
    }

    /// Every transition once, with requests before, between and after.
    void round_trip() {
        submit(8);
        done("pause", client_.pause());
        submit(4);
        done("suspend", client_.suspend());
        submit(4);
        done("resume", client_.resume());
        done("unpause", client_.unpause());
        submit(8);
        collect(true);
    }

    void stop() { done("stop", client_.stop()); }

    static std::chrono::milliseconds deadline() { return std::chrono::seconds(options["deadline"]); }
    [[nodiscard]] std::uint64_t answered() const { return answered_; }
    muster::Client& client() { return client_; }

private:
    Session& session_;
    muster::Client client_;
    std::mt19937 dice_;
    std::uint64_t next_ = 1, answered_ = 0;
    std::map<muster::RequestId, std::uint64_t> sent_;
};

}  // namespace server
