// SPDX-License-Identifier: Apache-2.0
#include "core/heartbeat.hpp"

namespace muster::core {
namespace {

constexpr std::uint32_t kMagic = 0x3162'6d6d;  // "mmb1"

}  // namespace

Bytes encode(const HeartbeatMessage& message, std::uint64_t key) {
    Writer out;
    out.u32(kMagic);
    out.u64(key);
    out.u8(message.word);
    out.id(message.from);
    out.id(message.round);
    out.id(message.subject);
    return out.take();
}

std::optional<HeartbeatMessage> decode_heartbeat(std::span<const std::byte> bytes, std::uint64_t key) {
    Reader in(bytes);
    const bool ours = in.u32() == kMagic && in.u64() == key;
    const auto word = in.u8();
    HeartbeatMessage message{.word = static_cast<HeartbeatMessage::Word>(word)};
    message.from = in.id<Rank>();
    message.round = in.id<Round>();
    message.subject = in.id<Rank>();
    if (!ours || !in.finished() || word > HeartbeatMessage::alone) return std::nullopt;
    return message;
}

}  // namespace muster::core
