// SPDX-License-Identifier: Apache-2.0
#include "cli/bench_controller_report.hpp"

#include <gtest/gtest.h>

namespace muster::cli {
namespace {

/// A change takes 100 us with one open and 10 with many, five and two times the bare one; a disk takes 50.
std::map<std::string, BenchSamples> changes() {
    std::map<std::string, BenchSamples> all;
    for (const auto& form : kChangeForms) {
        auto& samples = all[form.name];
        samples["single"] = {90, 100, 130};
        samples["bare_single"] = {20, 20};
        samples["window"] = {10, 9, 11};
        samples["bare_window"] = {4, 6};
        if (form.bare_disk != nullptr) samples[form.bare_disk] = {50};
    }
    return all;
}

BenchSamples deaths() {
    return {{"succession", {9'000, 12'000, 15'000}},
            {"detection", {3'000}},
            {"shrink", {4'000}},
            {"build", {2'000}},
            {"answer", {2'500}},
            {"bare", {6'000, 10'000}},
            {"bare_detection", {4'000}},
            {"bare_shrink", {4'000}}};
}

const BenchRatio* find(const BenchReport& report, const std::string& name) {
    for (const auto& ratio : report.ratios)
        if (ratio.name == name) return &ratio;
    return nullptr;
}

void expect_ratio(const BenchReport& report, const std::string& name, double value) {
    ASSERT_NE(find(report, name), nullptr) << name;
    EXPECT_DOUBLE_EQ(find(report, name)->value, value) << name;
    EXPECT_FALSE(find(report, name)->budget) << name;
}

TEST(ControllerReport, AChangeIsBesideItsBareMessagesInEachFormOfDurability) {
    const auto report = controller_report(4, changes(), deaths());
    ASSERT_TRUE(report);
    for (const std::string form : {"memory", "file", "fsync"}) {
        expect_ratio(*report, form + "_single_over_bare", 5);
        expect_ratio(*report, form + "_window_over_bare", 2);
        expect_ratio(*report, form + "_single_per_second", 10'000);
        expect_ratio(*report, form + "_window_per_second", 100'000);
    }
    expect_ratio(*report, "file_single_over_bare_write", 2);
    expect_ratio(*report, "fsync_window_over_bare_fsync", 0.2);
    EXPECT_EQ(find(*report, "memory_single_over_bare_write"), nullptr) << "nothing is written";
    EXPECT_TRUE(report->met());
}

TEST(ControllerReport, ASuccessionIsBesideTheBareShrink) {
    const auto report = controller_report(4, changes(), deaths());
    ASSERT_TRUE(report);
    expect_ratio(*report, "succession_over_bare", 1.5);
    expect_ratio(*report, "succession_over_bare_shrink", 3);
    expect_ratio(*report, "succession_ms", 12);
    expect_ratio(*report, "bare_shrink_ms", 4);
}

TEST(ControllerReport, FormsAreNotMixedUp) {
    auto slow = changes();
    slow["fsync"]["single"] = {2'000};
    const auto report = controller_report(4, slow, deaths());
    ASSERT_TRUE(report);
    expect_ratio(*report, "fsync_single_over_bare", 100);
    expect_ratio(*report, "file_single_over_bare", 5);
}

TEST(ControllerReport, ARowThatIsMissingMeansThatTheBenchmarkBrokeOff) {
    for (const auto& form : kChangeForms) {
        auto without = changes();
        without.erase(form.name);
        EXPECT_FALSE(controller_report(4, without, deaths())) << form.name;
        const auto whole = changes();
        for (const auto& [row, samples] : whole.at(form.name)) {
            auto broken = changes();
            broken[form.name].erase(row);
            EXPECT_FALSE(controller_report(4, broken, deaths())) << form.name << " " << row;
        }
    }
    for (const auto& [row, samples] : deaths()) {
        auto broken = deaths();
        broken.erase(row);
        EXPECT_FALSE(controller_report(4, changes(), broken)) << row;
    }
}

}  // namespace
}  // namespace muster::cli
