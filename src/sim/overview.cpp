// SPDX-License-Identifier: Apache-2.0
/// A World as it is seen from outside: has it come to rest, who is where, how much has happened.
#include <algorithm>

#include "sim/stage.hpp"

namespace muster::sim {

const char* name_of(Doing doing) {
    switch (doing) {
        case Doing::parked: return "parked";
        case Doing::batch: return "waits for its source";
        case Doing::vote: return "votes";
        case Doing::meeting: return "meets in a forward";
        case Doing::computing: return "computes";
        case Doing::hooks: return "in its hooks";
        case Doing::rest: return "rests";
        case Doing::barrier: return "in the barrier";
        case Doing::finished: return "finished";
    }
    return "unknown";
}

const Member* World::Stage::newest() const {
    const Member* found = nullptr;
    for (const auto& member : members_)
        if (member.alive && !member.cut && !member.ended && member.view &&
            (!found || member.view->round > found->view->round))
            found = &member;
    return found;
}

/// In its round, and where it is an engine: in `state`, with nothing on its way there.
bool World::Stage::works(const Member& member, State state) const {
    if (!member.steady || member.broken || member.hung || member.cut || !member.mail.empty()) return false;
    if (!member.engine_role) return true;
    const auto& engine = *member.engine;
    return !engine.interrupted && !engine.handover && engine.loop.lifecycle().state() == state;
}

bool World::Stage::settled(State state) {
    const Member* some = newest();
    if (some && std::any_of(some->view->members.begin(), some->view->members.end(),
                            [this](Rank rank) { return !members_[rank.value].alive || members_[rank.value].cut; }))
        return false;  // Not everybody has noticed yet.
    for (const auto& member : members_) {
        if (!member.alive) continue;
        const bool waits =
            member.book && (!member.book->open_operations.empty() ||
                            (state == State::running && !deploys() && !member.book->open_requests.empty()));
        if (waits || (!member.ended && !works(member, state))) return false;
        if (std::any_of(member.calls.open.begin(), member.calls.open.end(),
                        [](const auto& call) { return !call.second.given_up && !call.second.waits; }))
            return false;
        if (!member.ended && member.view->round != some->view->round) return false;
    }
    if (some && deploys() && state == State::running) {
        unrest_ = unrest();
        if (unrest_.empty()) witness_.controller().judges(members_[some->view->coordinator.value], now());
        return unrest_.empty();
    }
    return some || state == State::stopped;
}

Counts World::Stage::counts() const {
    Counts counts = counts_;
    counts.barriers = witness_.crossed();
    counts.waves = witness_.waves().highest();
    const auto& seats = witness_.seats().counts();
    counts.seated = seats.seated;
    counts.unseated = seats.unseated;
    counts.no_room = seats.no_room;
    counts.dissolved = seats.dissolved;
    counts.losses = witness_.losses();
    counts.load_packets = traffic_.loads();
    counts.loads_most = traffic_.loads_most();
    counts.traffic_most = traffic_.most();
    for (const auto& member : members_) counts.packets_most = std::max(counts.packets_most, member.packets);
    return counts;
}

std::string World::Stage::story() const {
    std::string text = "tick " + std::to_string(now()) + ", " + std::to_string(witness_.crossed()) + " barriers\n";
    for (const auto& member : members_) {
        text += "  rank " + std::to_string(member.rank.value) + (member.client ? " client" : "") +
                (member.alive ? "" : " dead") + (member.hung ? " hangs" : "") + (member.cut ? " cut off" : "") +
                (member.ended ? " ended" : "") + (member.steady ? " steady" : "") + (member.broken ? " broken" : "");
        if (member.view) text += " round " + std::to_string(member.view->round.value);
        if (member.recovery) text += std::string(" ") + core::name_of(member.recovery->phase());
        text += " waits " + std::to_string(static_cast<int>(member.waits)) + " pool " + std::to_string(member.pool);
        if (const auto& facts = member.switchboard->facts(); true)
            text += " facts " + std::to_string(facts.crossed) + "+" + std::to_string(facts.pending.size());
        if (member.engine && member.engine_role)
            text += std::string(" engine ") + muster::name_of(member.engine->loop.lifecycle().state()) + " " +
                    name_of(member.engine->doing) + " open " + std::to_string(member.engine->inbox.size()) + "+" +
                    std::to_string(member.engine->open.size()) + " group " + std::to_string(member.engine->now.group) +
                    " votes " + std::to_string(member.engine->votes) + " crossed " +
                    std::to_string(member.engine->loop.barriers_crossed()) +
                    (member.engine->interrupted ? " interrupted" : "");
        if (member.book)
            text += " operations " + std::to_string(member.book->open_operations.size()) + " requests " +
                    std::to_string(member.book->open_requests.size());
        text += "\n";
    }
    if (!unrest_.empty()) text += "controller: " + unrest_ + "\n";
    return text + "last note: " + witness_.last_note() + "\n";
}

}  // namespace muster::sim
