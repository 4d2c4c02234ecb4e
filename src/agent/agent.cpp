// SPDX-License-Identifier: Apache-2.0
#include "agent/agent.hpp"

#include <sched.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>

#include "agent/inject.hpp"
#include "agent/log.hpp"
#include "agent/settings.hpp"
#include "core/assert.hpp"
#include "core/ranks.hpp"

namespace muster::agent {
namespace {

/// After a bell MPI's own message may still be on its way: how long to look closely, and how long once one has come.
constexpr auto kCloseLook = std::chrono::milliseconds(2);
constexpr unsigned kInARow = 16;
constexpr auto kLookOnce = std::chrono::microseconds(200);
/// A program that does not commit gets its round's line this long after the handover.
constexpr auto kReportAnyway = std::chrono::seconds(5);
/// The controller's own deadline for a start comes after the steward's, which knows why.
constexpr std::uint64_t kControllerPatience = 20'000;
/// A leaver that hears nothing asks for a round itself.
constexpr int kLeavePatience = 5;

core::PlanSettings plan_settings(const Config& config) {
    const char* node = std::getenv("MUSTER_LAUNCHER_NODE");
    return {.run_id = config.run_id,
            .placement = placement_settings(config),
            .engines_min = config.engines_min,
            .controller = config.controller,
            .quorum = config.quorum,
            .record = !config.events.empty(),
            .launcher_node = node != nullptr ? node : ""};
}

/// Snapshot ids of two processes are to differ.
std::uint64_t random_seed() {
    std::random_device device;
    return std::uint64_t{device()} << 32U | device();
}

core::SwitchboardSettings switchboard_settings(const Config& config, Rank self) {
    return {.fan_out = config.fan_out,
            .store = {.run_id = config.run_id},
            .router = {.routing = config.routing,
                       .seed = self.value,
                       .queue_max_per_engine = config.queue_max_per_engine,
                       .queue_max = config.queue_max},
            .load_interval_ms = std::max(1u, config.load_interval_ms),
            .coordination = config.consensus != ConsensusMode::off,
            .controller = {.controller = {.start_limit_ms = config.prepare_deadline_ms + kControllerPatience,
                                          .crash_after_checkpoint = crash_after_checkpoint(),
                                          .detached = true},
                           .period_ms = config.controller_period_ms,
                           .seed = random_seed()},
            .replicas = has_steward(config),
            .steward = {.unit = std::max(1u, config.group_size) * config.engine_ranks,
                        .start_limit_ms = config.prepare_deadline_ms}};
}

std::vector<core::Member> members(const std::vector<RosterEntry>& roster) {
    std::vector<core::Member> result;
    result.reserve(roster.size());
    for (const auto& entry : roster) result.push_back(entry.member);
    return result;
}

}  // namespace

Agent::Agent(const Config& config, std::vector<RosterEntry> roster, mpi::Communicator pool, Rank self,
             const Surroundings& around, const std::optional<core::RestoredJob>& restored)
    : config_(config),
      roster_(std::move(roster)),
      pool_(std::move(pool)),
      places_(pool_.ranks()),
      self_(self),
      bell_(around.bell),
      mailbox_(around.mailbox),
      inbox_(around.inbox),
      desk_of_clients_(around.desk),
      watchdog_(around.watchdog),
      recovery_(self, plan_settings(config), members(roster_)),
      switchboard_(self, switchboard_settings(config, self)),
      desk_(config.leave_window_ms),
      link_(self),
      events_(config.events, link_) {
    if (!config.state_directory.empty()) switchboard_.write_to(journal_.emplace(config, self));
    if (restored) {
        const bool is_state = switchboard_.restore(*restored);
        MUSTER_ASSERT(is_state);  // Folded by read_state().
        say("the job's state goes on from " + core::words_of(restored->position));
    }
    const char* proof = std::getenv("MUSTER_PROOF");
    witness_ = proof == nullptr || std::string_view(proof) != "off";
}

void Agent::form() {
    times_.noticed = times_.shrunk = Clock::now();
    run(recovery_.step(core::Shrunk{places_}));
}

bool Agent::pump(std::chrono::milliseconds wait) {
    if (ended_) return false;
    const bool rang = bell_.wait(post_.busy() ? 0 : static_cast<int>(wait.count()));
    mailbox_.free_retired();
    serve_engine();
    if (!ended_) listen(rang);
    if (!ended_) switchboard_.engine_says(inbox_.says(switchboard_.in_progress()));
    switchboard_.parks(mailbox_.parked());
    if (!ended_) apply(switchboard_.tick(milliseconds(Clock::now())));
    if (!ended_ && desk_.due(recovery_.world(), milliseconds(Clock::now()))) recover("engines leave");
    if (!ended_) tell_standbys();
    look_for_the_missing();
    report_when_due();
    ring_due();
    return !ended_;
}

void Agent::listen(bool rang) {
    unsigned in_a_row = 0;
    auto until = Clock::now() + (rang ? kCloseLook : Clock::duration::zero());
    do {
        // What this process itself wants goes out at once, not after the look.
        carry_from_engine();
        carry_from_clients();
        if (ended_) return;
        auto received = mpi::try_receive(pool_);
        const bool sent = static_cast<bool>(post_.progress());
        const bool more = received && *received;
        // While messages come one upon the other, bells and the look for deaths wait a few of them.
        const bool due = !more || ++in_a_row % kInARow == 0;
        if (due) ring_due();
        if (!received || !sent || (due && mpi::broken(pool_))) return recover("the pool is broken");
        if (more) {
            receive(std::move(**received));
            if (ended_) return;
            until = std::min(until, Clock::now() + kLookOnce);
            continue;
        }
        if (rang) sched_yield();
    } while (Clock::now() < until);
}

void Agent::receive(mpi::Received received) {
    if (faults_ordered())
        if (const auto packet = core::decode_packet(received.message); packet && packet->message)
            reach_point("got", core::name_of(*packet->message));
    apply(switchboard_.received(places_.at(static_cast<std::size_t>(received.from)), received.message));
}

void Agent::serve_engine() {
    if (mailbox_.leaving() && mailbox_.going().empty()) announce_leaving();
    if (mailbox_.take_asked()) ask_for_round();
    if (mailbox_.take_complaint() || mailbox_.wished() || !mailbox_.going().empty()) recover("the engine saw an error");
}

void Agent::ask_for_round() {
    if (recovery_.closed()) return say("no new round: the rendezvous '" + config_.run_id + "' is closed");
    asked_ = true;
    calm_ = !mpi::broken(pool_);
    recover("the program asked for a new round");
}

void Agent::announce_leaving() {
    const auto now = Clock::now();
    if (announced_leaving_) {
        if (now >= leave_again_) recover("nobody answered to leave()");
        return;
    }
    announced_leaving_ = true;
    leave_again_ = now + kLeavePatience * std::chrono::milliseconds(config_.leave_window_ms);
    apply(switchboard_.leaving());
}

/// Standbys hear that there is state now: should all engines die at once, they must not begin anew in silence. Each
/// engine tells every n-th, at the round's first commit.
void Agent::tell_standbys() {
    if (standbys_told_ || mailbox_.first_commit() == Clock::time_point()) return;
    standbys_told_ = true;
    const auto& world = recovery_.world();
    const auto slot = core::slot_of(world, self_);
    std::size_t standby = 0;
    for (const Rank rank : recovery_.pool()) {
        const bool mine = !core::contains(world, rank) && slot && standby++ % world.size() == slot->value;
        if (mine) apply(switchboard_.state_exists(rank));
    }
}

void Agent::recover(const char* why) {
    if (ended_) return;
    ring_due();  // A recovery takes its time.
    trace(std::string("recovery: ") + why);
    report();
    times_ = {.last_commit = mailbox_.last_commit(), .noticed = Clock::now(), .shrunk = {}, .built = {}};
    reach_point("noticed");
    run(recovery_.step(core::Noticed{}));
}

/// A round's line is due when its first step is committed: then its stall is known. Who serves requests commits
/// nothing.
void Agent::report_when_due() {
    if (!unreported_) return;
    const bool serves = config_.work == Work::requests;
    const bool committed = mailbox_.first_commit() != Clock::time_point();
    if (committed || serves || ended_ || Clock::now() - unreported_since_ > kReportAnyway) report();
}

void Agent::report() {
    const auto round = std::exchange(unreported_, nullptr);
    if (!round || recovery_.coordinator() != self_) return;
    const auto& times = round->times;
    const auto first = mailbox_.first_commit();
    const auto to = first != Clock::time_point() ? first : times.built;
    nlohmann::json lost = nlohmann::json::array(), promoted = nlohmann::json::array();
    for (const auto& loss : round->plan.lost)
        lost.push_back({{"rank", loss.rank.value}, {"node", loss.node}, {"text", loss.text}});
    for (const auto& promotion : round->plan.promoted)
        promoted.push_back({{"rank", promotion.rank.value}, {"slot", promotion.slot.value}});
    link_.send({{"event", "round"},
                {"from", round->plan.round.value - 1},
                {"to", round->plan.round.value},
                {"lost", lost},
                {"promoted", promoted},
                {"size", round->plan.world.size()},
                {"stalled_ms", times.stalled_ms(to)},
                {"first_commit_seen", first != Clock::time_point()},
                {"detect_ms", times.detect_ms()},
                {"shrink_ms", times.shrink_ms()},
                {"build_ms", times.build_ms()},
                {"resume_ms", times.since_built_ms(to)}});
}

}  // namespace muster::agent
