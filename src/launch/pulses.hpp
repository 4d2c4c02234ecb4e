// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What `muster run` knows of its job's members by their own signs of life: who is there, who has gone, whose node is
/// silent. Intuition: a process that dies closes its link at once; a node that is cut off just says nothing any more.
/// The launcher's exit code is not asked: it comes late (25 s in Slurm), and lies.
/// Pure: time comes in. Shape: one entry per rank that has said hello.

#include <chrono>
#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace muster::launch {

class Pulses {
public:
    using Clock = std::chrono::steady_clock;
    struct Member {
        std::string node{};
        std::string slurm_step{};
        Clock::time_point last{};  ///< When something came.
        bool open = true;          ///< Its link is.
        bool left = false;         ///< It has said that its session is over.
        bool repaired = false;     ///< Dead, but its node lives: the job's own business.
    };

    void hello(int rank, const nlohmann::json& said, Clock::time_point now);
    void heard(int rank, const nlohmann::json& event, Clock::time_point now);
    void closed(int rank, Clock::time_point now);

    [[nodiscard]] bool any() const { return !members_.empty(); }
    /// There were members, none of them is left, and not all have left of themselves. `window`: the longest silence of
    /// the living.
    [[nodiscard]] bool all_gone(Clock::time_point now, std::chrono::milliseconds window) const;
    /// Nodes with members none of which gives a sign of life, while others do.
    [[nodiscard]] std::set<std::string> silent_nodes(Clock::time_point now, std::chrono::milliseconds window) const;
    void node_lives(const std::string& node);  ///< Its silent members have died one by one, or hang.

    [[nodiscard]] bool any_open() const;
    [[nodiscard]] std::optional<int> lowest_open() const;
    /// The last sign of life of any member of these nodes; of all, where there are none.
    [[nodiscard]] Clock::time_point last_sign(const std::set<std::string>& nodes) const;
    [[nodiscard]] std::optional<std::uint64_t> step() const { return step_; }  ///< The highest that anybody committed.
    /// When the job's first commit was, as soon as somebody has told.
    [[nodiscard]] std::optional<Clock::time_point> first_commit() const { return first_commit_; }
    [[nodiscard]] std::string slurm_step() const;  ///< Empty: not started by srun.

private:
    [[nodiscard]] static bool lives(const Member& member, Clock::time_point now, std::chrono::milliseconds window) {
        return member.open && !member.left && now - member.last <= window;
    }
    std::map<int, Member> members_;
    std::optional<std::uint64_t> step_;
    std::optional<Clock::time_point> first_commit_;
};

}  // namespace muster::launch
