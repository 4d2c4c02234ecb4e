// SPDX-License-Identifier: Apache-2.0
/// Random lives of a job with replicas: backends are created, scaled, deleted and changed, members die (coordinators in
/// the middle of anything), some refuse to prepare, rounds come unasked, and requests flow all the time. In the end
/// each request has ended once, with a reply or because its backend is not registered; each backend has the replicas
/// that it should have; and the world holds these and nothing else.
#include <gtest/gtest.h>

#include "core/ranks.hpp"
#include "replica_job.hpp"

namespace muster::core {
namespace {

using namespace controller;
using testing::ReplicaJob;

constexpr std::uint32_t kEngines = 14, kGroup = 2, kDeathsMax = 4;

struct Story {
    explicit Story(std::uint64_t seed) : job({.engines = kEngines, .clients = 2, .group_size = kGroup, .seed = seed}) {}

    void live(std::uint32_t steps) {
        while (steps-- > 0) {
            job.stir(1 + job.dice().below(12));
            if (job.dice().one_in(4)) job.tick(job.now_ms += 20);
            if (job.dice().one_in(3)) ask_for_something();
            if (job.dice().one_in(40)) change();
            if (job.at(job.coordinator()).seat_rounds.empty() ? job.dice().one_in(150) : job.dice().one_in(3)) round();
            if (deaths < kDeathsMax && job.dice().one_in(120)) disaster();
            if (job.dice().one_in(60)) mood();
        }
        for (std::uint32_t rank = 0; rank < kEngines; ++rank) job.at(rank).cannot_prepare.clear();
        for (int i = 0; i < 2; ++i) {  // The first time there may be no room for it.
            for (const auto& tag : tags) (void)job.scale(tag, 1);
            job.go_on(90'000);  // Whoever has given up tries again each minute.
        }
    }
    void ask_for_something() {
        const auto tag = tags[job.dice().below(tags.size())];
        requests.emplace_back(job.client(), job.request(tag));
    }
    void change() {
        const auto tag = tags[job.dice().below(tags.size())];
        switch (job.dice().below(6)) {
            case 0:
            case 1: (void)job.create(tag, 1 + job.dice().below(2), std::to_string(job.dice().below(3))); break;
            case 2: (void)job.remove(tag); break;
            default: (void)job.scale(tag, job.dice().below(4));
        }
    }
    void mood() {
        const auto rank = job.dice().below(kEngines);
        auto& refuses = job.at(rank).cannot_prepare;
        if (refuses.empty() && job.dice().one_in(2))
            refuses.insert(tags[job.dice().below(tags.size())]);
        else
            refuses.clear();
    }
    void round() { job.rebuild_until_whole(), ++rounds; }
    void disaster() {
        const auto victim = job.dice().one_in(2) ? job.coordinator() : job.dice().below(kEngines);
        if (!job.at(victim).alive) return;
        job.kill(victim);
        ++deaths;
        if (job.dice().one_in(2)) job.stir(job.dice().below(20));
        round();
    }
    void check() {
        for (const auto& [client, id] : requests) {
            const auto outcome = job.outcome(client, id);
            const bool refused = outcome.find("is not registered.") != std::string::npos;
            if (outcome == "reply 2") ++replies;
            EXPECT_TRUE(outcome == "reply 2" || refused) << "request " << id.value << ": '" << outcome << "'";
        }
        std::set<SeatId> known;
        for (const auto& [tag, replicas] : job.state().replicas)
            for (const auto& [id, replica] : replicas) known.insert(SeatId{id.value});
        for (const SeatId seat : job.view().seats)
            if (seat != SeatId{}) {
                EXPECT_TRUE(known.contains(seat)) << "nobody wants " << seat.value;
                ++seats;
            }
        EXPECT_EQ(seats, known.size()) << "not all are in the world";
        for (const auto& [tag, backend] : job.state().backends) EXPECT_EQ(job.serving(tag), backend.wanted) << tag;
        EXPECT_TRUE(job.state().pending.empty());
        for (std::uint32_t rank = 0; rank < kEngines; ++rank)
            EXPECT_TRUE(!job.at(rank).alive || job.at(rank).in_hand.empty()) << rank;
    }

    ReplicaJob job;
    const std::vector<std::string> tags{"a", "b", "c"};
    std::vector<std::pair<std::uint32_t, RequestId>> requests;
    std::size_t deaths = 0, rounds = 0, replies = 0, seats = 0;
};

TEST(ReplicaStory, WhateverHappensNoRequestIsLostAndTheWorldIsWhatIsWanted) {
    std::size_t deaths = 0, replies = 0, rounds = 0, seats = 0;
    for (const auto seed : testing::seeds(500)) {
        SCOPED_TRACE(testing::replay(seed));
        Story story(seed);
        story.live(700);
        story.check();
        deaths += story.deaths, replies += story.replies, rounds += story.rounds, seats += story.seats;
        if (HasFailure()) break;
    }
    std::printf("%zu deaths, %zu rounds, %zu replies, %zu seats in the end\n", deaths, rounds, replies, seats);
    if (std::getenv("MUSTER_SEED") != nullptr) return;
    EXPECT_GT(deaths, 1'200u);
    EXPECT_GT(replies, 30'000u);
    EXPECT_GT(seats, 600u);
}

}  // namespace
}  // namespace muster::core
