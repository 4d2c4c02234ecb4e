// SPDX-License-Identifier: Apache-2.0
#include "launch/check.hpp"

#include <gtest/gtest.h>

namespace muster::launch {
namespace {

TEST(Check, EveryImpossibleCountIsRefusedByItsOption) {
    struct Case {
        JobSpec spec;
        const char* option;
    };
    const std::vector<Case> cases = {
        {{.engines = 0}, "-n 0"},
        {{.engines = -3}, "-n -3"},
        {{.engines = 2, .standbys = -1}, "--standbys -1"},
        {{.engines = 2, .engines_min = 3}, "--min 3"},
        {{.engines = 2, .engines_min = 0}, "--min 0"},
        {{.engines = 3, .group_size = 2}, "--group-size 2"},
        {{.engines = 4, .controller = true}, "--controller needs --group-size"},
        {{.engines = 4, .group_size = 2, .slot_order = "sorted", .controller = true},
         "--controller needs --slot-order stable, not sorted"},
        {{.engines = 3, .group_size = -1}, "--group-size -1"},
        {{.engines = 2, .clients = -1}, "--clients -1"},
        {{.engines = 2, .engine_ranks = 0}, "--engine-ranks 0"},
        {{.engines = 2, .consensus_every = 0}, "--consensus-every 0"},
        {{.engines = 2, .fan_out = 0}, "--fan-out 0"},
        {{.engines = 2, .followers = -1}, "--followers -1"},
        {{.engines = 2, .queue_max_per_engine = -1}, "--queue-max-per-engine -1"},
        {{.engines = 2, .queue_max = -1}, "--queue-max -1"},
        {{.engines = 2, .load_interval_ms = 0}, "--load-interval 0"},
        {{.engines = 4, .engine_ranks = 2, .group_size = 3}, "--group-size 3 does not divide the 4 engines"},
        {{.engines = 100'000, .engine_ranks = 100'000}, "-n 100000"},
        {{.engines = 2, .standbys = 1, .clients = 2, .engine_ranks = 3, .hosts = {{"a", 8}}},
         "9 ranks (2 engines of 3 ranks + 1 standbys + 2 clients) do not fit in the 8 slots"},
        {{.engines = 3, .standbys = 2, .hosts = {{"a", 2}, {"b", 0}}},
         "5 ranks (3 engines + 2 standbys) do not fit in the 3 slots"},
    };
    for (const auto& [spec, option] : cases)
        EXPECT_EQ(complaint_about_counts(spec, {}).rfind(option, 0), 0U) << complaint_about_counts(spec, {});
}

TEST(Check, PossibleCountsPass) {
    EXPECT_EQ(complaint_about_counts({.engines = 4, .standbys = 2, .engines_min = 4, .group_size = 2}, {}), "");
    EXPECT_EQ(complaint_about_counts({.engines = 4, .hosts = {{"a", 2}, {"b", 2}}}, {}), "");
    EXPECT_EQ(
        complaint_about_counts({.engines = 2, .standbys = 1, .clients = 2, .engine_ranks = 3, .hosts = {{"a", 9}}}, {}),
        "");
}

TEST(Check, SlurmsAllocationIsALimit) {
    EXPECT_NE(complaint_about_counts({.engines = 5}, {.in_slurm = true, .slurm_slots = 4}), "");
    EXPECT_EQ(complaint_about_counts({.engines = 4}, {.in_slurm = true, .slurm_slots = 4}), "");
    EXPECT_EQ(slurm_slots_of("2(x3),1"), 7);
    EXPECT_EQ(slurm_slots_of("4"), 4);
    EXPECT_EQ(slurm_slots_of("many"), 0);
}

TEST(Check, HostLists) {
    EXPECT_EQ(parse_hosts("a:2,b").hosts, (std::vector<HostSlots>{{"a", 2}, {"b", 0}}));
    for (const auto* bad : {"", "a:", "a:0", "a:-1", "a:2x", ":2", "a,,b"}) {
        EXPECT_TRUE(parse_hosts(bad).hosts.empty()) << bad;
        EXPECT_NE(parse_hosts(bad).error, "") << bad;
    }
}

}  // namespace
}  // namespace muster::launch
