// SPDX-License-Identifier: Apache-2.0
#include "core/message.hpp"

#include <array>
#include <utility>

namespace muster::core {
namespace {

constexpr std::uint32_t kMagic = 0x3152'534d;  // "MSR1"
constexpr std::size_t kKinds = std::variant_size_v<Message>;
constexpr std::array<const char*, kKinds> kNames = {"connect",
                                                    "connected",
                                                    "ask",
                                                    "told",
                                                    "tell",
                                                    "submit",
                                                    "deliver",
                                                    "reply",
                                                    "answer",
                                                    "wake",
                                                    "leaving",
                                                    "state_exists",
                                                    "where",
                                                    "here",
                                                    "store_ask",
                                                    "store_told",
                                                    "registry_ask",
                                                    "registry_told",
                                                    "copy",
                                                    "kept",
                                                    "abort",
                                                    "call_off",
                                                    "dropped",
                                                    "loads_up",
                                                    "watch_loads",
                                                    "loads_told",
                                                    "controller_ask",
                                                    "controller_told",
                                                    "replica_prepare",
                                                    "replica_cancel",
                                                    "replica_check",
                                                    "replica_prepared",
                                                    "replica_refused",
                                                    "replica_ready",
                                                    "replica_health",
                                                    "resync"};

/// A message's fields, one overload a kind.
struct Put {
    Writer& out;
    void flag(bool value) const { out.u8(value ? 1 : 0); }
    template <class Choice>
    void choice(Choice value) const {
        out.u8(static_cast<std::uint8_t>(value));
    }
    void operator()(const message::Connect&) const {}
    void operator()(const message::Connected&) const {}
    void operator()(const message::Leaving&) const {}
    void operator()(const message::StateExists&) const {}
    void operator()(const message::Ask& m) const { out.id(m.operation), choice(m.wanted); }
    void operator()(const message::Told& m) const { out.id(m.operation), flag(m.accepted), out.text(m.reason); }
    void operator()(const message::Tell& m) const {
        out.u64(m.entry.number), choice(m.entry.signal), out.id(m.entry.origin), out.id(m.entry.operation);
        out.u64(m.crossed);
    }
    void operator()(const message::Submit& m) const {
        out.id(m.id), out.blob(m.bytes), flag(m.again), flag(m.pin.has_value());
        if (m.pin) out.id(*m.pin);
        out.u32(static_cast<std::uint32_t>(m.blocks.size()));
        for (const auto block : m.blocks) out.u64(block);
        choice(m.target.kind);
        if (m.target.kind != Target::anybody) out.text(m.target.name);
    }
    void operator()(const message::Deliver& m) const {
        out.id(m.client), out.id(m.id), out.u64(m.number), out.blob(m.bytes);
    }
    void operator()(const message::Reply& m) const {
        out.id(m.client), out.id(m.id), out.u64(m.number), out.blob(m.bytes);
    }
    void operator()(const message::Answer& m) const {
        out.id(m.id), flag(m.ok), choice(m.fault), out.text(m.reason), out.blob(m.bytes);
    }
    void operator()(const message::Wake& m) const { out.id(m.round), choice(m.scope), out.u64(m.number); }
    void operator()(const message::Where& m) const { out.u64(m.query); }
    void operator()(const message::Here& m) const {
        out.u64(m.query), out.id(m.position.round), out.u64(m.position.crossed), out.u64(m.position.vote);
        choice(m.position.doing);
    }
    void operator()(const message::StoreAsk& m) const { put(out, m.call); }
    void operator()(const message::StoreTold& m) const { out.id(m.id), put(out, m.answer); }
    void operator()(const message::RegistryAsk& m) const {
        out.id(m.id), choice(m.what), out.text(m.key), out.maybe(m.token), out.blob(m.bytes), out.id(m.settled),
            out.id(m.round);
    }
    void operator()(const message::RegistryTold& m) const {
        out.id(m.id), flag(m.error.has_value());
        if (m.error) out.text(*m.error);
        out.maybe(m.token), out.blob(m.bytes), flag(m.accepted);
    }
    void operator()(const message::ControllerAsk& m) const {
        out.id(m.id), out.blob(m.call), out.id(m.settled), out.id(m.round);
    }
    void operator()(const message::ControllerTold& m) const {
        out.id(m.id), flag(m.error.has_value());
        if (m.error) out.text(*m.error);
        out.blob(m.answer);
    }
    void operator()(const message::Copy& m) const {
        out.id(m.term), out.u64(m.index), flag(m.whole), out.blob(m.bytes);
    }
    void operator()(const message::Kept& m) const { out.id(m.term), out.u64(m.index); }
    void operator()(const message::Abort& m) const { out.id(m.id); }
    void operator()(const message::CallOff& m) const { out.id(m.client), out.id(m.id); }
    void operator()(const message::Dropped& m) const { out.id(m.client), out.id(m.id), out.u64(m.number); }
    void operator()(const message::LoadsUp& m) const { out.id(m.round), put(out, m.words); }
    void operator()(const message::WatchLoads&) const {}
    void operator()(const message::LoadsTold& m) const { out.id(m.round), put(out, m.groups); }
    void operator()(const message::ReplicaPrepare& m) const { put(out, m.spec); }
    void operator()(const message::ReplicaCancel& m) const { out.id(m.seat); }
    void operator()(const message::ReplicaCheck& m) const { out.id(m.seat), out.u64(m.number); }
    void operator()(const message::ReplicaPrepared& m) const { out.id(m.seat); }
    void operator()(const message::ReplicaRefused& m) const { out.id(m.seat), out.text(m.why), flag(m.stays_out); }
    void operator()(const message::ReplicaReady& m) const { out.id(m.seat); }
    void operator()(const message::ReplicaHealth& m) const { out.id(m.seat), out.u64(m.number), flag(m.well); }
    void operator()(const message::Resync& m) const { out.u64(m.received); }
};

/// The same in the other direction. `sensible` is false once a value is none that Put writes.
struct Take {
    Reader& in;
    bool sensible = true;
    bool flag() { return choice<std::uint8_t>(2) == 1; }
    Bytes payload() {
        Bytes bytes = in.blob();
        if (bytes.size() > kRequestMax) sensible = false;
        return bytes;
    }
    template <class Choice>
    Choice choice(std::size_t count) {
        const auto value = in.u8();
        if (value >= count) sensible = false;
        return static_cast<Choice>(value < count ? value : 0);
    }
    void operator()(message::Connect&) {}
    void operator()(message::Connected&) {}
    void operator()(message::Leaving&) {}
    void operator()(message::StateExists&) {}
    void operator()(message::Ask& m) { m.operation = in.id<OperationId>(), m.wanted = choice<Wanted>(kWanted); }
    void operator()(message::Told& m) { m.operation = in.id<OperationId>(), m.accepted = flag(), m.reason = in.text(); }
    void operator()(message::Tell& m) {
        m.entry.number = in.u64(), m.entry.signal = choice<Signal>(kSignals);
        m.entry.origin = in.id<Rank>(), m.entry.operation = in.id<OperationId>();
        m.crossed = in.u64();
        if (m.crossed >= m.entry.number) sensible = false;  // A signal is told before its barrier is crossed.
    }
    void operator()(message::Submit& m) {
        m.id = in.id<RequestId>(), m.bytes = payload(), m.again = flag();
        if (flag()) m.pin = in.id<Slot>();
        m.blocks.resize(in.count(sizeof(BlockHash)));
        for (auto& block : m.blocks) block = in.u64();
        if (m.blocks.size() > kBlocksMax) sensible = false;
        m.target.kind = choice<Target::Kind>(Target::backend + 1);
        if (m.target.kind != Target::anybody) m.target.name = in.text();
    }
    void operator()(message::Deliver& m) {
        m.client = in.id<Rank>(), m.id = in.id<RequestId>(), m.number = in.u64(), m.bytes = payload();
    }
    void operator()(message::Reply& m) {
        m.client = in.id<Rank>(), m.id = in.id<RequestId>(), m.number = in.u64(), m.bytes = payload();
    }
    void operator()(message::Answer& m) {
        m.id = in.id<RequestId>(), m.ok = flag(), m.fault = choice<Fault>(kFaults);
        m.reason = in.text(), m.bytes = payload();
    }
    void operator()(message::Wake& m) { m.round = in.id<Round>(), m.scope = choice<WakeScope>(2), m.number = in.u64(); }
    void operator()(message::Where& m) { m.query = in.u64(); }
    void operator()(message::Here& m) {
        m.query = in.u64(), m.position.round = in.id<Round>();
        m.position.crossed = in.u64(), m.position.vote = in.u64();
        m.position.doing = choice<Position::Doing>(Position::in_hooks + 1);
    }
    void operator()(message::StoreAsk& m) { keep(take_store_call(in), m.call); }
    void operator()(message::StoreTold& m) {
        m.id = in.id<CallId>();
        keep(take_store_answer(in), m.answer);
    }
    void operator()(message::RegistryAsk& m) {
        m.id = in.id<CallId>(), m.what = choice<message::RegistryAsk::What>(3), m.key = in.text();
        m.token = in.maybe<RegistryToken>(), m.bytes = payload(), m.settled = in.id<CallId>(), m.round = in.id<Round>();
    }
    void operator()(message::RegistryTold& m) {
        m.id = in.id<CallId>();
        if (flag()) m.error = in.text();
        m.token = in.maybe<RegistryToken>(), m.bytes = payload(), m.accepted = flag();
    }
    void operator()(message::ControllerAsk& m) {
        m.id = in.id<CallId>(), m.call = payload(), m.settled = in.id<CallId>(), m.round = in.id<Round>();
    }
    void operator()(message::ControllerTold& m) {
        m.id = in.id<CallId>();
        if (flag()) m.error = in.text();
        m.answer = in.blob();
    }
    void operator()(message::Copy& m) {
        m.term = in.id<Round>(), m.index = in.u64(), m.whole = flag(), m.bytes = in.blob();
    }
    void operator()(message::Kept& m) { m.term = in.id<Round>(), m.index = in.u64(); }
    void operator()(message::Abort& m) { m.id = in.id<RequestId>(); }
    void operator()(message::CallOff& m) { m.client = in.id<Rank>(), m.id = in.id<RequestId>(); }
    void operator()(message::Dropped& m) { m.client = in.id<Rank>(), m.id = in.id<RequestId>(), m.number = in.u64(); }
    void operator()(message::LoadsUp& m) {
        m.round = in.id<Round>();
        keep(take_engine_words(in), m.words);
    }
    void operator()(message::WatchLoads&) {}
    void operator()(message::LoadsTold& m) {
        m.round = in.id<Round>();
        keep(take_group_words(in), m.groups);
    }
    void operator()(message::ReplicaPrepare& m) { keep(take_replica_spec(in), m.spec); }
    void operator()(message::ReplicaCancel& m) { m.seat = in.id<SeatId>(); }
    void operator()(message::ReplicaCheck& m) { m.seat = in.id<SeatId>(), m.number = in.u64(); }
    void operator()(message::ReplicaPrepared& m) { m.seat = in.id<SeatId>(); }
    void operator()(message::ReplicaRefused& m) { m.seat = in.id<SeatId>(), m.why = in.text(), m.stays_out = flag(); }
    void operator()(message::ReplicaReady& m) { m.seat = in.id<SeatId>(); }
    void operator()(message::ReplicaHealth& m) { m.seat = in.id<SeatId>(), m.number = in.u64(), m.well = flag(); }
    void operator()(message::Resync& m) { m.received = in.u64(); }
    template <class T>
    void keep(std::optional<T> taken, T& into) {
        if (taken)
            into = std::move(*taken);
        else
            sensible = false;
    }
};

template <std::size_t... Index>
Message make(std::size_t kind, std::index_sequence<Index...>) {
    Message made;
    (void)((kind == Index && (made.emplace<Index>(), true)) || ...);
    return made;
}

/// Only what a round agrees on by itself goes without a number: Resync and bare acknowledgements.
bool numbered(const std::optional<Message>& message) {
    return message && !std::holds_alternative<message::Resync>(*message);
}

}  // namespace

const char* name_of(const Message& message) { return kNames[message.index()]; }

std::span<const char* const> names_of_messages() { return kNames; }

const char* name_of(Position::Doing doing) {
    switch (doing) {
        case Position::elsewhere: return "outside its loop";
        case Position::forward: return "in its forward";
        case Position::dummy_forward: return "in a dummy forward";
        case Position::voting: return "waiting for the vote";
        case Position::resting: return "resting";
        case Position::in_barrier: return "waiting in the barrier";
        case Position::in_hooks: return "in its suspend or resume hook";
    }
    return "unknown";
}

Bytes encode(const Packet& packet) {
    Writer out;
    out.u32(kMagic);
    out.id(packet.round);
    out.id(packet.sender);
    out.u64(packet.sequence);
    out.u64(packet.acknowledged);
    out.u8(packet.message ? static_cast<std::uint8_t>(packet.message->index() + 1) : 0);
    if (packet.message) std::visit(Put{out}, *packet.message);
    return out.take();
}

std::optional<Packet> decode_packet(std::span<const std::byte> bytes) {
    Reader in(bytes);
    Packet packet;
    const auto magic = in.u32();
    packet.round = in.id<Round>();
    packet.sender = in.id<Rank>();
    packet.sequence = in.u64();
    packet.acknowledged = in.u64();
    const auto kind = in.u8();
    if (!in.ok() || magic != kMagic || kind > kKinds) return std::nullopt;
    Take take{in};
    if (kind > 0) {
        packet.message = make(kind - 1u, std::make_index_sequence<kKinds>{});
        std::visit([&take](auto& message) { take(message); }, *packet.message);
    }
    if (!take.sensible || !in.finished() || numbered(packet.message) != (packet.sequence > 0)) return std::nullopt;
    return packet;
}

}  // namespace muster::core
