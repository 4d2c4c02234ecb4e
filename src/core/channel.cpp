// SPDX-License-Identifier: Apache-2.0
#include "core/channel.hpp"

#include <algorithm>
#include <utility>

#include "core/assert.hpp"

namespace muster::core {
namespace {

/// With so many received and not acknowledged the sender keeps too much: no waiting for a tick.
constexpr std::uint64_t kOwedMax = 32;

template <class Kept>
void forget(Kept& kept, std::uint64_t up_to) {
    while (!kept.empty() && kept.front().first <= up_to) kept.pop_front();
}

}  // namespace

Packet Channel::bare(const Peer& peer) const {
    return {.round = round_, .sender = self_, .acknowledged = peer.received, .message = std::nullopt};
}

void Channel::push(Rank to, Peer& peer, const Packet& packet, std::vector<Transmit>& out) {
    peer.acknowledged_to = packet.acknowledged;
    out.push_back({to, encode(packet), packet.message ? name_of(*packet.message) : "acknowledgement"});
}

void Channel::transmit(Rank to, Peer& peer, std::pair<std::uint64_t, Message>& kept, std::vector<Transmit>& out) {
    Packet packet = bare(peer);
    packet.sequence = kept.first;
    packet.message = std::move(kept.second);  // Lent: its bytes may be many.
    push(to, peer, packet, out);
    kept.second = std::move(*packet.message);
}

void Channel::greet(Rank to, Peer& peer, std::vector<Transmit>& out) {
    peer.resync_sent = true;
    Packet packet = bare(peer);
    packet.message = message::Resync{peer.received};
    push(to, peer, packet, out);
}

void Channel::send(Rank to, Message message, std::vector<Transmit>& out) {
    MUSTER_ASSERT(to != self_);
    Peer& peer = peers_[to];
    peer.kept.emplace_back(++peer.sent, std::move(message));
    if (!interrupted_ && !peer.holds()) transmit(to, peer, peer.kept.back(), out);
}

std::string Channel::complaint(Rank from, const std::optional<Packet>& packet) const {
    if (!packet) return "makes no sense";
    if (packet->sender != from) return "carries the name of rank " + std::to_string(packet->sender.value);
    if (packet->round != round_) return "is of round " + std::to_string(packet->round.value);
    if (interrupted_) return "comes while the round is broken";
    const auto known = peers_.find(from);
    const std::uint64_t sent = known == peers_.end() ? 0 : known->second.sent;
    const std::uint64_t received = known == peers_.end() ? 0 : known->second.received;
    const auto* resync = packet->message ? std::get_if<message::Resync>(&*packet->message) : nullptr;
    if (packet->acknowledged > sent || (resync && resync->received > sent)) return "acknowledges what was never sent";
    if (resync && known != peers_.end() && known->second.resync_heard) return "is a second resync";
    if (packet->sequence > received + 1) return "comes after a gap: " + std::to_string(packet->sequence);
    return {};
}

std::optional<Message> Channel::received(Rank from, std::span<const std::byte> bytes, std::vector<Transmit>& out,
                                         std::string& note) {
    auto packet = decode_packet(bytes);
    note = complaint(from, packet);
    if (!note.empty()) {
        note = "dropped: a packet from rank " + std::to_string(from.value) + " " + note + " (round " +
               std::to_string(round_.value) + ")";
        return std::nullopt;
    }
    Peer& peer = peers_[from];
    forget(peer.kept, packet->acknowledged);
    if (!packet->message) return std::nullopt;
    if (const auto* heard = std::get_if<message::Resync>(&*packet->message)) {
        resync(from, peer, heard->received, out);
        return std::nullopt;
    }
    if (packet->sequence <= peer.received) return std::nullopt;  // Sent again for a resync that it had crossed.
    peer.received = packet->sequence;
    owe(from, peer, out);
    return std::move(packet->message);
}

void Channel::resync(Rank from, Peer& peer, std::uint64_t received, std::vector<Transmit>& out) {
    peer.resync_heard = true;
    if (!peer.resync_sent) greet(from, peer, out);
    forget(peer.kept, received);
    for (auto& kept : peer.kept) transmit(from, peer, kept, out);
}

void Channel::owe(Rank to, Peer& peer, std::vector<Transmit>& out) {
    if (peer.received - peer.acknowledged_to >= kOwedMax) return push(to, peer, bare(peer), out);
    if (!std::exchange(peer.owed, true)) owed_.push_back(to);
}

void Channel::interrupted() { interrupted_ = true; }

std::vector<Message> Channel::complete(Round round, const std::vector<Rank>& members, std::vector<Transmit>& out) {
    round_ = round;
    interrupted_ = false;
    owed_.clear();
    std::vector<Message> undelivered;
    for (auto entry = peers_.begin(); entry != peers_.end();) {
        auto& [rank, peer] = *entry;
        if (!std::binary_search(members.begin(), members.end(), rank)) {
            for (auto& kept : peer.kept) undelivered.push_back(std::move(kept.second));
            entry = peers_.erase(entry);
            continue;
        }
        peer.resync_heard = peer.owed = false;
        greet(rank, peer, out);
        ++entry;
    }
    return undelivered;
}

void Channel::tick(std::vector<Transmit>& out) {
    if (interrupted_) return;
    for (const Rank rank : std::exchange(owed_, {})) {
        Peer& peer = peers_[rank];
        peer.owed = false;
        if (peer.received > peer.acknowledged_to) push(rank, peer, bare(peer), out);
    }
}

std::size_t Channel::unacknowledged() const {
    std::size_t count = 0;
    for (const auto& [rank, peer] : peers_) count += peer.kept.size();
    return count;
}

}  // namespace muster::core
