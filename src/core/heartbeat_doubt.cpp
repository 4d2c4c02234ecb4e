// SPDX-License-Identifier: Apache-2.0
/// From silence to a verdict: whom to ask, what their answers mean, who passes it on.
#include <algorithm>

#include "core/heartbeat.hpp"

namespace muster::core {

using Message = HeartbeatMessage;

namespace {

constexpr std::size_t kNearMax = 2;       ///< Witnesses on the silent one's node: they can end it.
constexpr std::size_t kFarMax = 4;        ///< And one on each of so many other nodes.
constexpr std::size_t kWitnessesMin = 3;  ///< Where nodes are few, more of the same.

std::string seconds(std::uint64_t ms) {
    auto text = std::to_string((ms + 5) / 10 % 100);
    if (text.size() < 2) text.insert(0, "0");
    return std::to_string((ms + 5) / 1000) + "." + text + " s";
}

}  // namespace

std::size_t Heartbeat::place_of(Rank rank) const {
    return static_cast<std::size_t>(std::lower_bound(members_.begin(), members_.end(), rank) - members_.begin());
}

/// The next one backwards in the ring who is not condemned; nobody where that is this member.
std::optional<Rank> Heartbeat::before(Rank rank) const {
    for (auto place = place_of(rank), n = members_.size(); n > 0; --n) {
        place = (place + members_.size() - 1) % members_.size();
        const Rank one = members_[place];
        if (one == self_) return std::nullopt;
        if (one != rank && !condemned_.contains(one)) return one;
    }
    return std::nullopt;
}

/// Two of its own node, then going backwards in the ring one of each further node. This member's own node comes last:
/// who is there hears what is heard here.
std::vector<Rank> Heartbeat::witnesses(Rank subject) const {
    std::vector<Rank> near_it, far, rest;
    std::set<std::uint32_t> nodes;
    const auto size = members_.size();
    for (std::size_t back = 1, place = place_of(subject); back < size; ++back) {
        const Rank one = members_[(place + size - back) % size];
        if (one == self_ || condemned_.contains(one)) continue;
        const auto node = nodes_[one.value];
        if (node == nodes_[subject.value] && near_it.size() < kNearMax)
            near_it.push_back(one);
        else if (node != nodes_[subject.value] && !near(one) && far.size() < kFarMax && nodes.insert(node).second)
            far.push_back(one);
        else if (rest.size() < kWitnessesMin)
            rest.push_back(one);
    }
    near_it.insert(near_it.end(), far.begin(), far.end());
    for (const Rank one : rest)
        if (near_it.size() < kWitnessesMin) near_it.push_back(one);
    return near_it;
}

void Heartbeat::watch_too(Rank rank, std::uint64_t heard_ms) {
    if (rank == self_ || condemned_.contains(rank) || watched_.contains(rank)) return;
    watched_[rank].heard_ms = heard_ms;
    send(rank, Message::watch);
}

void Heartbeat::look_at_the_watched(std::uint64_t now_ms) {
    std::vector<Rank> doubtful, due;
    for (const auto& [rank, watched] : watched_) {
        const auto silent_ms = now_ms - watched.heard_ms;
        if (!watched.doubted_ms && silent_ms + settings_.period_ms() >= settings_.window_ms)
            doubtful.push_back(rank);
        else if (watched.doubted_ms && silent_ms >= settings_.window_ms)
            due.push_back(rank);
    }
    for (const Rank rank : doubtful) begin_doubt(rank, watched_[rank], now_ms);
    for (const Rank rank : due) judge(rank, now_ms);
}

/// Whoever it should have listened to has lost its listener, and its node may be dark: they are listened to from here,
/// so that a node's end takes no longer than two members'.
void Heartbeat::begin_doubt(Rank subject, Watched& watched, std::uint64_t now_ms) {
    watched.doubted_ms = now_ms;
    watched.asked.clear();
    send(subject, Message::ping);
    for (const Rank witness : witnesses(subject)) {
        watched.asked[witness] = Answer::none;
        send(witness, Message::ask, subject);
    }
    for (const Rank rank : members_)
        if (rank != subject && nodes_[rank.value] == nodes_[subject.value] && !near(rank)) watch_too(rank, now_ms);
    if (const auto next = before(subject)) watch_too(*next, now_ms);
}

bool Heartbeat::asked_far(const Watched& watched, bool answered) const {
    return std::any_of(watched.asked.begin(), watched.asked.end(), [&](const auto& one) {
        return !near(one.first) && (!answered || one.second == Answer::silent);
    });
}

/// Condemned where somebody elsewhere finds it silent too. On one's own node, where no cable can be pulled, this
/// member's own finding is enough; so is it, with what the node's others say, where the silent one is the only other
/// member elsewhere.
void Heartbeat::judge(Rank subject, std::uint64_t now_ms) {
    auto& watched = watched_[subject];
    const auto silent_ms = now_ms - watched.heard_ms;
    std::size_t agree = 0;
    for (const auto& [rank, answer] : watched.asked)
        if (answer == Answer::silent) ++agree;
    const bool enough = near(subject) || asked_far(watched, true) || (agree > 0 && !asked_far(watched, false));
    if (!enough) return judge_unanswered(subject, watched, now_ms);
    const auto why = "rank " + std::to_string(subject.value) + " was silent for " + seconds(silent_ms) + ", " +
                     (agree == 0 ? "on the node of rank " + std::to_string(self_.value)
                                 : "and " + std::to_string(agree) + " others do not hear it");
    for (const auto& [rank, answer] : watched.asked)
        if (answer == Answer::silent && !near(subject) && nodes_[rank.value] == nodes_[subject.value])
            send(rank, Message::kill, subject);
    const auto asked = watched.asked;
    const auto since_ms = watched.doubted_ms.value_or(now_ms);
    condemn(subject, why, now_ms);
    for (const auto& [rank, answer] : asked)
        if (answer == Answer::none) watch_too(rank, since_ms);
}

/// Nobody elsewhere has answered: this node may be the one that is cut off.
void Heartbeat::judge_unanswered(Rank subject, Watched& watched, std::uint64_t now_ms) {
    if (now_ms - watched.heard_ms >= 2 * std::uint64_t{settings_.window_ms})
        return give_the_others_up(now_ms - watched.heard_ms);
    for (const auto& [rank, answer] : watched.asked)
        if (answer == Answer::none) send(rank, Message::ask, subject);
    if (now_ms < *watched.doubted_ms + 2 * settings_.period_ms()) return;
    watched.doubted_ms = now_ms;
    send(subject, Message::ping);
    for (const Rank witness : witnesses(subject)) {
        watched.asked.try_emplace(witness, Answer::none);
        send(witness, Message::ask, subject);
    }
}

void Heartbeat::condemn(Rank subject, const std::string& why, std::uint64_t now_ms) {
    if (near(subject)) effects_.push_back(KillSilent{subject});
    watched_.erase(subject);
    listeners_.erase(subject);
    condemned_.insert(subject);
    own_verdicts_.insert(subject);
    effects_.push_back(Condemned{subject, why});
    pass_on(subject);
    send(subject, Message::condemned, subject);
    close_ring(now_ms);
}

/// For this node alone: the others may be well, and are told nothing. The fence says who may go on.
void Heartbeat::give_the_others_up(std::uint64_t silent_ms) {
    if (std::exchange(given_up_, true)) return;
    bool first = true;
    for (const Rank rank : members_) {
        if (rank == self_ || near(rank) || condemned_.contains(rank)) continue;
        condemned_.insert(rank);
        watched_.erase(rank);
        const bool told = std::exchange(first, false) && silent_ms > 0;
        effects_.push_back(
            Condemned{rank, told ? "nobody beyond this node was heard of for " + seconds(silent_ms) : "", true});
    }
    for (const Rank mate : members_)
        if (mate != self_ && near(mate)) send(mate, Message::alone);
}

/// Whoever stands before this member now is listened to: the one that was there before may have been condemned.
void Heartbeat::close_ring(std::uint64_t now_ms) {
    if (const auto next = before(self_)) watch_too(*next, now_ms);
}

void Heartbeat::hear_condemned(const Message& message, std::uint64_t now_ms) {
    const Rank subject = message.subject;
    if (!is_member(subject) || !condemned_.insert(subject).second) return;
    watched_.erase(subject);
    listeners_.erase(subject);
    std::erase_if(inquiries_, [&](const Inquiry& inquiry) { return inquiry.subject == subject; });
    effects_.push_back(Condemned{subject, ""});
    pass_on(subject);
    close_ring(now_ms);
}

/// To the members at distance 1, 2, 4, ... in the ring: whoever hears it for the first time does the same, so all know
/// after log n hops.
void Heartbeat::pass_on(Rank subject) {
    const auto size = members_.size();
    const auto here = place_of(self_);
    for (std::size_t far = 1; far < size; far *= 2)
        for (const std::size_t place : {(here + far) % size, (here + size - far) % size}) {
            const Rank rank = members_[place];
            if (rank != self_ && !condemned_.contains(rank)) send(rank, Message::condemned, subject);
        }
}

}  // namespace muster::core
