// SPDX-License-Identifier: Apache-2.0
#pragma once
/// One member's control channel to all others: no message between two that live is lost by a rebuild, or comes twice.
/// Intuition: each pair counts its messages for the job's life. A sent message is kept until the other side has
/// acknowledged it (with the next packet that goes back). When a round is complete each pair says what it has received
/// (Resync) and the rest is sent again, before anything new; repeats are dropped.
/// The transport keeps order within a pair and a round, and hands a round's packets over after complete() of that round
/// (over MPI they wait in the new communicator). While a round is broken nothing comes in or goes out: what had not
/// arrived by then comes again, so that what a member tells the others about itself in a recovery stays true.
/// Errors: what makes no sense (another's name, another round, a number beyond the next) is dropped with a note.
/// Thread safety: none.

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/message.hpp"

namespace muster::core {

/// A packet that is to be sent now.
struct Transmit {
    Rank to;
    Bytes packet;
    const char* kind = "";  ///< name_of the message, for logs and tests.
};

class Channel {
public:
    explicit Channel(Rank self) : self_(self) {}

    /// Numbers and keeps the message. Nothing to be sent yet where a Resync is awaited: it follows by itself.
    void send(Rank to, Message message, std::vector<Transmit>& out);

    /// The message of a packet, where it is new and in order; nothing where it was a repeat, an acknowledgement or
    /// nonsense (then `note` says why).
    [[nodiscard]] std::optional<Message> received(Rank from, std::span<const std::byte> bytes,
                                                  std::vector<Transmit>& out, std::string& note);

    /// The round is broken: what is sent from now on waits for the next one.
    void interrupted();
    /// A new round of `members` (ascending): gone ones are forgotten; what they had not acknowledged is returned,
    /// oldest first.
    [[nodiscard]] std::vector<Message> complete(Round round, const std::vector<Rank>& members,
                                                std::vector<Transmit>& out);
    /// Bare acknowledgements that have waited since the last tick, or where many are due.
    void tick(std::vector<Transmit>& out);

    [[nodiscard]] std::size_t unacknowledged() const;

private:
    struct Peer {
        std::uint64_t sent = 0, received = 0, acknowledged_to = 0;
        std::deque<std::pair<std::uint64_t, Message>> kept;  ///< Number and message; not acknowledged.
        bool resync_sent = false, resync_heard = false;      ///< In this round.
        bool owed = false;                                   ///< Is in owed_.
        /// Numbered messages wait until the other side has said what it has.
        [[nodiscard]] bool holds() const { return resync_sent && !resync_heard; }
    };
    [[nodiscard]] std::string complaint(Rank from, const std::optional<Packet>& packet) const;
    void resync(Rank from, Peer& peer, std::uint64_t received, std::vector<Transmit>& out);
    void greet(Rank to, Peer& peer, std::vector<Transmit>& out);
    void owe(Rank to, Peer& peer, std::vector<Transmit>& out);
    void transmit(Rank to, Peer& peer, std::pair<std::uint64_t, Message>& kept, std::vector<Transmit>& out);
    void push(Rank to, Peer& peer, const Packet& packet, std::vector<Transmit>& out);
    [[nodiscard]] Packet bare(const Peer& peer) const;

    Rank self_;
    Round round_;
    bool interrupted_ = true;
    std::map<Rank, Peer> peers_;
    std::vector<Rank> owed_;  ///< Peers with messages that were not acknowledged since the last tick.
};

}  // namespace muster::core
