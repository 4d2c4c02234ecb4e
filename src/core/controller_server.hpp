// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The controller in a job: one on every member, at work on the coordinator, which is whoever is that at the moment.
/// Intuition: a call is decided (core/controller), its records become one entry of the job's state (core/job_keeper),
/// and what follows from it leaves when that entry is safe:
///
///     ask() -> Step -> keeper.append() -> committed() -> effects held -> safe -> take_outputs()
///                   -> cannot be written: abandon(), the caller is refused, nothing has changed
///
/// A call that was done is remembered with the state, so that a successor gives the same answer to it. Whoever waits
/// or listens asks a successor again. Listeners hear nothing before the state is whole (LongPoll::open).
/// Replicas are not started here: orders go out, reports come in; nothing answers an order by itself.
/// Shape: outputs come in the order of what they follow from. A job that has never used it does nothing in its turns.
/// Units: milliseconds; time is that of the last tick. Errors: answers with a text. Thread safety: none.
/// Source: acceptance R1 to R21.

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/controller.hpp"
#include "core/controller_call.hpp"
#include "core/job_keeper.hpp"
#include "core/long_poll.hpp"

namespace muster::core {

struct ControllerServerSettings {
    controller::ControllerSettings controller{};
    std::uint64_t period_ms = 100;  ///< Of the control loop.
    std::uint64_t seed = 0;         ///< Another one in each process: of snapshot ids, and of the fault hook's dice.
};

// clang-format off
struct ControllerReply { Rank client; message::ControllerTold told; };
/// Start, Attach, Stop, Check or KillReplica; in this order. The outcome comes back by report().
struct ReplicaOrder { controller::Effect effect; };
struct CrashOrder {};                       ///< R5: this process is to die now; what follows is not carried out.
struct ControllerNote { std::string text; };
// clang-format on
using ControllerOutput = std::variant<ControllerReply, ReplicaOrder, CrashOrder, ControllerNote>;

class ControllerServer {
public:
    /// `keeper` must outlive it.
    ControllerServer(JobKeeper& keeper, const ControllerServerSettings& settings)
        : keeper_(&keeper), settings_(settings), random_(settings.seed) {}

    /// A round is complete. Who does not coordinate forgets everything that is not in the state.
    void complete(bool coordinates, const std::vector<Rank>& members);
    void interrupted() { interrupted_ = true; }  ///< Nothing is done until complete().
    [[nodiscard]] MirrorEffects ask(Rank client, message::ControllerAsk ask);
    [[nodiscard]] MirrorEffects serve();  ///< After MirrorSafe: the state may be whole, entries may be safe.
    [[nodiscard]] MirrorEffects tick(std::uint64_t now_ms);
    /// What has become of an order, or of a replica without one.
    [[nodiscard]] MirrorEffects report(const controller::ReplicaReport& report);
    void set_room(std::optional<std::uint32_t> room);  ///< Replicas that can be started; nothing: any number.
    void observe(const std::string& backend, double ongoing);
    /// Only what is safe, and not before the state is whole. `mirrored`: what it leads to.
    [[nodiscard]] std::vector<ControllerOutput> take_outputs(MirrorEffects& mirrored);

    [[nodiscard]] const controller::State& state() const { return keeper_->state().controller().state(); }
    [[nodiscard]] bool serves() const { return controller_ && !interrupted_ && !crashed_ && keeper_->serving(); }

private:
    // clang-format off
    struct Publish { std::vector<LongPoll::Change> changes; };
    struct OpenBoard {};
    struct ClearState { Bytes record; };  ///< The shutdown's last step.
    struct Cleared { std::vector<std::string> backends, endpoints; };  ///< It is safe; what there was.
    // clang-format on
    using Due = std::variant<ControllerReply, ReplicaOrder, CrashOrder, ControllerNote, Publish, OpenBoard, ClearState,
                             Cleared>;
    struct Held {
        std::uint64_t after = 0;  ///< Entries that must be safe.
        Due due;
    };
    using Caller = std::pair<Rank, CallId>;

    void begin();
    [[nodiscard]] bool is_used() const;
    [[nodiscard]] MirrorEffects change(Rank client, const message::ControllerAsk& ask,
                                       const controller::Command& command);
    /// Why the step's records cannot be written: then nothing has changed.
    [[nodiscard]] std::optional<std::string> checkpoint(const controller::Step& step,
                                                        std::optional<CallBook::Call> call, MirrorEffects& out);
    [[nodiscard]] MirrorEffects take_step(const controller::Step& step);
    void hold(Due due);
    void hold(const controller::Effects& effects);
    void hold(const controller::Push& push);
    void answer(Rank client, CallId id, const controller::Answer& answer);
    void refuse(Rank client, CallId id, std::string why);
    void carry_out(Due due, std::vector<ControllerOutput>& out);
    [[nodiscard]] bool clear(const ClearState& due, MirrorEffects& mirrored);
    void cleared(const Cleared& there_was);
    [[nodiscard]] double chance();

    // controller_questions.cpp
    void look(Rank client, CallId id, const controller::Question& question);
    void answer_one(Rank client, CallId id, const controller::WaitForGoal& call);
    void answer_one(Rank client, CallId id, const controller::ListenForChange& call);
    void answer_one(Rank client, CallId id, const controller::GetBackendConfig& call);
    void answer_one(Rank client, CallId id, const controller::ListBackends& call);
    void answer_one(Rank client, CallId id, const controller::ListEndpoints& call);
    void answer_one(Rank client, CallId id, const controller::ListReplicas& call);
    void answer_one(Rank client, CallId id, const controller::CountPendingGoals& call);
    [[nodiscard]] std::uint64_t waiter_of(const Caller& caller);
    [[nodiscard]] std::optional<Caller> end_of_wait(std::uint64_t waiter);
    void end_wait(const controller::EndWait& ended);
    [[nodiscard]] std::vector<ControllerReply> replies_of(const LongPollAnswers& answers);
    void forget_absent(const std::vector<Rank>& members);

    JobKeeper* keeper_;
    ControllerServerSettings settings_;
    std::uint64_t random_;
    std::uint64_t now_ms_ = 0, last_turn_ms_ = 0;
    std::optional<std::uint32_t> room_;
    bool interrupted_ = false, crashed_ = false;

    // On the coordinator.
    std::optional<controller::Controller> controller_;
    std::optional<LongPoll> board_;
    std::vector<std::pair<Rank, message::ControllerAsk>> early_;  ///< Came before the state.
    std::deque<Held> held_;                                       ///< In order of `after`.
    bool stuck_ = false;  ///< The shutdown's last entry cannot be written; it was said.
    std::uint64_t waiters_ = 0;
    std::map<std::uint64_t, Caller> callers_;  ///< Of those who wait or listen.
    std::map<Caller, std::uint64_t> waiting_;
};

}  // namespace muster::core
