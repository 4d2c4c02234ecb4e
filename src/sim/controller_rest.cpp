// SPDX-License-Identifier: Apache-2.0
/// Who serves which request, and how all must be once nothing changes any more.
#include <algorithm>

#include "core/ranks.hpp"
#include "sim/controller_witness.hpp"
#include "sim/names.hpp"

namespace muster::sim {

using namespace core::controller;

namespace {

constexpr std::uint64_t kStopsWithin = 1'000;  ///< From when it is written until no request is given to it.
constexpr std::uint64_t kStopsLate = 31'000;   ///< The same where it has not been said to run: a turn and a tick.

std::optional<core::SeatId> seat_of(const Member& who, Rank rank) {
    const auto slot = core::slot_of(who.view->world, rank);
    return slot ? std::optional(who.view->seats[who.view->groups[slot->value]]) : std::nullopt;
}

std::string name_of(const RequestKey& request) {
    return "rank " + std::to_string(request.first.value) + "'s request " + std::to_string(request.second.value);
}

std::string name_of(core::SeatId seat) { return "replica " + std::to_string(seat.value); }

const core::controller::State& state_of(const Member& member) {
    return member.switchboard->job_state().controller().state();
}

bool runs(const Replica& replica) { return replica.phase == ReplicaPhase::running; }

std::uint32_t running_of(const core::controller::State& state, const std::string& tag) {
    const auto& replicas = replicas_of(state, tag);
    return static_cast<std::uint32_t>(
        std::count_if(replicas.begin(), replicas.end(), [](const auto& one) { return runs(one.second); }));
}

std::string told(const core::controller::State& state, const std::string& tag) {
    const auto backend = state.backends.find(tag);
    std::string text = backend == state.backends.end()
                           ? " (deleted:"
                           : " (wants " + std::to_string(backend->second.wanted) + " of version " +
                                 std::to_string(backend->second.version) + ", has";
    for (const auto& [id, replica] : replicas_of(state, tag))
        text += " #" + std::to_string(id.value) + " v" + std::to_string(replica.version) + " phase " +
                std::to_string(static_cast<int>(replica.phase));
    for (const auto& [id, goal] : state.goals)
        if (goal.backend == tag)
            text += " g" + std::to_string(id.value) + ":" + std::to_string(static_cast<int>(goal.outcome));
    return text + ")";
}

/// Its last change could not be carried out: the old ones stay, and nobody knows any more what they were.
bool is_stuck(const core::controller::State& state, const std::string& tag) {
    const auto& version = state.backends.at(tag).version;
    const auto& replicas = replicas_of(state, tag);
    const bool has_old =
        std::any_of(replicas.begin(), replicas.end(), [&](const auto& one) { return one.second.version != version; });
    const Goal* last = nullptr;
    for (const auto& [id, goal] : state.goals)
        if (goal.backend == tag) last = &goal;
    return has_old && last && last->outcome == GoalOutcome::failed;
}

}  // namespace

// Requests.

void ControllerWitness::learns(const core::ReplicaSpec& spec) {
    const auto [entry, is_new] = backends_.try_emplace(spec.seat, spec.backend);
    about_ = name_of(spec.seat) + " ";
    if (!is_new && entry->second != spec.backend)
        violated("is to be of backend " + spec.backend + ", and was of " + entry->second);
}

void ControllerWitness::submits(const Member& client, RequestId id, const core::Target& target, std::uint64_t now) {
    requests_[{client.rank, id}] = {target, now};
}

/// Is there a policy that may have held since then, and names this backend?
bool ControllerWitness::may_serve(const core::Target& target, const std::string& backend, std::uint64_t since,
                                  bool is_copy) const {
    if (target.kind == core::Target::backend) return !is_copy && target.name == backend;
    const auto values =
        values_.find(is_copy ? "shadow of " + target.name + " at " + backend : "traffic of " + target.name);
    if (values == values_.end()) return false;
    const auto names_it = [&](const Written& value) {
        if (!value || is_copy) return value.has_value();
        const auto& weights = policies_.at(*value).weights;
        const auto found = weights.find(backend);
        return found != weights.end() && found->second > 0;
    };
    return values->second.may_be(names_it, since, era_, [](const Written&) { return true; });
}

void ControllerWitness::delivered(const Member& engine, const RequestKey& request, std::uint64_t) {
    if (engine.cut) return;
    const bool is_copy = core::is_shadow(request.first);
    const Rank client = is_copy ? core::shadow_of(request.first) : request.first;
    const auto found = requests_.find({client, request.second});
    about_ = name_of({client, request.second}) + (is_copy ? " (a copy) " : " ");
    const auto seat = seat_of(engine, engine.rank);
    if (found == requests_.end()) return violated("was never submitted, and an engine has it");
    if (!seat || *seat == core::SeatId{})
        return violated("is given to rank " + std::to_string(engine.rank.value) + ", which is no replica");
    const auto backend = backends_.find(*seat);
    if (backend == backends_.end()) {
        if (era_ == 0) violated("is given to " + name_of(*seat) + ", and no member was told what that is");
        return;
    }
    if (!may_serve(found->second.target, backend->second, found->second.since, is_copy))
        violated("to " + found->second.target.name + " is given to backend " + backend->second);
}

bool ControllerWitness::ends(const Member& client, RequestId id, const std::optional<Error>& error, std::uint64_t) {
    const auto found = requests_.find({client.rank, id});
    if (found == requests_.end() || !error || error->fault != Fault::refused) return false;
    const auto& [target, since] = found->second;
    if (error->text.find("is not registered") == std::string::npos) return false;
    about_ = name_of({client.rank, id}) + " ";
    if (target.kind == core::Target::endpoint && may_be_absent("endpoint " + target.name, since)) return true;
    // Whoever uses a backend keeps it: one of an endpoint's is gone only with its traffic.
    const bool missing =
        std::any_of(kBackendTags.begin(), kBackendTags.end(), [&, &to = target, from = since](auto& tag) {
            return may_serve(to, tag, from, false) && may_be_absent("backend " + tag, from);
        });
    if (!missing) violated("to " + target.name + " is refused, and that was there: " + error->text);
    return true;
}

void ControllerWitness::looks_at(const Member& coordinator, std::uint64_t now) {
    if (coordinator.cut) return;
    for (const auto& [tag, replicas] : state_of(coordinator).replicas)
        for (const auto& [id, replica] : replicas) {
            auto& drain = drains_[core::SeatId{id.value}];
            if (drain.round != coordinator.view->round) drain = {coordinator.view->round};
            if (serves(replica)) {
                drain.has_run = true;
                has_run_.insert(core::SeatId{id.value});
            }
            if (replica.phase == ReplicaPhase::stopping && !drain.since) drain.since = now;
        }
}

/// A replica that drains gets nothing new.
void ControllerWitness::gives(const Member& coordinator, Rank to, std::uint64_t now,
                              const std::function<bool(std::uint64_t since)>& undisturbed) {
    const auto seat = seat_of(coordinator, to);
    const auto found = seat ? drains_.find(*seat) : drains_.end();
    if (coordinator.cut || found == drains_.end()) return;
    const auto& [round, has_run, since] = found->second;
    const auto bound = has_run ? kStopsWithin : kStopsLate;
    if (round != coordinator.view->round || !since || now < *since + bound || !undisturbed(*since)) return;
    about_ = name_of(*seat) + " ";
    violated("drains for " + std::to_string(now - *since) + " ticks, and is given a request");
}

// In the end.

/// Replicas that run are seats of the round, each once, and there is no other.
std::string ControllerWitness::seats_unrest(const Member& coordinator) {
    std::vector<core::SeatId> running, seats;
    for (const auto& [tag, replicas] : state_of(coordinator).replicas)
        for (const auto& [id, replica] : replicas) {
            if (!runs(replica))
                return name_of(core::SeatId{id.value}) + " of " + tag + " comes or goes" +
                       told(state_of(coordinator), tag);
            running.push_back(core::SeatId{id.value});
        }
    for (const auto seat : coordinator.view->seats)
        if (seat != core::SeatId{}) seats.push_back(seat);
    std::sort(running.begin(), running.end());
    std::sort(seats.begin(), seats.end());
    return running == seats ? "" : "replicas that run are not the round's seats";
}

std::string ControllerWitness::wanted_unrest(const Member& coordinator, const std::vector<Member>& members,
                                             std::uint32_t unit) {
    const core::controller::State& state = state_of(coordinator);
    const auto able = static_cast<std::size_t>(
        std::count_if(coordinator.view->standbys.begin(), coordinator.view->standbys.end(),
                      [&](Rank rank) { return !members[rank.value].wishes.parked && !members[rank.value].leaving; }));
    const auto capacity = coordinator.view->seats.size() + able / unit;
    std::size_t all = 0;
    std::string wants;
    for (const auto& [tag, backend] : state.backends) {
        const auto running = running_of(state, tag);
        all += running;
        if (is_stuck(state, tag)) continue;
        const auto& replicas = replicas_of(state, tag);
        const bool is_new = std::all_of(replicas.begin(), replicas.end(), [&, &now = backend](const auto& one) {
            return one.second.version == now.version;
        });
        if (running > backend.wanted) return tag + " has too many replicas" + told(state, tag);
        // An update makes room of one part of the old ones only: where others have taken that it waits for more.
        if (running < backend.wanted) wants = tag;
        if (!is_new && running >= backend.wanted) return tag + " has replicas of an old version" + told(state, tag);
        if (running == backend.wanted && state.pending.contains(tag))
            return "the goal of " + tag + " is reached and open";
    }
    for (const auto& [tag, goal] : state.pending)
        if (!state.backends.contains(tag) && replicas_of(state, tag).empty()) return "the goal of " + tag + " is open";
    return wants.empty() || all >= capacity ? ""
                                            : wants + " has too few replicas, and there is room" + told(state, wants);
}

std::string ControllerWitness::unrest(const Member& coordinator, const std::vector<Member>& members,
                                      std::uint32_t unit) const {
    if (auto why = seats_unrest(coordinator); !why.empty()) return why;
    if (auto why = wanted_unrest(coordinator, members, unit); !why.empty()) return why;
    for (const auto& [name, call] : calls_) {
        const auto& member = members[name.first.value];
        const auto* question = std::get_if<Question>(&call.what);
        const auto* wait = question ? std::get_if<WaitForGoal>(question) : nullptr;
        if (!wait || call.is_answered || call.is_given_up || !member.alive || member.cut) continue;
        const auto goal = state_of(coordinator).goals.find(wait->goal);
        if (goal == state_of(coordinator).goals.end() || goal->second.outcome != GoalOutcome::pending)
            return "rank " + std::to_string(name.first.value) + " waits for a goal that has ended";
    }
    std::string why;
    for (const auto& member : members)
        if (member.alive && !member.cut && member.listening && !knows(*member.listening, state_of(coordinator), why))
            return "rank " + std::to_string(member.rank.value) + " " + why;
    return "";
}

bool ControllerWitness::may_wait(const Member& coordinator, const RequestKey& request) const {
    const auto found = requests_.find(request);
    if (found == requests_.end()) return false;
    const core::controller::State& state = state_of(coordinator);
    return std::any_of(kBackendTags.begin(), kBackendTags.end(), [&](const auto& tag) {
        return running_of(state, tag) == 0 && may_serve(found->second.target, tag, found->second.since, false);
    });
}

/// No goal is lost, and none was given that no call has had.
void ControllerWitness::goals_are_there(const core::controller::State& state) {
    std::map<std::string, std::size_t> unknown;
    for (const auto& [name, call] : calls_)
        if (const auto tag = backend_of(call);
            tag && !call.goal && !call.is_refused && (!call.is_answered || call.is_given_up))
            ++unknown[*tag];
    for (const auto& [id, goal] : goals_) {
        about_ = "goal g" + std::to_string(id.value) + " of " + goal.backend + " ";
        if (goal.era != era_) continue;
        const auto found = state.goals.find(id);
        if (found == state.goals.end())
            violated("is lost");
        else if (found->second.backend != goal.backend)
            violated("is now of " + found->second.backend);
    }
    if (era_ > 0) return;
    for (const auto& [id, goal] : state.goals) {
        if (goals_.contains(id)) continue;
        about_ = "goal g" + std::to_string(id.value) + " of " + goal.backend + " ";
        if (unknown[goal.backend]-- == 0) return violated("is nobody's: a call was done twice");
    }
}

/// Every call that returned ok and was not overwritten since is there.
void ControllerWitness::values_are_there(const core::controller::State& state, std::uint64_t now) {
    about_ = "in the end somebody ";
    ControllerView view;
    for (const auto& [tag, backend] : state.backends) view.backends[tag] = backend.config;
    view.endpoints = state.endpoints;
    shows_backends(view, now, false);
    shows_endpoints(view, now, true, true);
}

void ControllerWitness::judges(const Member& coordinator, std::uint64_t now) {
    goals_are_there(state_of(coordinator));
    values_are_there(state_of(coordinator), now);
}

}  // namespace muster::sim
