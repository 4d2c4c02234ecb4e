// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

#include "moe/dataset.hpp"

namespace moe {
namespace {

TEST(Dataset, HoldsAllDigitsAndHoldsBackEveryFifth) {
    const auto data = Dataset::load(default_data_path());
    ASSERT_TRUE(data);
    EXPECT_EQ(data->size(), 1797U);
    EXPECT_EQ(data->held_back_size(), 360U);
}

TEST(Dataset, AVirtualShardHasTheSameImagesInEveryWorld) {
    const auto data = Dataset::load(default_data_path());
    ASSERT_TRUE(data);
    const auto alone = data->batch(7, {0, 1});
    ASSERT_EQ(alone.size(), kShards);
    for (std::uint32_t slot = 0; slot < 5; ++slot)
        for (const auto& shard : data->batch(7, {slot, 5})) EXPECT_EQ(shard.images, alone.at(shard.index).images);
    EXPECT_NE(data->batch(8, {0, 1}).front().images, alone.front().images);
}

TEST(Dataset, EveryHeldBackImageIsInOneShard) {
    const auto data = Dataset::load(default_data_path());
    ASSERT_TRUE(data);
    std::size_t images = 0;
    for (std::uint32_t slot = 0; slot < 3; ++slot)
        for (const auto& shard : data->held_back({slot, 3})) images += shard.images.size();
    EXPECT_EQ(images, 360U);
}

TEST(Dataset, AFileThatIsMissingOrBrokenIsNamed) {
    EXPECT_NE(Dataset::load("/nowhere.csv").error().text.find("/nowhere.csv"), std::string::npos);
    const std::string path = testing::TempDir() + "muster_broken_digits.csv";
    std::ofstream(path) << "1,2,3\n";
    EXPECT_NE(Dataset::load(path).error().text.find("line 1"), std::string::npos);
    std::remove(path.c_str());
}

}  // namespace
}  // namespace moe
