// SPDX-License-Identifier: Apache-2.0
// A header, each node once with all that is known of it, and a hash over both. Little-endian.
#include <algorithm>

#include "core/rendezvous_state.hpp"

namespace muster::core::rendezvous {

namespace {

constexpr std::uint32_t kMagic = 0x315a524d;  // "MRZ1"
constexpr std::size_t kHashSize = 8;
constexpr std::size_t kNodeSizeMin = 4 + 1 + 8 + 8 + 1;

enum StateBits : std::uint8_t { kComplete = 1, kClosed = 2, kDeadline = 4, kAllStateBits = 7 };
enum NodeBits : std::uint8_t {
    kParticipant = 1,
    kWaiting = 2,
    kRedundant = 4,
    kHeard = 8,
    kSeated = 16,
    kLists = kParticipant | kWaiting | kRedundant,
    kAllNodeBits = 31
};

/// All that the state says about one node.
struct Entry {
    std::uint8_t bits = 0;
    Slot rank, seat;
    Time heard;
};

std::map<Node, Entry> entries_of(const State& state) {
    std::map<Node, Entry> entries;
    const auto at = [&entries](const Node& node, std::uint8_t bit) -> Entry& {
        auto& entry = entries[node];
        entry.bits = static_cast<std::uint8_t>(entry.bits | bit);
        return entry;
    };
    for (const auto& [node, rank] : state.participants) at(node, kParticipant).rank = rank;
    for (const auto& node : state.wait_list) at(node, kWaiting);
    for (const auto& node : state.redundancy_list) at(node, kRedundant);
    for (const auto& [node, heard] : state.last_heartbeats) at(node, kHeard).heard = heard;
    for (const auto& [node, seat] : state.seats) at(node, kSeated).seat = seat;
    return entries;
}

void write(Writer& out, Time time) { out.u64(static_cast<std::uint64_t>(time.micros)); }
Time read_time(Reader& in) { return {static_cast<std::int64_t>(in.u64())}; }

void write(Writer& out, const Node& node, const Entry& entry) {
    out.text(node.addr);
    out.u64(static_cast<std::uint64_t>(node.pid));
    out.u64(static_cast<std::uint64_t>(node.local_id));
    out.u8(entry.bits);
    if (entry.bits & kParticipant) out.id(entry.rank);
    if (entry.bits & kSeated) out.id(entry.seat);
    if (entry.bits & kHeard) write(out, entry.heard);
}

/// The next node, which comes after all that were read before it; false where there is none such.
bool read_node(Reader& in, std::optional<Node>& last, State& state) {
    Node node{in.text(), static_cast<std::int64_t>(in.u64()), static_cast<std::int64_t>(in.u64())};
    const auto bits = in.u8();
    const auto lists = bits & kLists;
    if (bits == 0 || bits > kAllNodeBits || (lists & (lists - 1)) != 0) return false;
    if (node.addr.empty() || node.pid < 0 || node.local_id < 0 || (last && node <= *last)) return false;
    if (bits & kParticipant) state.participants.emplace_hint(state.participants.end(), node, in.id<Slot>());
    if (bits & kWaiting) state.wait_list.insert(state.wait_list.end(), node);
    if (bits & kRedundant) state.redundancy_list.insert(state.redundancy_list.end(), node);
    if (bits & kSeated) state.seats.emplace_hint(state.seats.end(), node, in.id<Slot>());
    if (bits & kHeard) state.last_heartbeats.emplace_hint(state.last_heartbeats.end(), node, read_time(in));
    last = std::move(node);
    return in.ok();
}

bool all_differ(const std::map<Node, Slot>& ranks) {
    std::set<Slot> seen;
    for (const auto& [node, rank] : ranks) seen.insert(rank);
    return seen.size() == ranks.size();
}

/// What no sequence of steps leads to.
bool makes_sense(const State& state) {
    const auto& ranks = state.participants;
    const bool none_yet = std::all_of(ranks.begin(), ranks.end(), [](const auto& one) { return one.second == Slot{}; });
    return (state.complete ? !ranks.empty() && all_differ(ranks) : none_yet) && all_differ(state.seats);
}

}  // namespace

Bytes encode(const State& state) {
    Writer out;
    const auto entries = entries_of(state);
    out.u32(kMagic);
    out.id(state.round);
    out.u8(static_cast<std::uint8_t>((state.complete ? kComplete : 0) | (state.closed ? kClosed : 0) |
                                     (state.deadline ? kDeadline : 0)));
    if (state.deadline) write(out, *state.deadline);
    out.u32(static_cast<std::uint32_t>(entries.size()));
    for (const auto& [node, entry] : entries) write(out, node, entry);
    auto bytes = out.take();
    Writer end;
    end.u64(hash_of(bytes));
    const auto hash = end.take();
    bytes.insert(bytes.end(), hash.begin(), hash.end());
    return bytes;
}

std::optional<State> decode_state(std::span<const std::byte> bytes) {
    if (bytes.size() < kHashSize) return std::nullopt;
    const auto contents = bytes.first(bytes.size() - kHashSize);
    if (Reader(bytes.last(kHashSize)).u64() != hash_of(contents)) return std::nullopt;
    Reader in(contents);
    State state;
    if (in.u32() != kMagic) return std::nullopt;
    state.round = in.id<Round>();
    const auto bits = in.u8();
    if (bits > kAllStateBits) return std::nullopt;
    state.complete = bits & kComplete;
    state.closed = bits & kClosed;
    if (bits & kDeadline) state.deadline = read_time(in);
    std::optional<Node> last;
    for (auto left = in.count(kNodeSizeMin); left > 0; --left)
        if (!read_node(in, last, state)) return std::nullopt;
    if (!in.finished() || !makes_sense(state)) return std::nullopt;
    return state;
}

}  // namespace muster::core::rendezvous
