// SPDX-License-Identifier: Apache-2.0
#include "cli/bench_report.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace muster::cli {
namespace {

/// What a healthy run of three deaths measures.
BenchSamples samples() {
    BenchSamples all;
    for (const auto* name : {"detection", "shrink", "build", "hand_over", "bare_detection", "bare_shrink", "bare_build",
                             "promoted_hand_over"})
        all[name] = {1000, 3000, 2000};
    all["total"] = {9000, 12000, 10000};
    all["after_detection"] = {7000, 9000, 8000};
    all["bare"] = {5000, 4000, 4500};
    all["survivor_at_work"] = {7000, 8000, 7500};
    all["promoted_at_work"] = {7100, 8100, 7600};
    all["parked_cpu"] = {15000};
    return all;
}

double value_of(const BenchReport& report, const std::string& name) {
    for (const auto& ratio : report.ratios)
        if (ratio.name == name) return ratio.value;
    return -1;
}

TEST(BenchReport, TheMedianOfAnEvenNumberLiesBetweenTheTwoInTheMiddle) {
    EXPECT_EQ(median_of({3, 1, 2}), 2);
    EXPECT_EQ(median_of({4, 1, 2, 3}), 2.5);
}

TEST(BenchReport, RatiosAreOfMedians) {
    const auto report = rebuild_report(8, samples());
    ASSERT_TRUE(report);
    EXPECT_DOUBLE_EQ(value_of(*report, "rebuild_over_bare"), 8000.0 / 4500.0);
    EXPECT_DOUBLE_EQ(value_of(*report, "parked_cpu_percent"), 1.5);
    EXPECT_NEAR(value_of(*report, "promoted_after_survivor_ms"), 0.1, 1e-9);
    EXPECT_DOUBLE_EQ(value_of(*report, "total_ms"), 10);
    EXPECT_TRUE(report->met());
}

TEST(BenchReport, TheTimeIsOnlyPromisedUpToEightRanks) {
    EXPECT_EQ(value_of(*rebuild_report(9, samples()), "total_ms"), -1);
}

TEST(BenchReport, AMissedBudgetIsSaid) {
    auto slow = samples();
    slow["after_detection"] = {20000};
    const auto report = rebuild_report(8, slow);
    EXPECT_FALSE(report->met());
    EXPECT_NE(as_table(*report).find("MISSED"), std::string::npos);
}

TEST(BenchReport, ARowThatIsMissingMeansThatTheBenchmarkBrokeOff) {
    auto broken = samples();
    broken.erase("bare");
    EXPECT_FALSE(rebuild_report(8, broken));
}

TEST(BenchReport, JsonHasTheDocumentedForm) {
    const auto json = nlohmann::json::parse(as_json(*rebuild_report(8, samples())));
    EXPECT_EQ(json["bench"], "rebuild");
    EXPECT_EQ(json["ranks"], 8);
    const auto& row = json["rows"][0];
    EXPECT_EQ(row["name"], "detection");
    EXPECT_EQ(row["median_us"], 2000);
    EXPECT_EQ(row["min_us"], 1000);
    EXPECT_EQ(row["max_us"], 3000);
    const auto& ratio = json["ratios"][0];
    EXPECT_EQ(ratio["name"], "rebuild_over_bare");
    EXPECT_EQ(ratio["budget"], 2.0);
    EXPECT_TRUE(ratio["met"].get<bool>());
}

}  // namespace
}  // namespace muster::cli
