// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The agent's side of one member as a machine: control channel, signals, requests, clients, waking.
/// Intuition: everything that reaches or leaves this member outside a recovery comes in here and goes out as effects,
/// which the driver carries out in order. The same object is coordinator, engine, client or bystander: which parts of
/// it work follows from the round that it was given.
/// Errors: strangers, repeats, old rounds and nonsense are dropped with a Note; nothing else changes.
/// A client's operations and requests are kept here until they end: another coordinator is asked again. Between
/// interrupted() and complete() nothing comes in: facts() are to be taken there.
/// Thread safety: none; the agent owns it. Time comes in with tick(). Source: design of Megatron-LM's coordinator.

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/channel.hpp"
#include "core/load_tree.hpp"
#include "core/registry_server.hpp"
#include "core/signal_log.hpp"
#include "core/store.hpp"
#include "core/switchboard_parts.hpp"
#include "core/switchboard_words.hpp"
#include "core/tree.hpp"
#include "core/wave_tracker.hpp"
#include "muster/types.hpp"

namespace muster::core {

class Switchboard : private SwitchboardParts {
public:
    Switchboard(Rank self, SwitchboardSettings settings);

    // From the network and the clock.
    [[nodiscard]] SwitchEffects received(Rank from, std::span<const std::byte> packet);
    [[nodiscard]] SwitchEffects tick(std::uint64_t now_ms);  ///< Before the first complete() once, too.

    // From the recovery.
    [[nodiscard]] SwitchEffects interrupted();
    /// `group`, `engine`: the ranks of this member's lockstep group and engine, by slot; empty where it has none.
    [[nodiscard]] SwitchEffects complete(std::shared_ptr<const RoundView> view, std::vector<Rank> group,
                                         std::vector<Rank> engine, const LifecycleFacts& agreed);
    /// The job is over for this member: open operations and requests end. A stop that has been crossed is done.
    [[nodiscard]] SwitchEffects ended(const LifecycleFacts& agreed, const Error& why);
    [[nodiscard]] const LifecycleFacts& facts() const { return log_.facts(); }
    [[nodiscard]] const MirrorPosition& mirror() const { return keeper_->position(); }

    // From this process's engine.
    [[nodiscard]] SwitchEffects crossed(std::uint64_t barrier);
    [[nodiscard]] SwitchEffects reply(Rank client, RequestId id, Bytes bytes);     ///< At most kRequestMax bytes.
    [[nodiscard]] SwitchEffects dropped(Rank client, RequestId id);                ///< After RequestCalledOff.
    [[nodiscard]] std::size_t in_progress() const { return in_progress_.size(); }  ///< Requests of this engine.
    void engine_says(const EngineSays& says);  ///< Before a tick. Where this member receives no requests: nothing.
    void wave_seen(Wave above) { log_.raise_wave(above.value); }  ///< So that facts() say so.
    /// `number` grows during a round, also over barriers: the leader passes on only what is above the last one.
    [[nodiscard]] SwitchEffects wake(WakeScope scope, std::uint64_t number);
    /// The engine thread has prepared for a replica, or cannot: PrepareEngine's answer.
    [[nodiscard]] SwitchEffects replica_prepared(SeatId seat, const std::optional<std::string>& error);
    [[nodiscard]] SwitchEffects round_taken(Round round);  ///< The engine thread's turns are in it.
    [[nodiscard]] SwitchEffects replica_checked(SeatId seat, std::uint64_t number, bool well);  ///< CheckEngine's.
    void parks(bool on) { parks_ = on; }  ///< This member is asked for no replica.
    [[nodiscard]] SwitchEffects leaving();
    [[nodiscard]] SwitchEffects state_exists(Rank standby);
    [[nodiscard]] SwitchEffects position(Rank to, std::uint64_t query, const Position& position);
    [[nodiscard]] SwitchEffects where(std::uint64_t now_ms);  ///< Asks all engines; Whereabouts follow.

    // From this process's client.
    [[nodiscard]] SwitchEffects connect();
    /// Connects first where nobody has. Operations are numbered upwards: a successor relies on it.
    [[nodiscard]] SwitchEffects ask(OperationId operation, Wanted wanted);
    [[nodiscard]] SwitchEffects submit(RequestId id, Bytes bytes, RequestHints hints = {});  ///< Connects first, too.
    /// Takes a request back. It ends as `aborted`, or with its reply where an engine has begun.
    [[nodiscard]] SwitchEffects abort(RequestId id);
    [[nodiscard]] SwitchEffects watch_loads();  ///< From now on, also of successors. LoadsHeard follow.
    /// A call on the round's store. Any member's; no connection is needed. Its id is above that of all before.
    [[nodiscard]] SwitchEffects store_call(StoreCall call);
    /// A call on the job's registry. Any member's; ids are the same count as the store's.
    [[nodiscard]] SwitchEffects registry_call(message::RegistryAsk ask);
    /// Its caller has given up: a successor is not asked again.
    void forget_registry_call(CallId id) { registry_calls_.erase(id); }
    /// A call of the controller: any member's; ids are the same count as the store's.
    [[nodiscard]] SwitchEffects controller_call(message::ControllerAsk ask);
    void forget_controller_call(CallId id) { controller_calls_.erase(id); }  ///< As for the registry.

    // From whoever carries replica orders out, on the coordinator.
    [[nodiscard]] SwitchEffects replica_report(const controller::ReplicaReport& report);
    [[nodiscard]] ControllerServer& controller() { return controller_; }  ///< For set_room() and observe().

    // From the driver, before the first round: what a restart has found, and where this member writes.
    [[nodiscard]] bool restore(const RestoredJob& restored);
    void write_to(JobJournal& journal) { keeper_->write_to(journal); }
    [[nodiscard]] const JobState& job_state() const { return keeper_->state(); }

    [[nodiscard]] bool coordinates() const { return view_ != nullptr && view_->coordinator == self_; }
    [[nodiscard]] const Router& router() const { return routers_.only(); }  ///< Where there is no controller.
    [[nodiscard]] const BackendRouters& routers() const { return routers_; }

private:
    using Key = std::pair<Rank, RequestId>;

    // switchboard.cpp: network, rounds, waking, who is where.
    void dispatch(Rank from, Message message, SwitchEffects& out);
    void send(Rank to, Message message, SwitchEffects& out);
    /// To the coordinator, whatever of `open` this one has not been sent yet.
    template <class Open, class MessageOf>
    void hand_in(Open& open, MessageOf message_of, SwitchEffects& out);
    [[nodiscard]] bool reachable() const { return view_ != nullptr && !interrupted_; }
    [[nodiscard]] bool is_member(Rank rank) const;
    [[nodiscard]] std::uint32_t place_of(Rank rank) const;  ///< In view_->members.
    [[nodiscard]] const std::vector<Rank>& list_of(WakeScope scope) const;
    void lead(WakeScope scope, std::uint64_t number, SwitchEffects& out);
    void spread(WakeScope scope, std::uint64_t number, SwitchEffects& out);
    void finish_query(SwitchEffects& out);
    void on(Rank from, message::Wake wake, SwitchEffects& out);
    void on(Rank from, message::Leaving leaving, SwitchEffects& out);
    void on(Rank from, message::StateExists exists, SwitchEffects& out);
    void on(Rank from, message::Where where, SwitchEffects& out);
    void on(Rank from, message::Here here, SwitchEffects& out);
    void on(Rank, message::Resync, SwitchEffects&) {}  // The channel keeps these to itself.

    // switchboard_signals.cpp
    void judge(Rank client, OperationId operation, Wanted wanted, SwitchEffects& out);
    [[nodiscard]] std::vector<Signal> path_to(Wanted wanted) const;
    void announce(const SignalEntry& entry, SwitchEffects& out);
    void pass_on(const message::Tell& tell, SwitchEffects& out);
    void await(Rank client, OperationId operation, std::uint64_t number, SwitchEffects& out);
    void refuse(Rank client, OperationId operation, Wanted wanted, const std::string& why, SwitchEffects& out);
    void advance(std::uint64_t barrier, SwitchEffects& out);
    void tell_crossed(SwitchEffects& out);
    void adopt(const LifecycleFacts& agreed, SwitchEffects& out);
    void settle_operations(SwitchEffects& out);
    void on(Rank from, message::Ask ask, SwitchEffects& out);
    void on(Rank from, message::Told told, SwitchEffects& out);
    void on(Rank from, message::Tell tell, SwitchEffects& out);

    // switchboard_load.cpp: loads up the tree, waves and what is published.
    void enter_loads(SwitchEffects& out);
    void form_groups(const std::map<Rank, Load>& known);
    void collect_loads(SwitchEffects& out);
    void take_words(const EngineWords& words, SwitchEffects& out);
    void take_word(const EngineWord& word, SwitchEffects& out);
    void publish(std::size_t group, WaveEffects effects, SwitchEffects& out);
    void tell_watchers(const GroupWords& groups, SwitchEffects& out);
    [[nodiscard]] GroupWord word_of(std::size_t group) const;
    void watch_at_coordinator(SwitchEffects& out);
    void pause_waves(SwitchEffects& out);
    void on(Rank from, message::LoadsUp up, SwitchEffects& out);
    void on(Rank from, message::WatchLoads watch, SwitchEffects& out);
    void on(Rank from, message::LoadsTold told, SwitchEffects& out);

    // switchboard_requests.cpp: clients and requests.
    void route(Routings routings, SwitchEffects& out);
    void cease_to_coordinate();
    void coordinate(SwitchEffects& out);
    void connect_to_coordinator(SwitchEffects& out);
    void on(Rank from, message::Connect connect, SwitchEffects& out);
    void on(Rank from, message::Connected connected, SwitchEffects& out);
    void on(Rank from, message::Submit submit, SwitchEffects& out);
    void on(Rank from, message::Abort abort, SwitchEffects& out);
    void on(Rank from, message::CallOff call_off, SwitchEffects& out);
    void on(Rank from, message::Dropped dropped, SwitchEffects& out);
    void hand_in_requests(SwitchEffects& out);
    void hand_in_request(RequestId id, SwitchEffects& out);
    void to_coordinator(Message message, SwitchEffects& out);
    void on(Rank from, message::Deliver deliver, SwitchEffects& out);
    void on(Rank from, message::Reply reply, SwitchEffects& out);
    void on(Rank from, message::Answer answer, SwitchEffects& out);

    Rank self_;
    SwitchboardSettings settings_;
    Channel channel_;
    SignalLog log_;
    std::shared_ptr<const RoundView> view_;  ///< Of the last complete round; nothing before the first.
    std::vector<Rank> group_, engine_;
    bool interrupted_ = true;
    std::optional<Error> over_;
    std::array<std::optional<std::uint64_t>, 2> woken_;  ///< Per scope, on a leader: the last number passed on.
    std::optional<Query> query_;
    std::uint64_t queries_ = 0;
    bool leaving_ = false, leaving_sent_ = false;

    // switchboard_store.cpp
    void serve_store(SwitchEffects& out);
    void route(StoreEffects effects, SwitchEffects& out);
    void hand_in_store_calls(SwitchEffects& out);
    void on(Rank from, message::StoreAsk ask, SwitchEffects& out);
    void on(Rank from, message::StoreTold told, SwitchEffects& out);

    // switchboard_registry.cpp
    void enter_registry(SwitchEffects& out);
    void carry_out(MirrorEffects effects, SwitchEffects& out);
    void serve_keeper(SwitchEffects& out);
    void answer_registry_calls(SwitchEffects& out);
    void hand_in_registry_calls(SwitchEffects& out);
    void on(Rank from, message::RegistryAsk ask, SwitchEffects& out);
    void on(Rank from, message::RegistryTold told, SwitchEffects& out);
    void on(Rank from, message::Copy copy, SwitchEffects& out);
    void on(Rank from, message::Kept kept, SwitchEffects& out);

    // switchboard_replicas.cpp
    void enter_replicas(SwitchEffects& out);
    void tend_replicas(SwitchEffects& out);
    void carry_out(StewardEffects effects, SwitchEffects& out);
    void carry_out(ReplicaSeatEffects effects, SwitchEffects& out);
    [[nodiscard]] SeatedWorld seated_world() const;
    void serve_replicas(SwitchEffects& out);
    void order_replica(ReplicaOrder order, SwitchEffects& out);
    [[nodiscard]] std::pair<ReplicaSpec, bool> spec_of(const controller::ReplicaName& name) const;
    void give_back_strangers();
    void measure_room();
    void plan_requests(SwitchEffects& out);
    [[nodiscard]] RequestPlan request_plan() const;
    void on(Rank from, message::ReplicaPrepare prepare, SwitchEffects& out);
    void on(Rank from, message::ReplicaCancel cancel, SwitchEffects& out);
    void on(Rank from, message::ReplicaCheck check, SwitchEffects& out);
    void on(Rank from, message::ReplicaPrepared prepared, SwitchEffects& out);
    void on(Rank from, message::ReplicaRefused refused, SwitchEffects& out);
    void on(Rank from, message::ReplicaReady ready, SwitchEffects& out);
    void on(Rank from, message::ReplicaHealth health, SwitchEffects& out);

    // switchboard_controller.cpp
    void hand_in_controller_calls(SwitchEffects& out);
    void end_controller_calls(const Error& why, SwitchEffects& out);
    void turn_controller(SwitchEffects& out);

    // switchboard_state.cpp
    [[nodiscard]] std::optional<std::string> write_counters(std::uint64_t signals, State wanted, SwitchEffects& out);
    void count_on(SwitchEffects& out);

    void carry_out_controller(SwitchEffects& out);
    void on(Rank from, message::ControllerAsk ask, SwitchEffects& out);
    void on(Rank from, message::ControllerTold told, SwitchEffects& out);

    std::uint64_t now_ms_ = 0;           ///< As of the last tick.
    std::unique_ptr<JobKeeper> keeper_;  ///< Stays where it is, wherever this object moves to.
    std::uint64_t count_again_ms_ = 0;   ///< Counters could not be written: when to try again.
    RegistryServer registry_;
    ControllerServer controller_;
    Round office_;  ///< Since when the present coordinator is one.

    // On the coordinator. Emptied where another member takes over.
    StoreServer store_;
    CoordinatorLifecycle table_;
    BackendRouters routers_;
    std::set<Rank> clients_;     ///< Connected in this coordinator's time (M20); none elsewhere.
    std::vector<Group> groups_;  ///< Lockstep groups of the round.
    std::map<Rank, std::pair<std::size_t, std::size_t>> place_in_groups_;  ///< Group and index in it.
    std::set<Rank> watchers_;                                              ///< Are told of loads.
    std::set<Rank> leavers_;                                               ///< Get no more requests.
    bool stop_crossed_ = false;  ///< Since the last round broke: complete() answers the requests of that time.
    std::map<std::pair<Rank, OperationId>, std::uint64_t> awaited_;  ///< Told when so many barriers are crossed.

    // On an engine's receiving rank.
    std::set<Key> in_progress_;
    std::vector<Message> replies_;  ///< Replies and drops, for the coordinator of the next round.
    std::uint64_t given_ = 0;       ///< Deliver::number of the last one from the present coordinator.
    std::uint64_t answered_ = 0;    ///< Reply::number of the last one, for life.

    // On every member.
    LoadTree loads_up_;
    Steward steward_;
    std::vector<controller::ReplicaReport> replica_reports_;  ///< For the controller, in order.
    std::optional<MirrorPosition> planned_;                   ///< What requests go by is the state as of then.
    std::optional<RequestPlan> next_plan_;                    ///< ... once that is safe.
    ReplicaSeat replica_seat_;
    bool parks_ = false;

    // On a client.
    bool client_ = false, connect_sent_ = false, connected_ = false;
    bool watches_ = false, watch_sent_ = false;
    std::map<OperationId, Asked> operations_;
    std::map<RequestId, Submitted> requests_;
    std::map<CallId, Called> store_calls_;
    std::map<CallId, Looked> registry_calls_;
    std::map<CallId, Ordered> controller_calls_;
};

template <class Open, class MessageOf>
void Switchboard::hand_in(Open& open, MessageOf message_of, SwitchEffects& out) {
    if (!reachable()) return;
    std::vector<typename Open::key_type> unsent;
    for (auto& [id, one] : open)
        if (!std::exchange(one.sent, true)) unsent.push_back(id);
    for (const auto id : unsent)  // Where this member coordinates, a message may end what it is about.
        if (const auto found = open.find(id); found != open.end()) send(view_->coordinator, message_of(*found), out);
}

}  // namespace muster::core
