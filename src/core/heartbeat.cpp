// SPDX-License-Identifier: Apache-2.0
/// Beating, listening, answering. What follows from silence: heartbeat_doubt.cpp.
#include "core/heartbeat.hpp"

#include <algorithm>

#include "core/assert.hpp"

namespace muster::core {

using Message = HeartbeatMessage;

Heartbeat::Heartbeat(Rank self, HeartbeatSettings settings, std::vector<std::uint32_t> nodes)
    : self_(self), settings_(settings), nodes_(std::move(nodes)) {
    MUSTER_ASSERT(self_.value < nodes_.size() && settings_.window_ms > 0);
}

bool Heartbeat::is_member(Rank rank) const { return std::binary_search(members_.begin(), members_.end(), rank); }

HeartbeatEffects Heartbeat::ring(Round round, std::vector<Rank> members, std::uint64_t now_ms) {
    round_ = round;
    members_ = std::move(members);
    std::sort(members_.begin(), members_.end());
    watched_.clear();
    listeners_.clear();
    inquiries_.clear();
    found_silent_.clear();
    condemned_.clear();
    own_verdicts_.clear();
    outside_since_ms_.reset();
    given_up_ = false;
    ticked_ms_ = now_ms;
    if (!is_member(self_) || members_.size() < 2) {
        due_ms_ = UINT64_MAX;
        return take();
    }
    const auto here = place_of(self_);
    watched_[members_[(here + members_.size() - 1) % members_.size()]].heard_ms = now_ms;
    listeners_.insert(members_[(here + 1) % members_.size()]);
    beat(now_ms);
    due_ms_ = next_beat_ms_;
    return take();
}

void Heartbeat::send(Rank to, Message::Word word, Rank subject) {
    effects_.push_back(SendBeat{to, {.word = word, .from = self_, .round = round_, .subject = subject}});
}

void Heartbeat::beat(std::uint64_t now_ms) {
    for (const Rank to : listeners_)
        if (!condemned_.contains(to)) send(to, Message::beat);
    next_beat_ms_ = now_ms + settings_.period_ms();
}

/// Something has come from it, by whatever way: it lives.
void Heartbeat::alive(Rank rank, std::uint64_t now_ms) {
    found_silent_.erase(rank);
    if (const auto watched = watched_.find(rank); watched != watched_.end()) {
        watched->second.heard_ms = now_ms;
        watched->second.doubted_ms.reset();
        watched->second.asked.clear();
    }
    std::erase_if(inquiries_, [&](const Inquiry& inquiry) {
        if (inquiry.subject == rank) send(inquiry.asker, Message::heard, rank);
        return inquiry.subject == rank;
    });
}

HeartbeatEffects Heartbeat::received(const Message& message, std::uint64_t now_ms) {
    const bool sensible = message.from.value < nodes_.size() && message.subject.value < nodes_.size();
    if (!sensible || message.from == self_ || round_ == Round{} || excluded_) return take();
    alive(message.from, now_ms);
    if (stale(message, now_ms)) return take();
    hear(message, now_ms);
    return take();
}

/// From somebody who was left out of this round or is about to be; from a round that has gone on without this member.
bool Heartbeat::stale(const Message& message, std::uint64_t now_ms) {
    if (message.word == Message::outside) {
        const bool later = message.round > round_;
        if (later) left_out("the job is in round " + std::to_string(message.round.value), false, now_ms);
        return true;
    }
    if (message.round < round_ && !is_member(message.from)) {
        send(message.from, Message::outside);
        return true;
    }
    if (message.round == round_ && condemned_.contains(message.from)) {
        if (!given_up_) send(message.from, Message::condemned, message.from);  // Nobody was told of what one gives up.
        return true;
    }
    return false;
}

/// Whoever is sent home by a plan may hear it from the others before it has taken that plan over: then it is believed
/// after a window only. After a long sleep, or where the others have condemned it, there is no such excuse.
void Heartbeat::left_out(const std::string& why, bool certain, std::uint64_t now_ms) {
    if (!outside_since_ms_) outside_since_ms_ = now_ms;
    const bool long_since = now_ms >= *outside_since_ms_ + settings_.window_ms;
    if (excluded_ || (!certain && !long_since && now_ms > slept_until_ms_)) return;
    excluded_ = true;
    due_ms_ = UINT64_MAX;
    effects_.push_back(Excluded{why});
}

void Heartbeat::hear(const Message& message, std::uint64_t now_ms) {
    const bool of_this_round = message.round == round_;
    switch (message.word) {
        case Message::ping: return send(message.from, Message::pong, self_);
        case Message::ask: return answer_ask(message, now_ms);
        case Message::watch:
            if (is_member(message.from)) listeners_.insert(message.from);
            return send(message.from, Message::beat);
        case Message::heard: {
            if (message.subject == self_) return effects_.push_back(Confirmed{});
            const auto watched = watched_.find(message.subject);
            if (watched == watched_.end() || !watched->second.doubted_ms) return;
            if (!std::exchange(watched->second.told, true))
                effects_.push_back(BeatNote{"rank " + std::to_string(message.subject.value) +
                                            " is not heard here, but by rank " + std::to_string(message.from.value) +
                                            ": it stays"});
            return alive(message.subject, now_ms);
        }
        case Message::silent:
            if (const auto watched = watched_.find(message.subject); watched != watched_.end())
                if (const auto one = watched->second.asked.find(message.from); one != watched->second.asked.end())
                    one->second = Answer::silent;
            return;
        case Message::kill:
            if (of_this_round && near(message.subject) && found_silent_.contains(message.subject))
                effects_.push_back(KillSilent{message.subject});
            return;
        case Message::condemned:
            if (!of_this_round) return;
            if (message.subject == self_)
                return left_out("rank " + std::to_string(message.from.value) + " says it was silent", true, now_ms);
            return hear_condemned(message, now_ms);
        case Message::alone:
            if (of_this_round && near(message.from)) give_the_others_up(0);
            return;
        default: return;
    }
}

void Heartbeat::answer_ask(const Message& message, std::uint64_t now_ms) {
    if (message.subject == message.from || message.subject == self_)
        return send(message.from, Message::heard, message.subject);
    const auto watched = watched_.find(message.subject);
    if (watched != watched_.end() && now_ms < watched->second.heard_ms + 2 * settings_.period_ms())
        return send(message.from, Message::heard, message.subject);
    const auto same = [&](const Inquiry& open) {
        return open.asker == message.from && open.subject == message.subject;
    };
    if (std::none_of(inquiries_.begin(), inquiries_.end(), same))
        inquiries_.push_back({.asker = message.from, .subject = message.subject, .since_ms = now_ms});
    send(message.subject, Message::ping);
    due_ms_ = std::min(due_ms_, now_ms + settings_.period_ms() / 2);
}

void Heartbeat::answer_late_inquiries(std::uint64_t now_ms) {
    std::erase_if(inquiries_, [&](const Inquiry& inquiry) {
        if (now_ms < inquiry.since_ms + settings_.period_ms() / 2) return false;
        found_silent_.insert(inquiry.subject);
        send(inquiry.asker, Message::silent, inquiry.subject);
        return true;
    });
}

/// This member itself has stood still: it knows nothing of the others' silence, and may have been given up.
void Heartbeat::wake(std::uint64_t slept_ms, std::uint64_t now_ms) {
    for (auto& [rank, watched] : watched_) {
        watched.heard_ms = now_ms;
        watched.doubted_ms.reset();
        watched.asked.clear();
    }
    inquiries_.clear();
    if (slept_ms >= settings_.window_ms) slept_until_ms_ = now_ms + settings_.window_ms;
}

HeartbeatEffects Heartbeat::tick(std::uint64_t now_ms) {
    if (due_ms_ == UINT64_MAX || round_ == Round{}) return take();
    const auto slept_ms = now_ms - std::exchange(ticked_ms_, now_ms);
    if (slept_ms >= settings_.window_ms / 2 + settings_.period_ms()) wake(slept_ms, now_ms);
    if (now_ms >= next_beat_ms_) {
        beat(now_ms);
        for (const Rank subject : own_verdicts_) pass_on(subject);  // A datagram may be lost.
    }
    answer_late_inquiries(now_ms);
    look_at_the_watched(now_ms);
    due_ms_ = next_beat_ms_;
    for (const auto& inquiry : inquiries_) due_ms_ = std::min(due_ms_, inquiry.since_ms + settings_.period_ms() / 2);
    for (const auto& [rank, watched] : watched_) {
        const std::uint64_t window_ms = settings_.window_ms;
        for (const auto silent_ms : {window_ms - settings_.period_ms(), window_ms, 2 * window_ms})
            if (const auto due = watched.heard_ms + silent_ms; due > now_ms) due_ms_ = std::min(due_ms_, due);
    }
    return take();
}

HeartbeatEffects Heartbeat::inquire(std::uint64_t now_ms) {
    if (members_.size() < 2) effects_.push_back(Confirmed{});
    wake(now_ms - ticked_ms_, now_ms);
    constexpr std::size_t kAskMax = 4;
    std::size_t asked = 0;
    for (const Rank rank : members_)
        if (rank != self_ && !condemned_.contains(rank) && asked++ < kAskMax) send(rank, Message::ask, self_);
    return take();
}

}  // namespace muster::core
