// SPDX-License-Identifier: Apache-2.0
#include "cli/bench_lifecycle_report.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace muster::cli {
namespace {

using ByForm = std::map<std::string, BenchSamples>;

const BenchRatio* find(const BenchReport& report, const std::string& name) {
    for (const auto& ratio : report.ratios)
        if (ratio.name == name) return &ratio;
    return nullptr;
}

double value_of(const BenchReport& report, const std::string& name) {
    const auto* ratio = find(report, name);
    return ratio != nullptr ? ratio->value : -1;
}

/// A machine that becomes twice as slow in the middle: only neighbours compare.
ByForm turns() {
    const BenchSamples one{
        {"forward_alone", {1000, 1000}}, {"forward", {1000, 2000, 1000}}, {"forward_allreduce", {1002, 2004, 1002}},
        {"turn", {1005, 2010, 1005}},    {"allreduce", {2, 4, 2}},        {"next", {2.2, 4.4, 2.2}}};
    ByForm by_form;
    for (const auto& form : kConsensusForms) by_form[form.name] = one;
    by_form["off"]["turn"] = {1001, 2002, 1001};
    return by_form;
}

TEST(ConsensusReport, RatiosCompareNeighbours) {
    const auto report = consensus_report(2, true, turns());
    ASSERT_TRUE(report);
    EXPECT_NEAR(value_of(*report, "turn_blocking_over_forward"), 1.005, 1e-9);
    EXPECT_NEAR(value_of(*report, "turn_off_over_forward"), 1.001, 1e-9);
    EXPECT_NEAR(value_of(*report, "consensus_over_allreduce"), 1.1, 1e-9);
    EXPECT_TRUE(report->met());
}

TEST(ConsensusReport, AMissedBudgetIsMissed) {
    auto slow = turns();
    slow["blocking"]["turn"] = {1011, 2022, 1011};
    EXPECT_FALSE(consensus_report(2, true, slow)->met());
    slow = turns();
    slow["blocking"]["next"] = {2.5, 5, 2.5};
    EXPECT_FALSE(consensus_report(2, true, slow)->met());
}

TEST(ConsensusReport, WhereRanksShareCoresATurnHasNoBudgetButAVoteHas) {
    auto slow = turns();
    slow["blocking"]["turn"] = {3000, 6000, 3000};
    const auto report = consensus_report(8, false, slow);
    EXPECT_FALSE(find(*report, "turn_blocking_over_forward")->budget);
    EXPECT_TRUE(find(*report, "consensus_over_allreduce")->budget);
    EXPECT_TRUE(report->met());
}

TEST(ConsensusReport, BareRowsAreOfAllJobs) {
    auto by_form = turns();
    by_form["off"]["allreduce"] = {1, 1, 1};
    const auto report = consensus_report(2, true, by_form);
    for (const auto& row : report->rows)
        if (row.name == "allreduce") {
            EXPECT_EQ(row.min_us, 1);
            EXPECT_EQ(row.max_us, 4);
        }
}

TEST(ConsensusReport, AJobThatBrokeOffIsNoReport) {
    for (const auto* row : {"turn", "next"}) {
        auto broken = turns();
        broken["overlapped"].erase(row);
        EXPECT_FALSE(consensus_report(2, true, broken)) << row;
    }
    auto uneven = turns();
    uneven["blocking"]["turn"].pop_back();
    EXPECT_FALSE(consensus_report(2, true, uneven)) << "these are no pairs";
    auto without = turns();
    without.erase("every_16");
    EXPECT_FALSE(consensus_report(2, true, without));
}

BenchSamples pauses() {
    return {{"pause", {90, 110}}, {"unpause", {80, 80}}, {"bare", {40, 60}}, {"bare_asleep", {100, 100}}};
}

TEST(PauseReport, TheBudgetIsForSpinningPeers) {
    const auto report = pause_report(4, pauses());
    ASSERT_TRUE(report);
    EXPECT_DOUBLE_EQ(value_of(*report, "pause_over_bare"), 2.0);
    EXPECT_EQ(find(*report, "pause_over_bare")->budget, 2.0);
    EXPECT_DOUBLE_EQ(value_of(*report, "pause_over_bare_asleep"), 1.0);
    EXPECT_FALSE(find(*report, "pause_over_bare_asleep")->budget);
    EXPECT_TRUE(report->met());
    auto slow = pauses();
    slow["pause"] = {101, 101};
    EXPECT_FALSE(pause_report(4, slow)->met());
    slow.erase("bare");
    EXPECT_FALSE(pause_report(4, slow));
}

TEST(PauseReport, ARatioWithoutBudgetIsNullInJsonAndBlankInTheTable) {
    const auto report = pause_report(4, pauses());
    const auto json = nlohmann::json::parse(as_json(*report));
    EXPECT_EQ(json["ratios"][0]["met"], true);
    EXPECT_TRUE(json["ratios"][1]["budget"].is_null());
    EXPECT_TRUE(json["ratios"][1]["met"].is_null());
    EXPECT_NE(as_table(*report).find("times in us"), std::string::npos);
}

TEST(RestReport, TheBudgetsAreForTheCostliestEngineAndTheUsualWake) {
    const BenchSamples samples{{"resting_cpu", {4000, 21000, 5000}}, {"wake", {100, 5000, 300}}};
    const auto report = rest_report(3, samples);
    ASSERT_TRUE(report);
    EXPECT_DOUBLE_EQ(value_of(*report, "resting_cpu_percent_max"), 2.1);
    EXPECT_DOUBLE_EQ(value_of(*report, "wake_ms"), 0.3);
    EXPECT_FALSE(report->met());
    EXPECT_FALSE(rest_report(3, {{"resting_cpu", {1}}}));
}

TEST(RouteReport, TheRateIsHeldAgainstSevenTenthsOfTheBareOne) {
    BenchSamples samples{{"bare_request", {2}},    {"request", {4, 2.8, 1}},      {"bare_round_trip", {5}},
                         {"round_trip", {10}},     {"bare_coordinator_cpu", {1}}, {"coordinator_cpu", {3}}};
    auto report = route_report(2, samples);
    ASSERT_TRUE(report);
    EXPECT_DOUBLE_EQ(value_of(*report, "request_over_bare"), 1.4);
    EXPECT_DOUBLE_EQ(value_of(*report, "round_trip_over_bare"), 2);
    EXPECT_DOUBLE_EQ(value_of(*report, "coordinator_cpu_over_bare"), 3);
    EXPECT_DOUBLE_EQ(value_of(*report, "bare_requests_per_second"), 500'000);
    EXPECT_TRUE(report->met());
    samples["request"] = {2.9};
    EXPECT_FALSE(route_report(2, samples)->met());
    samples.erase("round_trip");
    EXPECT_FALSE(route_report(2, samples));
}

}  // namespace
}  // namespace muster::cli
