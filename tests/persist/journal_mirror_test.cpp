// SPDX-License-Identifier: Apache-2.0
/// Journals under core's mirror: coordinator and followers each keep a file; whoever dies, what was safe comes back
/// from the best of them.
#include <gtest/gtest.h>

#include <deque>
#include <memory>

#include "core/mirror.hpp"
#include "core/overloaded.hpp"
#include "journal_support.hpp"

namespace muster::persist {
namespace {

using core::Mirror;
using core::MirrorEffects;
using core::MirrorSend;
using core::testing::Words;
using testing::at;
using testing::bytes_of;
using testing::complaint;
using testing::JournalRecord;
using testing::text_of;

constexpr core::JournalKind kWords{1};

/// One member: its state, its mirror, its file, in the order in which a driver must use them.
struct Member {
    Rank self;
    JournalFile file;
    Words state;
    Mirror mirror;
    Member(Rank rank, JournalFile::Opened opened)
        : self(rank), file(std::move(opened.file)), mirror(self, state, opened.journal.position()) {
        EXPECT_TRUE(opened.journal.restore(state));
    }
    /// The journal first: what it refuses has not happened.
    MirrorEffects change(const std::string& word) {
        const auto next = mirror.position();
        EXPECT_EQ(
            complaint(file.append({JournalRecord::entry, at(next.term.value, next.index + 1), kWords, bytes_of(word)})),
            "");
        return mirror.append(bytes_of(word));
    }
    MirrorEffects received(Rank from, const core::message::Copy& copy) {
        const auto before = mirror.position();
        auto effects = mirror.received(from, copy);
        if (mirror.position() == before) return effects;
        EXPECT_EQ(complaint(file.append(record_of(copy, kWords))), "");
        return effects;
    }
};

class JournalMirror : public testing::JournalDirectory {
protected:
    void start() {
        members.clear();
        for (std::uint32_t rank = 0; rank < 3; ++rank) {
            auto settings = journal_settings();
            settings.holder = std::to_string(rank);
            members.push_back(std::make_unique<Member>(Rank{rank}, must_open(settings)));
        }
    }
    [[nodiscard]] std::optional<std::size_t> best() const {
        std::vector<core::MirrorPosition> positions;
        for (const auto& member : members) positions.push_back(member->mirror.position());
        return core::best_of(positions);
    }
    /// A round of all but the `lost`, the rest follow the first.
    void complete(Round round, const std::set<std::uint32_t>& lost, Rank source) {
        std::vector<Rank> here;
        for (const auto& member : members)
            if (!lost.contains(member->self.value)) here.push_back(member->self);
        const std::vector<Rank> followers(here.begin() + 1, here.end());
        std::vector<std::pair<Rank, MirrorEffects>> all;
        for (const auto rank : here) {
            auto& member = *members[rank.value];
            const auto before = member.mirror.position();
            all.emplace_back(rank, member.mirror.complete(round, here.front(), followers, source));
            const auto now = member.mirror.position();  // Another one: it has the chair.
            EXPECT_EQ(now == before ? "" : complaint(member.file.append({JournalRecord::term, now, {}, {}})), "");
        }
        for (const auto& [rank, effects] : all) deliver(rank, effects);
    }
    void deliver(Rank from, const MirrorEffects& first) {
        std::deque<std::pair<Rank, MirrorSend>> waiting;
        const auto queue = [&](Rank sender, const MirrorEffects& effects) {
            for (const auto& effect : effects)
                if (const auto* send = std::get_if<MirrorSend>(&effect)) waiting.emplace_back(sender, *send);
        };
        queue(from, first);
        while (!waiting.empty()) {
            const auto [sender, send] = waiting.front();
            waiting.pop_front();
            auto& member = *members[send.to.value];
            queue(send.to,
                  std::visit(core::Overloaded{
                                 [&](const core::message::Copy& copy) { return member.received(sender, copy); },
                                 [&](const core::message::Kept& kept) { return member.mirror.received(sender, kept); }},
                             send.message));
        }
    }
    std::vector<std::unique_ptr<Member>> members;
};

TEST_F(JournalMirror, WhatWasSafeComesBackFromTheBestFile) {
    start();
    complete(Round{1}, {}, Rank{0});
    for (const auto* word : {"a", "b", "c"}) deliver(Rank{0}, members[0]->change(word));
    EXPECT_EQ(members[0]->mirror.safe(), 3u);
    (void)members[0]->change("unsafe");  // It dies with this: no follower gets it.
    (void)members[0]->change("too");
    complete(Round{2}, {0}, Rank{1});
    deliver(Rank{1}, members[1]->change("d"));
    EXPECT_EQ(members[1]->mirror.safe(), 4u);

    start();  // All have died.
    EXPECT_EQ(members[0]->mirror.position(), at(1, 5)) << "longer, and of a term that is over";
    EXPECT_EQ(members[0]->state.text, "a;b;c;unsafe;too;");
    EXPECT_EQ(members[1]->mirror.position(), at(2, 4));
    EXPECT_EQ(members[2]->mirror.position(), at(2, 4));
    ASSERT_EQ(best(), 1u);
    complete(Round{3}, {}, Rank{1});
    deliver(Rank{0}, members[0]->change("e"));
    for (const auto& member : members) {
        EXPECT_EQ(member->state.text, "a;b;c;d;e;");
        EXPECT_EQ(member->file.position(), at(3, 5));
    }
    start();
    for (const auto& member : members) EXPECT_EQ(member->state.text, "a;b;c;d;e;");
}

}  // namespace
}  // namespace muster::persist
