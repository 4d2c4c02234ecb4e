// SPDX-License-Identifier: Apache-2.0
/// A member that becomes part of a replica.
#include "core/replica_seat.hpp"

#include <gtest/gtest.h>

#include "core/overloaded.hpp"
#include "steward_support.hpp"

namespace muster::core {
namespace {

using testing::spec_of;
using testing::Texts;

Texts texts(const ReplicaSeatEffects& effects) {
    const auto n = [](SeatId seat) { return "#" + std::to_string(seat.value); };
    const Overloaded text_of_answer{[&](const message::ReplicaPrepared& one) { return "prepared" + n(one.seat); },
                                    [&](const message::ReplicaRefused& one) {
                                        return (one.stays_out ? "stays out" : "refused") + n(one.seat) + " " + one.why;
                                    },
                                    [&](const message::ReplicaReady& one) { return "ready" + n(one.seat); },
                                    [&](const message::ReplicaHealth& one) {
                                        return (one.well ? "well" : "unwell") + n(one.seat) + "/" +
                                               std::to_string(one.number);
                                    }};
    Texts list;
    for (const auto& effect : effects)
        std::visit(
            Overloaded{[&](const PrepareEngine& one) { list.push_back("prepare" + n(one.spec.seat)); },
                       [&](const CheckEngine& one) {
                           list.push_back("check" + n(one.seat) + "/" + std::to_string(one.number));
                       },
                       [&](const AnswerCoordinator& one) { list.push_back(std::visit(text_of_answer, one.answer)); }},
            effect);
    return list;
}

struct ReplicaSeatTest : ::testing::Test {
    ReplicaSeat member;
    Round round{};

    Texts prepare(std::uint64_t seat, const std::string& stays_out = "") {
        return texts(member.prepare(spec_of(seat), stays_out));
    }
    Texts prepared(std::uint64_t seat, std::optional<std::string> error = {}) {
        return texts(member.prepared(SeatId{seat}, error));
    }
    void enter(std::optional<std::uint64_t> seat) {
        ++round.value;
        member.entered(round, seat ? std::optional(SeatId{*seat}) : std::nullopt);
    }
    Texts take() { return texts(member.taken(round)); }
    void work_in(std::uint64_t seat) {
        (void)prepare(seat);
        (void)prepared(seat);
        enter(seat);
        EXPECT_EQ(take(), Texts{"ready#" + std::to_string(seat)});
    }
};

TEST_F(ReplicaSeatTest, AStandbyPreparesThenComesInThenWorks) {
    enter(std::nullopt);
    EXPECT_EQ(prepare(7), Texts{"prepare#7"});
    EXPECT_EQ(prepare(7), Texts{}) << "it is at it";
    EXPECT_EQ(prepared(7), Texts{"prepared#7"});
    EXPECT_EQ(prepare(7), Texts{"prepared#7"}) << "a successor asks again";
    EXPECT_EQ(take(), Texts{}) << "in a round without it";
    enter(7);
    EXPECT_EQ(take(), Texts{"ready#7"});
    EXPECT_EQ(prepare(7), Texts{"ready#7"});
    enter(7);
    EXPECT_EQ(take(), Texts{}) << "nobody asked";
    EXPECT_EQ(member.spec()->config, "{}");
}

TEST_F(ReplicaSeatTest, WhoIsInTheWorldFirstPreparesBeforeItIsReady) {
    enter(7);
    EXPECT_EQ(take(), Texts{});
    EXPECT_EQ(prepare(7), Texts{"prepare#7"});
    EXPECT_EQ(prepared(7), Texts{"ready#7"});
}

TEST_F(ReplicaSeatTest, ReadyIsOfTheRoundThatIsThere) {
    (void)prepare(7);
    (void)prepared(7);
    enter(7);
    EXPECT_EQ(texts(member.taken(Round{0})), Texts{}) << "its turns are in an earlier one";
    EXPECT_EQ(prepare(7), Texts{"prepared#7"});
    EXPECT_EQ(take(), Texts{"ready#7"});
}

TEST_F(ReplicaSeatTest, ANoIsAnAnswer) {
    EXPECT_EQ(prepare(7), Texts{"prepare#7"});
    EXPECT_EQ(prepared(7, "no memory"), Texts{"refused#7 no memory"});
    EXPECT_FALSE(member.spec());
    EXPECT_EQ(prepare(7), Texts{"prepare#7"}) << "it is tried again";
}

TEST_F(ReplicaSeatTest, WhoStaysOutSaysSo) {
    EXPECT_EQ(prepare(7, "it is parked"), Texts{"stays out#7 it is parked"});
    work_in(8);
    EXPECT_EQ(prepare(8, "it leaves"), Texts{"ready#8"}) << "it is in it still";
}

TEST_F(ReplicaSeatTest, WhoIsInAReplicaPreparesForNoOther) {
    work_in(7);
    EXPECT_EQ(prepare(8), Texts{"refused#8 it is in replica 7"});
    EXPECT_EQ(member.spec()->seat, SeatId{7});
}

TEST_F(ReplicaSeatTest, WhatIsCalledOffIsForgottenAndItsAnswerToo) {
    (void)prepare(7);
    member.cancel(SeatId{8});
    EXPECT_TRUE(member.spec()) << "another one";
    member.cancel(SeatId{7});
    EXPECT_FALSE(member.spec());
    EXPECT_EQ(prepared(7), Texts{});
    (void)prepare(8);
    EXPECT_EQ(prepared(7, "no memory"), Texts{}) << "that was the last one";
    EXPECT_EQ(prepared(8), Texts{"prepared#8"});
    work_in(8);
    member.cancel(SeatId{8});
    EXPECT_TRUE(member.spec()) << "who works in it is not called off";
}

TEST_F(ReplicaSeatTest, ANewOneTakesTheOldOnesPlace) {
    (void)prepare(7);
    (void)prepared(7);
    EXPECT_EQ(prepare(8), Texts{"prepare#8"});
    enter(7);
    EXPECT_EQ(take(), Texts{}) << "it is not prepared for that any more";
    EXPECT_EQ(prepare(7), Texts{"prepare#7"});
}

TEST_F(ReplicaSeatTest, WhoHasBeenInOneAndIsNoMoreHasServedItsTime) {
    work_in(7);
    enter(std::nullopt);
    EXPECT_FALSE(member.spec());
    enter(7);
    EXPECT_EQ(take(), Texts{}) << "it has to prepare again";
    (void)prepare(8);
    EXPECT_EQ(prepare(7), Texts{"prepare#7"});
}

TEST_F(ReplicaSeatTest, AStandbyStaysPreparedOverRoundsOfOthers) {
    (void)prepare(7);
    (void)prepared(7);
    enter(std::nullopt);
    enter(std::nullopt);
    EXPECT_EQ(prepare(7), Texts{"prepared#7"});
}

TEST_F(ReplicaSeatTest, AChecksAnswerIsTheEnginesButWhoIsNotThereIsUnwell) {
    EXPECT_EQ(texts(member.check(SeatId{7}, 1)), Texts{"unwell#7/1"});
    enter(7);
    EXPECT_EQ(texts(member.check(SeatId{7}, 2)), Texts{"unwell#7/2"}) << "it knows not what it is to be";
    (void)prepare(7);
    (void)prepared(7);
    EXPECT_EQ(texts(member.check(SeatId{7}, 3)), Texts{"check#7/3"});
    EXPECT_EQ(texts(member.checked(SeatId{7}, 3, true)), Texts{"well#7/3"});
    EXPECT_EQ(texts(member.checked(SeatId{7}, 3, false)), Texts{"unwell#7/3"});
    EXPECT_EQ(texts(member.check(SeatId{8}, 4)), Texts{"unwell#8/4"});
}

}  // namespace
}  // namespace muster::core
