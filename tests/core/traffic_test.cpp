// SPDX-License-Identifier: Apache-2.0
/// Endpoints: requests are divided by weight, copies by proportion, and a repeat goes where the first one went.
#include "core/traffic.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "support.hpp"

namespace muster::core {
namespace {

Traffic traffic_of(std::map<std::string, double> weights, std::map<std::string, double> shadows = {}) {
    Traffic traffic;
    traffic.set({{"e", {std::move(weights), std::move(shadows)}}});
    return traffic;
}

struct Counts {
    std::map<std::string, double> backends, copies;
};

Counts count(const Traffic& traffic, std::uint32_t clients, std::uint64_t requests) {
    Counts counts;
    for (std::uint32_t client = 0; client < clients; ++client)
        for (std::uint64_t id = 1; id <= requests; ++id) {
            const auto choice = traffic.choose("e", Rank{client}, RequestId{id});
            ++counts.backends[choice->backend];
            for (const auto& shadow : choice->shadows) ++counts.copies[shadow];
        }
    return counts;
}

TEST(Traffic, AnUnknownEndpointIsNothing) {
    EXPECT_FALSE(traffic_of({{"a", 1.0}}).choose("other", Rank{0}, RequestId{1}));
    EXPECT_TRUE(traffic_of({{"a", 1.0}}).choose("e", Rank{0}, RequestId{1}));
}

TEST(Traffic, R14RequestsAreDividedByWeight) {
    const auto traffic = traffic_of({{"a", 0.7}, {"b", 0.2}, {"c", 0.1}, {"none", 0.0}});
    const double all = 4 * 5'000;
    const auto counts = count(traffic, 4, 5'000);
    EXPECT_EQ(counts.backends.size(), 3u) << "a weight of 0 gets nothing";
    for (const auto& [backend, weight] : traffic.endpoints().at("e").weights) {
        if (weight == 0) continue;
        const double sigma = std::sqrt(all * weight * (1 - weight));
        EXPECT_NEAR(counts.backends.at(backend), all * weight, 5 * sigma) << backend;
    }
}

TEST(Traffic, R15CopiesAreDrawnByProportionBesideTheRequest) {
    const auto counts = count(traffic_of({{"a", 1.0}}, {{"all", 1.0}, {"some", 0.25}, {"none", 0.0}}), 2, 5'000);
    EXPECT_EQ(counts.backends.at("a"), 10'000);
    EXPECT_EQ(counts.copies.at("all"), 10'000);
    EXPECT_NEAR(counts.copies.at("some"), 2'500, 5 * std::sqrt(10'000 * 0.25 * 0.75));
    EXPECT_FALSE(counts.copies.contains("none"));
}

TEST(Traffic, ARequestThatComesAgainGoesWhereItWent) {
    const auto first = traffic_of({{"a", 0.5}, {"b", 0.5}}, {{"c", 0.5}});
    auto successor = traffic_of({{"a", 0.5}, {"b", 0.5}}, {{"c", 0.5}});
    for (std::uint64_t id = 1; id < 200; ++id) {
        const auto before = first.choose("e", Rank{3}, RequestId{id});
        (void)successor.choose("e", Rank{4}, RequestId{id});  // What others ask changes nothing.
        const auto again = successor.choose("e", Rank{3}, RequestId{id});
        EXPECT_EQ(before->backend, again->backend);
        EXPECT_EQ(before->shadows, again->shadows);
    }
}

TEST(Traffic, ClientsDoNotThrowTheSameDice) {
    const auto traffic = traffic_of({{"a", 0.5}, {"b", 0.5}});
    std::uint32_t same = 0;
    for (std::uint64_t id = 1; id <= 1'000; ++id)
        same +=
            traffic.choose("e", Rank{1}, RequestId{id})->backend == traffic.choose("e", Rank{2}, RequestId{id})->backend
                ? 1
                : 0;
    EXPECT_NEAR(same, 500, 5 * std::sqrt(250.0));
}

/// Weights may miss 1 by 1e-8: the highest throws still find a backend, and one that has a weight.
TEST(Traffic, R14ARoundingLeavesNobodyWithoutABackend) {
    const auto traffic = traffic_of({{"a", 1e-300}, {"b", 0.0}});
    for (std::uint64_t id = 1; id < 100; ++id) EXPECT_EQ(traffic.choose("e", Rank{0}, RequestId{id})->backend, "a");
}

}  // namespace
}  // namespace muster::core
