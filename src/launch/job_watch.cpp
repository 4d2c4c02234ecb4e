// SPDX-License-Identifier: Apache-2.0
#include "launch/job_watch.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace muster::launch {

namespace {

constexpr std::chrono::milliseconds kAskedLook{20};    ///< Between looks for a node's answer.
constexpr std::chrono::milliseconds kLeaseSlack{500};  ///< A member looks at its lease once an interval.
constexpr std::chrono::seconds kPushAgain{1};

}  // namespace

JobWatch::JobWatch(Watching watching, LinkServer& link) : watching_(std::move(watching)) {
    if (!watching_.on()) return;
    heart_ = std::make_unique<Heart>(watching_.interval);
    link.watch_pulses(
        {.hello =
             [this](int rank, const nlohmann::json& said, int socket) {
                 pulses_.hello(rank, said, Clock::now());
                 heart_->add(rank, socket);
             },
         .heard = [this](int rank, const nlohmann::json& event) { pulses_.heard(rank, event, Clock::now()); },
         .closed =
             [this](int rank) {
                 pulses_.closed(rank, Clock::now());
                 heart_->remove(rank);
             }});
}

bool JobWatch::finds_loss(bool ended) {
    if (!watching_.on() || loss_ || ended) return false;
    const auto now = Clock::now();
    if (!beyond_reach_.empty()) {
        lose(beyond_reach_, {});
        return true;
    }
    if (pulses_.all_gone(now, watching_.window)) {
        lose(pulses_.any_open() ? "no member gives a sign of life" : "every member's link has closed", {});
        return true;
    }
    return watching_.node_loss_is_fatal && ask_silent_nodes(now);
}

/// True where one of them does not answer.
bool JobWatch::ask_silent_nodes(Clock::time_point now) {
    for (const auto& node : pulses_.silent_nodes(now, watching_.window))
        if (!asked_.contains(node)) asked_[node] = std::async(std::launch::async, watching_.node_answers, node);
    for (auto asked = asked_.begin(); asked != asked_.end();) {
        if (asked->second.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
            ++asked;
            continue;
        }
        const auto node = asked->first;
        const bool answers = asked->second.get();
        asked = asked_.erase(asked);
        if (!answers) {
            lose("node " + node + " does not answer", {node});
            return true;
        }
        pulses_.node_lives(node);
    }
    return false;
}

void JobWatch::lose(std::string how, std::set<std::string> nodes) {
    loss_ = JobLoss{.how = std::move(how),
                    .nodes = nodes,
                    .last_sign = pulses_.last_sign(nodes),
                    .noticed = Clock::now(),
                    .over = {},
                    .step = pulses_.step(),
                    .slurm_step = pulses_.slurm_step()};
    if (heart_) heart_->stop();  // From now on leases run out.
}

void JobWatch::cannot_evict(int rank, const std::string& node) {
    if (beyond_reach_.empty())
        beyond_reach_ = "rank " + std::to_string(rank) + " on " + node + " is silent, and nobody there can end it";
}

void JobWatch::lost_by_launcher(const std::string& how) {
    if (watching_.on() && !loss_) lose(how, {});
}

bool JobWatch::may_live() const {
    return loss_ && pulses_.any_open() && watching_.lease.count() > 0 &&
           Clock::now() < loss_->noticed + watching_.lease + kLeaseSlack;
}

JobWatch::Clock::time_point JobWatch::next_look() const {
    if (!watching_.on() || loss_) return Clock::time_point::max();
    const auto now = Clock::now();
    if (!asked_.empty()) return now + kAskedLook;
    return std::min(push_again_, now + std::min(watching_.interval, watching_.window));
}

bool JobWatch::wind_down(ExitCode code, const std::string& reason) {
    if (!watching_.on() || !pulses_.lowest_open()) return false;
    winding_down_ = {code, reason};
    push_again_ = Clock::now();
    return true;
}

void JobWatch::push_wind_down(const std::string& state) {
    if (!winding_down_ || Clock::now() < push_again_) return;
    push_again_ = Clock::now() + kPushAgain;
    const auto rank = pulses_.lowest_open();
    if (!rank) return;
    if (state == "SUSPENDED")
        (void)heart_->tell(
            *rank,
            {{"order", "end"}, {"code", static_cast<int>(winding_down_->code)}, {"reason", winding_down_->reason}});
    else
        (void)heart_->tell(*rank, {{"order", "suspend"}});
}

}  // namespace muster::launch
