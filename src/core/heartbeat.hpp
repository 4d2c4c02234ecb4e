// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Who has fallen silent, and whether the others may go on without it.
/// Intuition: the members of a round stand in a ring, by Rank; each beats to the next one and listens to the one
/// before, so a member costs one packet a period whatever the size of the job. Who hears nothing for three quarters of
/// the window asks others, near the silent one and far from it, whether they hear it. Whom anybody still hears stays.
/// Who gets no answer at all is probably cut off itself: it condemns nobody for the others, and after two windows
/// gives them up for itself alone, so that the fence (core/fence) judges what it may still do.
/// Units: milliseconds of any steady clock; a window holds four beats.
/// What a round of n members costs: n packets a period, whatever is going on; a doubt some ten packets more.
/// Errors: none; a message that makes no sense is dropped. Thread safety: none.
/// Source: ours; asking others before judging is SWIM's idea.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "core/codec.hpp"
#include "muster/types.hpp"

namespace muster::core {

struct HeartbeatSettings {
    std::uint32_t window_ms = 1'000;  ///< Silent for so long, and heard by nobody: gone.
    [[nodiscard]] std::uint64_t period_ms() const { return window_ms >= 4 ? window_ms / 4 : 1; }
};

// clang-format off
struct HeartbeatMessage {
    enum Word : std::uint8_t {
        beat,       ///< I live.
        watch,      ///< Beat to me too, until the next round: whoever listened to you is silent.
        ping,       ///< Answer at once.
        pong,
        ask,        ///< Do you hear `subject`? Of itself: am I still one of you?
        heard,      ///< I hear `subject`. Of the asker itself: you are one of us.
        silent,     ///< It has not answered me either.
        kill,       ///< You share its node, and found `subject` silent: end it.
        condemned,  ///< `subject` was silent for the window. Pass it on.
        outside,    ///< The job is in `round`, without you.
        alone,      ///< To those on one's own node: nobody beyond it is heard of. Give them up, as the sender has.
    };
    Word word = beat;
    Rank from{};
    Round round{};  ///< The sender's.
    Rank subject{};
};

struct SendBeat { Rank to; HeartbeatMessage message; };
struct KillSilent { Rank rank; };                    ///< On this member's node: make sure that it is dead.
/// Go on without it. `why` where that was found here. `alone`: this node is cut off, and gives up all beyond it for itself.
struct Condemned { Rank rank; std::string why; bool alone = false; };
struct Excluded { std::string why; };                ///< The others have gone on without this member: it must stop.
struct Confirmed {};                                 ///< The answer to inquire(): still one of them.
struct BeatNote { std::string text; };
using HeartbeatEffect = std::variant<SendBeat, KillSilent, Condemned, Excluded, Confirmed, BeatNote>;
using HeartbeatEffects = std::vector<HeartbeatEffect>;
// clang-format on

/// A datagram: `key` names the job, so that strangers are not listened to.
[[nodiscard]] Bytes encode(const HeartbeatMessage& message, std::uint64_t key);
[[nodiscard]] std::optional<HeartbeatMessage> decode_heartbeat(std::span<const std::byte> bytes, std::uint64_t key);

class Heartbeat {
public:
    /// `nodes`: one per Rank; members with the same number can end each other.
    Heartbeat(Rank self, HeartbeatSettings settings, std::vector<std::uint32_t> nodes);

    /// A new round: its members close the ring, and everybody is heard of from now on.
    HeartbeatEffects ring(Round round, std::vector<Rank> members, std::uint64_t now_ms);
    HeartbeatEffects received(const HeartbeatMessage& message, std::uint64_t now_ms);
    /// Whatever has come must be told first: what waits in a socket has been heard.
    HeartbeatEffects tick(std::uint64_t now_ms);
    /// Asks whether the others still count this member: before it acts on a round after it may have stood still.
    HeartbeatEffects inquire(std::uint64_t now_ms);

    [[nodiscard]] std::uint64_t due_ms() const { return due_ms_; }  ///< When tick() has something to do.
    [[nodiscard]] Round round() const { return round_; }
    [[nodiscard]] bool watches(Rank rank) const { return watched_.contains(rank); }

private:
    enum class Answer : std::uint8_t { none, silent };
    /// A member that this one listens to.
    struct Watched {
        std::uint64_t heard_ms = 0;
        std::optional<std::uint64_t> doubted_ms;  ///< Others are being asked.
        std::map<Rank, Answer> asked;
        bool told = false;  ///< That others hear it and this member does not.
    };
    /// Somebody wants to know whether `subject` is heard here.
    struct Inquiry {
        Rank asker, subject;
        std::uint64_t since_ms = 0;
    };

    // heartbeat.cpp
    void send(Rank to, HeartbeatMessage::Word word, Rank subject = {});
    void beat(std::uint64_t now_ms);
    void alive(Rank rank, std::uint64_t now_ms);
    bool stale(const HeartbeatMessage& message, std::uint64_t now_ms);
    void left_out(const std::string& why, bool certain, std::uint64_t now_ms);
    void answer_ask(const HeartbeatMessage& message, std::uint64_t now_ms);
    void hear(const HeartbeatMessage& message, std::uint64_t now_ms);
    void wake(std::uint64_t slept_ms, std::uint64_t now_ms);
    void answer_late_inquiries(std::uint64_t now_ms);
    [[nodiscard]] bool is_member(Rank rank) const;
    [[nodiscard]] HeartbeatEffects take() { return std::exchange(effects_, {}); }

    // heartbeat_doubt.cpp
    void look_at_the_watched(std::uint64_t now_ms);
    void begin_doubt(Rank subject, Watched& watched, std::uint64_t now_ms);
    void judge(Rank subject, std::uint64_t now_ms);
    void judge_unanswered(Rank subject, Watched& watched, std::uint64_t now_ms);
    void condemn(Rank subject, const std::string& why, std::uint64_t now_ms);
    void give_the_others_up(std::uint64_t silent_ms);
    void watch_too(Rank rank, std::uint64_t heard_ms);
    void hear_condemned(const HeartbeatMessage& message, std::uint64_t now_ms);
    void close_ring(std::uint64_t now_ms);
    void pass_on(Rank subject);
    [[nodiscard]] std::vector<Rank> witnesses(Rank subject) const;
    [[nodiscard]] std::optional<Rank> before(Rank rank) const;
    [[nodiscard]] std::size_t place_of(Rank rank) const;
    [[nodiscard]] bool near(Rank rank) const { return nodes_[rank.value] == nodes_[self_.value]; }
    [[nodiscard]] bool asked_far(const Watched& watched, bool answered) const;

    Rank self_;
    HeartbeatSettings settings_;
    std::vector<std::uint32_t> nodes_;
    Round round_;
    std::vector<Rank> members_;        ///< Ascending. Of the round, the condemned included.
    std::map<Rank, Watched> watched_;  ///< The one before, and whoever lost its listener.
    std::set<Rank> listeners_;         ///< The one behind, and whoever asked to be.
    std::vector<Inquiry> inquiries_;   ///< Open ones.
    std::set<Rank> found_silent_;      ///< In this round, and not heard of since.
    std::set<Rank> condemned_;         ///< In this round.
    std::set<Rank> own_verdicts_;      ///< Of those, the ones found here: repeated until the next round.
    std::uint64_t due_ms_ = 0, next_beat_ms_ = 0, ticked_ms_ = 0;
    std::uint64_t slept_until_ms_ = 0;  ///< Up to then this member believes at once that it was left out.
    std::optional<std::uint64_t> outside_since_ms_;
    bool excluded_ = false;
    bool given_up_ = false;  ///< Those beyond this node, for this node alone.
    HeartbeatEffects effects_;
};

}  // namespace muster::core
