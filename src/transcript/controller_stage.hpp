// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The world around a controller in a transcript: a journal, listeners, and replicas and gates that start and stop at
/// once. It carries effects out in their order, and can make the controller die between any two of them.
/// Shape: one Scene per line collects what happened. Units: milliseconds. Thread safety: none.

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/controller.hpp"
#include "core/long_poll.hpp"
#include "transcript/transcript.hpp"

namespace muster::transcript {

/// What one line has led to.
struct Scene {
    Json order = Json::array();    ///< Checkpoints, pushes; at a shutdown also what is killed and deleted.
    Json effects = Json::array();  ///< All that was done, in order.
    Json then = Json::array();     ///< Answers to earlier lines that waited.
    Json warnings = Json::array();
    std::optional<std::uint64_t> crash_after{};  ///< Entries of `order` that are carried out before it dies.
    std::optional<std::string> error{};
};

class ControllerStage {
public:
    using WaiterId = core::controller::WaiterId;
    ControllerStage();

    /// False: it is down, or has died just now; the scene's error says so.
    [[nodiscard]] bool is_up() const { return up_; }
    std::optional<core::controller::GoalId> call(const core::controller::Command& command, Scene& scene);
    void turn(Scene& scene);
    void crash_and_recover(Scene& scene);

    /// Nothing: the answer comes later, in another scene's `then`.
    [[nodiscard]] std::optional<Json> wait_for_goal(WaiterId line, core::controller::GoalId goal,
                                                    std::optional<std::uint64_t> limit_ms);
    [[nodiscard]] std::optional<Json> listen(WaiterId line, const std::map<std::string, core::SnapshotId>& keys,
                                             std::optional<std::uint64_t> limit_ms);

    void set_now(std::uint64_t now_ms) { now_ms_ = now_ms; }
    [[nodiscard]] std::uint64_t now_ms() const { return now_ms_; }
    void fail_next_scale() { scaling_fails_ = true; }
    void fail_next_checkpoint() { checkpoint_fails_ = true; }
    void fail_starts(std::uint64_t count) { failing_starts_ = count; }
    void set_room(std::optional<std::uint32_t> room) { room_ = room; }
    void set_nodes(std::vector<std::string> nodes);
    [[nodiscard]] bool kill_replica(const std::string& name);  ///< False: there is none of that name.
    [[nodiscard]] core::controller::Controller& controller() { return *controller_; }
    [[nodiscard]] const core::controller::State& state() const { return folded_->state(); }

private:
    struct Listener {
        std::map<std::string, std::string> spelled;  ///< Key on the board -> as the client has written it.
        core::LongPoll::Listen listen;
    };
    struct GoalCall {
        core::controller::GoalId goal;
        std::optional<std::uint64_t> until_ms;
    };
    void begin(Scene& scene);
    bool checkpoint(const core::controller::Step& step, Scene& scene);
    void carry_out(const core::controller::Step& step, Scene& scene);
    void carry_out(const core::controller::Effects& effects, Scene& scene);
    void carry_out(const core::controller::Push& effect, Scene& scene);
    void carry_out(const core::controller::Retire& effect, Scene& scene);
    void carry_out(const core::controller::EndWait& effect, Scene& scene);
    void carry_out(const core::controller::StartReplica& effect, Scene& scene);
    void carry_out(const core::controller::AttachReplica& effect, Scene& scene);
    void carry_out(const core::controller::StopReplica& effect, Scene& scene);
    void carry_out(const core::controller::CheckReplica& effect, Scene& scene);
    void carry_out(const core::controller::StartGate& effect, Scene& scene);
    void carry_out(const core::controller::StopGate& effect, Scene& scene);
    void carry_out(const core::controller::KillGate& effect, Scene& scene);
    void carry_out(const core::controller::KillReplica& effect, Scene& scene);
    void carry_out(const core::controller::DeleteCheckpoint& effect, Scene& scene);
    void carry_out(const core::controller::Exit& effect, Scene& scene);
    void carry_out(const core::controller::Warn& effect, Scene& scene);
    [[nodiscard]] bool enters(const std::string& what, Scene& scene);  ///< False: it dies before this entry.
    void publish(core::controller::Topic topic, const std::vector<std::string>& tags, bool whole, Scene& scene);
    void answer(const core::LongPollAnswers& answers, Scene& scene);
    [[nodiscard]] Json told(const core::LongPollAnswer& answer, const Listener& listener) const;
    void ask_again(Scene& scene);
    void report(const core::controller::ReplicaName& name, core::controller::ReplicaReport::Kind kind);

    std::vector<core::Bytes> journal_;
    std::unique_ptr<core::controller::FoldedState> folded_;
    std::unique_ptr<core::controller::Controller> controller_;
    std::unique_ptr<core::LongPoll> board_;
    std::set<std::string> running_;  ///< Replicas; they outlive the controller.
    std::vector<std::string> nodes_{"node0"};
    std::map<WaiterId, GoalCall> goal_calls_;
    std::map<WaiterId, Listener> listen_calls_;
    std::uint64_t incarnation_ = 0;
    std::uint64_t now_ms_ = 0;
    std::uint64_t failing_starts_ = 0;
    std::optional<std::uint32_t> room_;
    bool scaling_fails_ = false;
    bool checkpoint_fails_ = false;
    bool up_ = true;
};

}  // namespace muster::transcript
