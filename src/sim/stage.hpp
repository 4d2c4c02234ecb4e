// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The inside of a World: the driver that carries out what the machines of src/core order. It decides nothing.
/// One file per thread of a member: engines.cpp, agents.cpp (outside a recovery), recoveries.cpp, clients.cpp,
/// programs.cpp, requests.cpp; deaths and hangs are in faults.cpp, the loop over events is in stage.cpp.

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "sim/dice.hpp"
#include "sim/event_queue.hpp"
#include "sim/member.hpp"
#include "sim/network.hpp"
#include "sim/pool.hpp"
#include "sim/traffic.hpp"
#include "sim/witness.hpp"
#include "sim/world.hpp"

namespace muster::sim {

class World::Stage {
public:
    explicit Stage(const WorldOptions& options);

    void run(std::uint64_t until);
    [[nodiscard]] Member* someone_to_ask();  ///< A live client, else any member; nobody where all are gone.
    void ask(Member& client, core::Wanted wanted);
    void submit(Member& client);
    void die(Member& member);
    void kill_holders(Member& coordinator);
    void hang(Member& member, std::uint32_t ticks);
    void wish(Member& member, Wish wish);
    void heal();
    [[nodiscard]] bool settled(State state);
    void lead_to(State state);  ///< One client asks for the next signal on the way, where none is under way.
    [[nodiscard]] std::string story() const;

    [[nodiscard]] std::uint64_t now() const { return queue_.now(); }
    [[nodiscard]] Member* member(Rank rank) { return rank.value < members_.size() ? &members_[rank.value] : nullptr; }
    [[nodiscard]] const Witness& witness() const { return witness_; }
    [[nodiscard]] Counts counts() const;
    [[nodiscard]] std::optional<ExitCode> ended() const { return ended_; }

private:
    // stage.cpp
    void happen(const Event& event);
    void begin();
    void to_agent(Member& member, const Event& event);
    void to_engine(Member& member, const Event& event);
    void void_event(const Event& event);
    void arrange(std::uint64_t in, const Member& member, Happening what, std::uint32_t payload = 0,
                 std::uint32_t epoch = 0);
    void tell(const Member& member, const std::string& what) const;  ///< To whoever follows the run.
    [[nodiscard]] bool followed() const { return options_.trace != nullptr; }
    [[nodiscard]] std::uint64_t depth(std::size_t members);  ///< Ticks that a tree over so many takes.
    [[nodiscard]] std::uint64_t agents_pause();

    // overview.cpp
    [[nodiscard]] const Member* newest() const;  ///< A live member of the newest round.
    [[nodiscard]] bool works(const Member& member, State state) const;

    // faults.cpp
    void tempt_fate(Member& member);
    bool dies_now(Member& member);  ///< In the middle of what it does, where its time has come.
    void lose(const Member& member);
    [[nodiscard]] bool sees(const Member& viewer, const Member& other) const;
    bool falls_asleep(Member& member);
    void evict(Member& member);
    void wake(Member& member);
    void meet_alone(Member& member);

    // engines.cpp
    void take_round(Member& member);
    void carry_out(Member& member, core::Order order);
    std::optional<core::Order> perform(Member& member, const core::Order& order);
    std::optional<core::Order> take_batch(Member& member);
    [[nodiscard]] std::optional<Signal> next_signal(const Engine& engine) const;
    void publish(Member& member, const core::Batch& batch);
    void post_vote(Member& member, const core::Votes& votes);
    void enter_forward(Member& member, const core::Order& order);
    void finish_forward(Member& member);
    std::optional<core::Order> enter_rest(Member& member, const core::Order& order);
    [[nodiscard]] bool group_votes(const Engine& engine) const;
    [[nodiscard]] bool has_news(const Engine& engine) const;
    [[nodiscard]] bool has_news_itself(const Engine& engine) const;
    core::Order leave_rest(Member& member);
    void look(Member& member);
    void enter_barrier(Member& member, std::uint64_t number);
    void cross(Member& member);
    void vote_counted(Member& member, std::uint32_t number);
    void interrupt_engine(Member& member);
    void program_returns(Member& member);
    void finish_loop(Member& member);

    // agents.cpp
    void enter_round(Member& member, const core::Plan& plan, Rank coordinator, const std::vector<Rank>& pool);
    std::shared_ptr<Comms> comms_of(Member& member, const core::Plan& plan, Rank coordinator,
                                    const std::vector<Rank>& pool);
    void give_role(Member& member, const core::Plan& plan, const std::shared_ptr<Comms>& comms);
    void post(Member& member, Mail mail);
    void read_mail(Member& member);
    void take_mail(Member& member);
    void receive(Member& member, std::uint32_t packet);
    void deliver(Member& member, const Packet& packet);
    void agent_tick(Member& member);
    void hear_the_time(Member& member);
    void tick_later(Member& member);
    [[nodiscard]] bool has_to_tick(const Member& member) const;
    void apply(Member& member, core::SwitchEffects effects);
    void perform(Member& member, core::Transmit& effect);
    void perform(Member& member, core::SignalArrived& effect);
    void perform(Member& member, core::RequestArrived& effect);
    void perform(Member& member, core::WakeEngine& effect);
    void perform(Member& member, core::ClientConnected& effect);
    void perform(Member& member, core::OperationEnded& effect);
    void perform(Member& member, core::RequestEnded& effect);
    void perform(Member& member, core::RequestCalledOff& effect);
    void perform(Member& member, core::PrepareEngine& effect);
    void perform(Member& member, core::CheckEngine& effect);
    void perform(Member& member, core::LoadsHeard& effect);
    void perform(Member& member, core::StoreCallEnded& effect);
    void perform(Member& member, core::RegistryCallEnded& effect);
    void perform(Member& member, core::ControllerCallEnded& effect);
    void perform(Member&, core::ReplicaOrder&) {}  // Its steward has them.
    void perform(Member& member, core::CrashOrder& effect);
    void perform(Member& member, core::LeavingHeard& effect);
    void perform(Member& member, core::StateHeard& effect);
    void perform(Member& member, core::TellPosition& effect);
    void perform(Member& member, core::Whereabouts& effect);
    void perform(Member& member, core::SeatRound& effect);
    void perform(Member& member, core::Note& effect);
    [[nodiscard]] std::uint64_t now_ms() const { return now() / kTicksPerMs; }

    // requests.cpp
    [[nodiscard]] core::Batch collect(Engine& engine);
    void answer_some(Member& member);
    void say_load(Member& member);

    // recoveries.cpp
    void notice(Member& member, std::uint32_t pool);
    void recover(Member& member);
    void enter_pool(Member& member, std::uint32_t pool);
    void hear(Member& member, const core::Input& input);
    void answer(Member& member, Waits certain, std::uint64_t in, core::Input input);
    void hear_answer(Member& member, std::uint32_t input);
    void go_on(Member& member);
    bool begin_effect(Member& member);  ///< False where the agent has to wait.
    void revoke(Member& member);
    void meet(Member& member, bool shrinks, bool yes);
    void resolve(std::uint32_t pool);
    void gather(Member& member, const core::Gather& effect);
    void broadcast(Member& member, const core::Broadcast& effect);
    void build(Member& member);
    void hand_over(Member& member, const core::Plan& plan);
    void end(Member& member, const core::End& effect);
    [[nodiscard]] core::Facts facts_of(Member& member, const core::Gather& effect);

    // programs.cpp
    void begin_programs();
    void program_wishes(Member& member);
    void ask_for_round(Member& member);
    void program_seats(Member& member);
    void seats_settled(Member& member);
    void program_calls(Member& member);
    void call_due(Member& member, std::uint32_t call);
    [[nodiscard]] std::vector<Rank> concerned_by_calls(const Member& member) const;
    [[nodiscard]] bool undisturbed_since(const Member& member, std::uint64_t since) const;
    void call_store(Member& member);
    void call_registry(Member& member);
    [[nodiscard]] core::StoreOperation any_operation(const Member& member, std::uint64_t call);

    // orders.cpp: calls on the controller; replicas.cpp: what engine threads do for it.
    [[nodiscard]] bool deploys() const { return options_.controller && options_.orders_per_ms > 0; }
    void begin_orders(Member& member);
    void order_first(Member& member);
    void program_orders(Member& member);
    void program_listens(Member& member);
    void call_controller(Member& member, const core::controller::Call& call);
    [[nodiscard]] core::controller::Call any_order(const Member& member);
    [[nodiscard]] core::controller::Command any_backend_order(const std::string& mark);
    [[nodiscard]] core::controller::Command any_endpoint_order(const std::string& mark);
    [[nodiscard]] core::controller::Question any_question();
    [[nodiscard]] core::controller::TrafficDict any_traffic();
    [[nodiscard]] core::Target any_target();
    void hear_changes(Member& member, const core::controller::Changed& changed);
    void learn_seat(Member& member, const Comms& comms);
    void replica_prepared(Member& member, core::SeatId seat);
    [[nodiscard]] bool knows_its_replica(Member& member);
    void witness_gives(const Member& coordinator, Rank to);
    void kill_one_that_drains();
    [[nodiscard]] std::string unrest();  ///< Why the controller's part is not settled; empty where it is.

    // clients.cpp
    void client_acts(Member& member);
    void client_bursts(Member& member);
    void take_back(Member& client, RequestId id);
    [[nodiscard]] core::RequestHints any_hints();
    [[nodiscard]] core::Wanted any_signal();

    WorldOptions options_;
    Dice dice_;
    EventQueue queue_;
    Network network_;
    core::PlanSettings plan_settings_;
    std::vector<core::Member> launch_;
    std::vector<Member> members_;
    std::vector<Pool> pools_;
    std::vector<core::Input> inputs_;
    std::vector<std::uint32_t> free_inputs_;
    std::unordered_map<std::uint32_t, std::shared_ptr<Comms>> comms_;  ///< By pool.
    Witness witness_;
    Traffic traffic_;
    Counts counts_;
    std::optional<ExitCode> ended_;
    std::uint64_t last_order_ = 0;
    std::string unrest_;           ///< As of the last look.
    std::uint64_t last_seat_ = 0;  ///< Names of replicas are never given twice.
    bool healed_ = false, small_ = true, may_close_ = false;
    std::uint32_t deaths_left_ = 0, hangs_left_ = 0;
};

}  // namespace muster::sim
