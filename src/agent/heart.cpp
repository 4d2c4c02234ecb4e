// SPDX-License-Identifier: Apache-2.0
#include "agent/heart.hpp"

#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>

#include "agent/link.hpp"
#include "agent/log.hpp"
#include "agent/proof.hpp"
#include "agent/settings.hpp"
#include "mpi/declare.hpp"

namespace muster::agent {
namespace {

std::uint64_t now_ms() { return milliseconds(Clock::now()); }

/// Members that can end one another: same node, same pid namespace.
std::vector<std::uint32_t> nodes_of(const std::vector<RosterEntry>& roster) {
    const bool together = proof_allowed() == Proof::node;
    std::map<std::pair<std::string, std::uint64_t>, std::uint32_t> first;  // Of each node and space, the lowest.
    std::vector<std::uint32_t> nodes;
    for (const auto& entry : roster) {
        const auto rank = static_cast<std::uint32_t>(nodes.size());
        const bool may_share = together && entry.process.space != 0;
        nodes.push_back(may_share ? first.try_emplace({entry.member.node, entry.process.space}, rank).first->second
                                  : rank);
    }
    return nodes;
}

}  // namespace

Heart::Heart(const Bell& bell) : bell_(bell), event_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    socket_ = open_datagrams(address_);
}

Heart::~Heart() {
    stop();
    if (thread_.joinable()) thread_.join();
    for (auto& teller : tellers_) teller.join();
    if (socket_ >= 0) ::close(socket_);
    if (event_ >= 0) ::close(event_);
}

void Heart::start(Rank self, std::uint32_t window_ms, const std::vector<RosterEntry>& roster) {
    if (window_ms == 0 || socket_ < 0) return;
    self_ = self;
    roster_ = roster;
    const auto first = std::find_if(roster.begin(), roster.end(), [](const auto& entry) { return entry.key != 0; });
    if (first == roster.end()) return;
    key_ = first->key;
    window_ms_ = window_ms;
    nodes_ = nodes_of(roster);
    heart_ = std::make_unique<core::Heartbeat>(self, core::HeartbeatSettings{window_ms}, nodes_);
    thread_ = std::thread([this] { run(); });
}

void Heart::ring(Round round, const std::vector<Rank>& members) {
    if (!heart_) return;
    {
        const std::scoped_lock lock(mutex_);
        perform(heart_->ring(round, members, now_ms()));
        mind(members);
    }
    wake();
}

void Heart::wake() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(event_, &one, sizeof one);
}

/// Nobody on this node could end this process, should it stand still.
void Heart::mind(const std::vector<Rank>& members) {
    const auto shares = [&](Rank rank) { return rank != self_ && nodes_[rank.value] == nodes_[self_.value]; };
    const bool may = members.size() > 1 && proof_allowed() <= Proof::alone;
    if (!minder_ && may && std::none_of(members.begin(), members.end(), shares))
        minder_ = std::make_unique<Minder>(window_ms_ - window_ms_ / 8);  // Before the others' verdict: their proof.
    if (minder_) minder_->feed();
}

void Heart::stop() {
    {
        const std::scoped_lock lock(mutex_);
        over_ = true;
    }
    told_.notify_all();
    wake();
}

void Heart::confirm(std::chrono::milliseconds patience) {
    if (!heart_) return;
    std::unique_lock lock(mutex_);
    const auto before = confirmed_;
    if (!over_) perform(heart_->inquire(now_ms()));
    told_.wait_for(lock, patience, [&] { return over_ || confirmed_ != before; });
}

void Heart::run() {
    for (;;) {
        std::uint64_t due = 0;
        {
            const std::scoped_lock lock(mutex_);
            if (over_) return minder_.reset();
            listen();  // What waits in the socket has been heard, however late this thread comes to it.
            const bool due_now = now_ms() >= heart_->due_ms();
            if (due_now) perform(heart_->tick(now_ms()));
            if (minder_ && (due_now || heart_->due_ms() == UINT64_MAX)) minder_->feed();
            due = heart_->due_ms();
        }
        const std::uint64_t longest = std::max(1U, window_ms_ / 4);  // The minder is fed also where nobody listens.
        const auto now = now_ms();
        const auto wait = due > now ? std::min(due - now, longest) : 0;
        std::array<pollfd, 2> fds{{{event_, POLLIN, 0}, {socket_, POLLIN, 0}}};
        ::poll(fds.data(), fds.size(), static_cast<int>(wait));
        std::uint64_t count = 0;
        [[maybe_unused]] const auto drained = ::read(event_, &count, sizeof count);
    }
}

void Heart::listen() {
    std::array<std::byte, 64> bytes{};
    ssize_t size = 0;
    while ((size = ::recv(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT)) >= 0)
        if (const auto message = core::decode_heartbeat(std::span(bytes).first(static_cast<std::size_t>(size)), key_))
            perform(heart_->received(*message, now_ms()));
}

void Heart::perform(const core::HeartbeatEffects& effects) {
    for (const auto& effect : effects) std::visit([this](const auto& one) { perform(one); }, effect);
}

void Heart::perform(const core::SendBeat& effect) {
    const auto& to = roster_[effect.to.value];
    send_datagram(socket_, to.heart, to.member.node == roster_[self_.value].member.node,
                  core::encode(effect.message, key_));
}

void Heart::perform(const core::KillSilent& effect) {
    const auto& process = roster_[effect.rank.value].process;
    const bool killed = end_process(process);
    trace("rank " + std::to_string(effect.rank.value) +
          (killed             ? " is ended: SIGKILL"
           : is_gone(process) ? " is gone already"
                              : " cannot be ended from here"));
}

void Heart::perform(const core::Condemned& effect) {
    const bool told = proof_allowed() != Proof::none && mpi::declare_failed(effect.rank);
    bell_.wake();
    if (effect.why.empty()) return;
    const auto& entry = roster_[effect.rank.value];
    const auto text = effect.why + ": the job goes on without it";
    say(text);
    std::vector<nlohmann::json> events{{{"event", "note"}, {"rank", self_.value}, {"text", text}}};
    // Where MPI cannot be told, and the process may live, only the launcher can go on from here, by a relaunch.
    if (!told && !is_gone(entry.process))
        events.push_back(
            {{"event", "evict_failed"}, {"rank", effect.rank.value}, {"node", entry.member.node}, {"text", text}});
    tell_launcher(std::move(events));
}

/// A launcher that is out of reach costs a second or more, in which this member must go on beating.
void Heart::tell_launcher(std::vector<nlohmann::json> events) {
    tellers_.emplace_back([self = self_, events = std::move(events)] {
        LauncherLink link(self);
        for (const auto& event : events) link.send(event);
    });
}

void Heart::perform(const core::Excluded& effect) {
    say("this process stood still, and the others have gone on without it (" + effect.why + "): it stops");
    std::fflush(nullptr);
    (void)std::raise(SIGKILL);
}

void Heart::perform(const core::Confirmed& /*effect*/) {
    ++confirmed_;
    told_.notify_all();
}

void Heart::perform(const core::BeatNote& effect) { trace(effect.text); }

}  // namespace muster::agent
