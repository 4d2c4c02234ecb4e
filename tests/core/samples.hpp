// SPDX-License-Identifier: Apache-2.0
#pragma once
/// One packet of every kind, with no field at its default, and ways to spoil it.

#include <algorithm>
#include <vector>

#include "core/message.hpp"
#include "support.hpp"

namespace muster::core::testing {

inline EngineWord sample_engine_word() {
    return {.engine = Rank{50},
            .load = {51, 52, {{"a", 0.5}, {"kv", 0.75}}},
            .capacity = 53,
            .given = 54,
            .answered = 55,
            .at = {56, 57},
            .leads = true,
            .running = true,
            .wave = Wave{58}};
}

inline std::vector<Packet> sample_packets() {
    const Bytes bytes = {std::byte{1}, std::byte{2}, std::byte{3}};
    const std::vector<Message> messages = {
        message::Connect{},
        message::Connected{},
        message::Ask{OperationId{17}, Wanted::stopped},
        message::Told{OperationId{18}, false, "SUSPEND is legal in PAUSED only"},
        message::Tell{{5, Signal::suspend, Rank{6}, OperationId{19}}, 4},
        message::Submit{RequestId{20}, bytes},
        message::Submit{RequestId{20}, bytes, Slot{3}, {5, 6}, true},
        message::Submit{RequestId{20}, bytes, Slot{3}, {5, 6}, true, {Target::endpoint, "e"}},
        message::Submit{RequestId{20}, bytes, {}, {}, false, {Target::backend, "b"}},
        message::Deliver{Rank{7}, RequestId{21}, bytes, 44},
        message::Reply{Rank{8}, RequestId{22}, bytes, 45},
        message::Answer{RequestId{23}, false, "No engines connected", bytes, Fault::busy},
        message::Wake{Round{9}, WakeScope::engine, 24},
        message::Leaving{},
        message::StateExists{},
        message::Where{25},
        message::Here{26, {Round{9}, 27, 28, Position::in_hooks}},
        message::StoreAsk{{CallId{29}, CallId{28}, Round{31}, 32, store::Set{"key", value_of(Bytes{std::byte{33}})}}},
        message::StoreTold{CallId{34}, {.value = value_of(Bytes{std::byte{35}}), .number = 36, .done = true}},
        message::RegistryAsk{CallId{44}, message::RegistryAsk::erase, "name", RegistryToken{45}, bytes, CallId{43}, Round{48}},
        message::RegistryTold{CallId{46}, "full", RegistryToken{47}, bytes, true},
        message::ControllerAsk{CallId{73}, bytes, CallId{72}, Round{74}},
        message::ControllerTold{CallId{75}, "refused", bytes},
        message::Copy{Round{9}, 48, true, bytes},
        message::Kept{Round{9}, 49},
        message::Abort{RequestId{60}},
        message::CallOff{Rank{61}, RequestId{62}},
        message::Dropped{Rank{63}, RequestId{64}, 65},
        message::LoadsUp{Round{9}, {sample_engine_word()}},
        message::WatchLoads{},
        message::LoadsTold{Round{9}, {{66, Wave{67}, true, {{Slot{68}, Rank{69}, 70, {71, 72, {{"kv", 0.25}}}}}}}},
        message::ReplicaPrepare{{SeatId{80}, "b", 81, "{\"factor\":2}"}},
        message::ReplicaCancel{SeatId{82}},
        message::ReplicaCheck{SeatId{83}, 84},
        message::ReplicaPrepared{SeatId{85}},
        message::ReplicaRefused{SeatId{86}, "no memory", true},
        message::ReplicaReady{SeatId{87}},
        message::ReplicaHealth{SeatId{88}, 89, true},
    };
    std::vector<Packet> packets;
    for (const auto& message : messages) packets.push_back({Round{9}, Rank{3}, packets.size() + 1, 41, message});
    packets.push_back({Round{9}, Rank{3}, 0, 42, message::Resync{43}});
    return packets;
}

/// Bits turned, bytes replaced, cut, added, doubled; sometimes bytes without any sense from the start.
inline Bytes spoiled(Bytes bytes, Dice& dice) {
    if (dice.one_in(16)) {
        bytes.resize(dice.below(80));
        for (auto& byte : bytes) byte = static_cast<std::byte>(dice.below(256));
        return bytes;
    }
    for (auto times = 1 + dice.below(3); times > 0; --times) {
        const std::size_t place = bytes.empty() ? 0 : dice.below(bytes.size());
        switch (bytes.empty() ? 4 : dice.below(6)) {
            case 0: bytes[place] ^= static_cast<std::byte>(1U << dice.below(8)); break;
            case 1: bytes[place] = static_cast<std::byte>(dice.below(256)); break;
            case 2: bytes[place] = dice.one_in(2) ? std::byte{0xff} : std::byte{0}; break;
            case 3: bytes.resize(place); break;
            case 4: bytes.insert(bytes.end(), dice.below(9), static_cast<std::byte>(dice.below(256))); break;
            default: bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(place), bytes[place]); break;
        }
    }
    return bytes;
}

}  // namespace muster::core::testing
