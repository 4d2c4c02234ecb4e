// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The agent of one member: listens to the pool, notices failures, carries a recovery out, hands rounds over.
/// Intuition: it decides nothing. core::Recovery says what is to be done, the agent does it over MPI and reports the
/// outcome back, until the core has nothing more to say.
/// Thread safety: pump() and form() belong to one thread (the agent's own, or the engine's: Config::agent).

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "agent/bell.hpp"
#include "agent/client_desk.hpp"
#include "agent/event_log.hpp"
#include "agent/inbox.hpp"
#include "agent/link.hpp"
#include "agent/mailbox.hpp"
#include "agent/roster.hpp"
#include "agent/state_directory.hpp"
#include "agent/watchdog.hpp"
#include "core/leave_desk.hpp"
#include "core/recovery.hpp"
#include "core/switchboard.hpp"
#include "mpi/pool.hpp"
#include "mpi/round_comms.hpp"
#include "muster/config.hpp"

namespace muster::agent {

/// What an agent shares with the rest of its process. All of it outlives the agent.
struct Surroundings {
    Bell& bell;
    Mailbox& mailbox;
    Inbox& inbox;
    detail::Desk& desk;
    Watchdog& watchdog;
};

/// What this member has sent since it joined, beside MPI's own messages.
struct Traffic {
    std::uint64_t packets = 0;  ///< Of the control channel.
    std::uint64_t rings = 0;    ///< Datagrams to other members' bells.
};

class Agent {
public:
    /// `pool`: all that were alive when the roster was exchanged. `restored`: what an earlier launch has left, where
    /// this member was to look for it.
    Agent(const Config& config, std::vector<RosterEntry> roster, mpi::Communicator pool, Rank self,
          const Surroundings& around, const std::optional<core::RestoredJob>& restored = {});

    /// The first round. Blocks until it is handed over, or the job has ended.
    void form();

    /// One look at everything, after a sleep of at most `wait`. False once the job has ended for this member.
    bool pump(std::chrono::milliseconds wait);

    /// Somebody was lost, or left, since the job began: MPI_Finalize may hang.
    [[nodiscard]] bool lost_any() const { return lost_any_.load(); }

    [[nodiscard]] Traffic traffic() const { return {packets_.load(), rings_.load()}; }  ///< Any thread.

private:
    // agent.cpp: what comes in.
    void listen(bool rang);
    void receive(mpi::Received received);
    void serve_engine();
    void announce_leaving();
    void ask_for_round();
    void tell_standbys();
    void tell_launcher_joined(const core::Plan& plan);
    void recover(const char* why);
    void report_when_due();
    void report();

    // converse.cpp: signals, requests and everything else that the switchboard passes on.
    void carry_from_engine();
    void carry_from_clients();
    void look_for_the_missing();
    void tell_launcher_state(std::uint64_t barrier);
    void apply(core::SwitchEffects effects);
    void perform(core::Transmit& effect);
    void perform(core::SignalArrived& effect);
    void perform(core::RequestArrived& effect);
    void perform(core::WakeEngine& effect);
    void perform(core::ClientConnected& effect);
    void perform(core::OperationEnded& effect);
    void perform(core::RequestEnded& effect);
    void perform(core::StoreCallEnded& effect);
    void perform(core::RegistryCallEnded& effect);
    void perform(core::ControllerCallEnded& effect);
    void perform(core::ReplicaOrder& effect);
    void perform(core::CrashOrder& effect);
    void perform(core::RequestCalledOff& effect);
    void perform(core::PrepareEngine& effect);
    void perform(core::CheckEngine& effect);
    void perform(core::LoadsHeard& effect);
    void perform(core::LeavingHeard& effect);
    void perform(core::StateHeard& effect);
    void perform(core::TellPosition& effect);
    void perform(core::Whereabouts& effect);
    void perform(core::SeatRound& effect);
    void perform(core::Note& effect);
    void enter_round(const core::Plan& plan);

    // carry_out.cpp: what the core asks for. Each returns the next input; nothing where there is none.
    void run(core::Effects effects);
    std::optional<core::Input> carry_out(const core::Effect& effect);
    std::optional<core::Input> perform(const core::Revoke& effect);
    std::optional<core::Input> perform(const core::Shrink& effect);
    std::optional<core::Input> perform(const core::Gather& effect);
    std::optional<core::Input> perform(const core::Broadcast& effect);
    std::optional<core::Input> perform(const core::Build& effect);
    std::optional<core::Input> perform(const core::Agree& effect);
    std::optional<core::Input> perform(const core::HandOver& effect);
    std::optional<core::Input> perform(const core::End& effect);
    [[nodiscard]] core::Facts own_facts();
    [[nodiscard]] mpi::WorldShape shape_of(const core::Plan& plan) const;
    [[nodiscard]] Result<Done> share_blob(const core::Plan& plan);
    [[nodiscard]] int place_of(Rank rank) const;
    void ring(Rank other, Round asked_after = {});
    void ring_due();
    void ring_neighbours();
    void prove(const core::Gather& gather);
    [[nodiscard]] bool only_asked_for() const;
    void settle();
    void count_fruitless(const core::Plan& plan);

    const Config& config_;
    std::vector<RosterEntry> roster_;
    mpi::Communicator pool_;
    std::vector<Rank> places_;  ///< Place in the pool -> Rank.
    Rank self_;
    Bell& bell_;
    Mailbox& mailbox_;
    Inbox& inbox_;
    detail::Desk& desk_of_clients_;
    Watchdog& watchdog_;
    core::Recovery recovery_;
    std::optional<StateJournal> journal_;
    core::Switchboard switchboard_;
    mpi::Post post_;
    core::LeaveDesk desk_;
    LauncherLink link_;
    EventLog events_;
    core::rendezvous::Events steps_;  ///< Of the round that this member has decided and that is not complete yet.

    std::shared_ptr<mpi::RoundComms> comms_;   ///< Of the last round handed over.
    std::optional<mpi::BuiltRound> building_;  ///< Of the plan that is being built.
    core::Bytes blob_;
    std::vector<Rank> proven_;
    bool witness_ = true;  ///< MUSTER_PROOF=off: believe no death on this node, as if it were another's (tests).
    Timeline times_;
    std::shared_ptr<const Handover> unreported_;  ///< A round whose line waits for its first commit.
    Clock::time_point unreported_since_;
    bool state_exists_ = false;   ///< Somebody has committed a step since the job began.
    bool standbys_told_ = false;  ///< ... and this engine's share of the standbys knows.
    bool announced_leaving_ = false;
    Clock::time_point leave_again_;
    unsigned failures_in_a_row_ = 0;
    unsigned fruitless_ = 0;  ///< Rebuilds in a row that lost nobody and led to no commit.
    std::optional<Step> last_step_;
    Clock::time_point last_rebuild_;
    bool ended_ = false;
    bool asked_ = false;        ///< The round that is under way is one that the program asked for.
    bool calm_ = false;         ///< ... by this member, while nothing was wrong with the pool.
    bool troubled_ = false;     ///< Something has failed since the last complete round.
    bool told_parked_ = false;  ///< The facts that were gathered last said so.
    bool told_close_ = false;
    core::SeatWishes told_seats_;
    std::vector<Rank> group_;                  ///< This engine's lockstep group.
    std::optional<Mailbox::Missing> missing_;  ///< Being looked into.
    std::vector<Rank> to_ring_;                ///< Were sent something since the last ring.
    bool in_round_ = false;  ///< The last round that was handed over is whole, as far as this agent knows.
    std::atomic<bool> lost_any_{false};
    std::atomic<std::uint64_t> packets_{0}, rings_{0};
};

}  // namespace muster::agent
