// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A ring of members in virtual time: datagrams that take a millisecond, members that stand still, links that are cut.

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/heartbeat.hpp"
#include "core/overloaded.hpp"

namespace muster::core::testing {

struct BeatingMember {
    explicit BeatingMember(Heartbeat machine) : heart(std::move(machine)) {}
    Heartbeat heart;
    bool stopped = false, dead = false, excluded = false, confirmed = false;
    std::vector<HeartbeatMessage> waiting;    ///< In its socket.
    std::map<Rank, std::uint64_t> condemned;  ///< Whom it was told to go on without, and when.
    std::vector<std::string> notes;
    std::uint64_t sent = 0;
};

/// `nodes`: one per member.
class BeatingRing {
public:
    using Cut = std::function<bool(Rank from, Rank to)>;
    static constexpr std::uint32_t kWindow = 1'000;

    explicit BeatingRing(const std::vector<std::uint32_t>& nodes) : nodes_(nodes) {
        std::vector<Rank> all;
        for (std::uint32_t r = 0; r < nodes.size(); ++r) {
            members.emplace_back(Heartbeat(Rank{r}, {.window_ms = kWindow}, nodes));
            all.push_back(Rank{r});
        }
        enter(Round{1}, all);
    }

    /// Those of `who` enter the round.
    void enter(Round round, const std::vector<Rank>& who) {
        for (const Rank rank : who) perform(rank, members[rank.value].heart.ring(round, who, now));
    }

    void run(std::uint64_t ms) {
        for (const auto until = now + ms; now < until;) {
            ++now;
            deliver();
            for (std::uint32_t r = 0; r < members.size(); ++r) {
                auto& member = members[r];
                if (!awake(member)) continue;
                for (const auto& message : std::exchange(member.waiting, {}))
                    perform(Rank{r}, member.heart.received(message, now));
                if (now >= member.heart.due_ms()) perform(Rank{r}, member.heart.tick(now));
            }
        }
    }

    void stop(std::uint32_t rank) { members[rank].stopped = true; }
    void go_on(std::uint32_t rank) { members[rank].stopped = false; }
    void inquire(std::uint32_t rank) { perform(Rank{rank}, members[rank].heart.inquire(now)); }

    /// Who was condemned by anybody.
    [[nodiscard]] std::set<Rank> condemned() const {
        std::set<Rank> all;
        for (const auto& member : members)
            for (const auto& [rank, when] : member.condemned) all.insert(rank);
        return all;
    }
    /// When the last of `who` was told to go on without `rank`; nothing where one was not.
    [[nodiscard]] std::optional<std::uint64_t> all_know(const std::vector<std::uint32_t>& who,
                                                        std::uint32_t rank) const {
        std::uint64_t last = 0;
        for (const auto one : who) {
            const auto found = members[one].condemned.find(Rank{rank});
            if (found == members[one].condemned.end()) return std::nullopt;
            last = std::max(last, found->second);
        }
        return last;
    }

    std::vector<BeatingMember> members;
    Cut cut;
    bool kills = true;  ///< A SIGKILL works.
    std::uint64_t now = 10'000;
    std::uint64_t kills_ordered = 0;

private:
    [[nodiscard]] static bool awake(const BeatingMember& member) {
        return !member.stopped && !member.dead && !member.excluded;
    }
    void deliver() {
        for (auto& [to, message] : std::exchange(under_way_, {}))
            if (!members[to.value].dead) members[to.value].waiting.push_back(message);
    }
    void perform(Rank self, const HeartbeatEffects& effects) {
        auto& member = members[self.value];
        for (const auto& effect : effects)
            std::visit(Overloaded{
                           [&](const SendBeat& send) {
                               ++member.sent;
                               const auto bytes = encode(send.message, kKey);
                               if (!cut || !cut(self, send.to))
                                   under_way_.emplace_back(send.to, *decode_heartbeat(bytes, kKey));
                           },
                           [&](const KillSilent& kill) {
                               ++kills_ordered;
                               if (kills && nodes_[kill.rank.value] == nodes_[self.value])
                                   members[kill.rank.value].dead = true;
                           },
                           [&](const Condemned& gone) { member.condemned.emplace(gone.rank, now); },
                           [&](const Excluded&) { member.excluded = true; },
                           [&](const Confirmed&) { member.confirmed = true; },
                           [&](const BeatNote& note) { member.notes.push_back(note.text); },
                       },
                       effect);
    }

    static constexpr std::uint64_t kKey = 7;
    std::vector<std::uint32_t> nodes_;
    std::vector<std::pair<Rank, HeartbeatMessage>> under_way_;
};

}  // namespace muster::core::testing
