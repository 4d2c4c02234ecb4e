// SPDX-License-Identifier: Apache-2.0
#include "cli/duration.hpp"

#include <gtest/gtest.h>

namespace muster::cli {
namespace {

TEST(Duration, IsANumberWithItsUnitOrOff) {
    EXPECT_EQ(milliseconds_from("off"), 0);
    EXPECT_EQ(milliseconds_from("250ms"), 250);
    EXPECT_EQ(milliseconds_from("1s"), 1'000);
    EXPECT_EQ(milliseconds_from("2.5s"), 2'500);
    EXPECT_EQ(milliseconds_from("2m"), 120'000);
    for (const char* odd : {"", "1", "s", "ms", "-1s", "0s", "0.1ms", "1h", "1e9s", "nans", "1 s", "s1", "on"})
        EXPECT_FALSE(milliseconds_from(odd)) << odd;
}

}  // namespace
}  // namespace muster::cli
