// SPDX-License-Identifier: Apache-2.0
#include "cli/bench_rendezvous_report.hpp"

#include <gtest/gtest.h>

namespace muster::cli {
namespace {

/// What a run within all budgets measures, of 4 engines and a standby.
BenchSamples samples() {
    BenchSamples all;
    for (const auto* name : {"notice", "shrink", "build", "hand_over", "last", "split_asleep", "bare_round"})
        all[name] = {100, 300, 200};
    all["split"] = {90, 110};
    for (const auto* name : {"regroup", "all_ask", "park", "unpark"}) all[name] = {250, 270, 260};
    all["messages"] = {12, 4, 6, 4};
    all["rounds_of_all_ask"] = {1, 1};
    return all;
}

const BenchRatio* find(const BenchReport& report, const std::string& name) {
    for (const auto& ratio : report.ratios)
        if (ratio.name == name) return &ratio;
    return nullptr;
}

TEST(RendezvousReport, ARoundMayTakeThreeBareSplits) {
    const auto report = rendezvous_report(4, samples());
    ASSERT_TRUE(report);
    EXPECT_TRUE(report->met());
    for (const auto* name : {"round_over_split", "all_ask_over_split", "park_over_split"}) {
        ASSERT_NE(find(*report, name), nullptr) << name;
        EXPECT_DOUBLE_EQ(find(*report, name)->value, 2.6) << name;
        EXPECT_EQ(find(*report, name)->budget, 3.0) << name;
    }
    EXPECT_FALSE(find(*report, "round_over_bare_round")->budget);
    for (const auto* row : {"regroup", "all_ask", "park"}) {
        auto slow = samples();
        slow[row] = {301};
        EXPECT_FALSE(rendezvous_report(4, slow)->met()) << row;
    }
}

TEST(RendezvousReport, AllWhoAskAtOnceGetOneRound) {
    auto twice = samples();
    twice["rounds_of_all_ask"] = {1, 2, 1};
    EXPECT_FALSE(rendezvous_report(4, twice)->met());
}

TEST(RendezvousReport, MessagesGrowWithTheLogarithm) {
    EXPECT_EQ(messages_budget(2), 10);
    EXPECT_EQ(messages_budget(4), 28);
    EXPECT_EQ(messages_budget(5), 38);
    EXPECT_EQ(messages_budget(4096), 80);
    auto many = samples();
    many["messages"] = {4, 4, 4, 29};
    EXPECT_FALSE(rendezvous_report(4, many)->met()) << "the busiest member counts, not the usual one";
}

TEST(RendezvousReport, WithoutStandbysNobodyIsParked) {
    auto without = samples();
    without.erase("park");
    without.erase("unpark");
    const auto report = rendezvous_report(4, without);
    ASSERT_TRUE(report);
    EXPECT_EQ(find(*report, "park_over_split"), nullptr);
}

TEST(RendezvousReport, ARowThatIsMissingMeansThatTheBenchmarkBrokeOff) {
    for (const auto* row : {"regroup", "all_ask", "unpark", "split", "bare_round", "messages", "rounds_of_all_ask"}) {
        auto broken = samples();
        broken.erase(row);
        EXPECT_FALSE(rendezvous_report(4, broken)) << row;
    }
}

}  // namespace
}  // namespace muster::cli
