// SPDX-License-Identifier: Apache-2.0
#include "core/vault_plan.hpp"

#include <gtest/gtest.h>

#include "muster/vault.hpp"
#include "support.hpp"

namespace muster::core {
namespace {

using testing::Dice;
using Holds = std::vector<std::vector<bool>>;

TEST(VaultPlan, OwnersAndBlocksAgreeForAllSizes) {
    for (std::uint32_t size = 1; size <= 40; ++size)
        for (std::uint32_t items = 1; items <= 100; ++items) {
            std::uint32_t next = 0;
            for (std::uint32_t s = 0; s < size; ++s) {
                const auto block = items_of(Slot{s}, size, items);
                ASSERT_EQ(block.first, next) << size << " slots, " << items << " items, slot " << s;
                ASSERT_GE(block.count(), items / size);
                ASSERT_LE(block.count(), (items + size - 1) / size);
                for (std::uint32_t item = block.first; item < block.last; ++item)
                    ASSERT_EQ(owner_of(item, size, items), Slot{s}) << size << " slots, item " << item;
                next = block.last;
            }
            ASSERT_EQ(next, items);
        }
}

TEST(VaultPlan, WhereNothingIsMissingNothingMoves) {
    const Holds holds{{true, true}, {true, true}};
    const auto plan = deal(holds, {Slot{1}, Slot{0}}, 2);
    EXPECT_TRUE(plan.moves.empty());
    EXPECT_FALSE(plan.lost);
}

TEST(VaultPlan, ANewcomerIsFedByThePartnerAndKeepsTheCopiesOfItsWard) {
    // Slots 0 1 2 own items 0 1 2 and each keeps its left neighbour's copy; slot 1 is new.
    const Holds holds{{true, false, true}, {false, false, false}, {false, true, true}};
    const auto plan = deal(holds, {Slot{1}, Slot{2}, Slot{0}}, 3);
    EXPECT_EQ(plan.moves, (std::vector<Move>{{0, Slot{0}, Slot{1}}, {1, Slot{2}, Slot{1}}}));
}

TEST(VaultPlan, TheLowestSlotThatHasAnItemSendsItToItsOwnerFirst) {
    const Holds holds{{false}, {true}, {true}, {false}};  // One item, owned by the last of four.
    ASSERT_EQ(owner_of(0, 4, 1), Slot{3});
    const auto plan = deal(holds, {Slot{1}, Slot{2}, Slot{3}, Slot{0}}, 1);
    EXPECT_EQ(plan.moves, (std::vector<Move>{{0, Slot{1}, Slot{3}}, {0, Slot{1}, Slot{0}}}));
}

TEST(VaultPlan, AWorldOfOneKeepsNoCopies) {
    const auto plan = deal(Holds{{true, true}}, {Slot{0}}, 2);
    EXPECT_TRUE(plan.moves.empty());
}

TEST(VaultPlan, TheLowestLostItemIsReportedAndNothingMoves) {
    const Holds holds{{true, false, false, true}, {false, false, false, false}};
    const auto plan = deal(holds, {Slot{1}, Slot{0}}, 4);
    EXPECT_EQ(plan.lost, 1u);
    EXPECT_TRUE(plan.moves.empty());
}

TEST(VaultPlan, OwnerAndPartnerEndWithEveryItemAndNoMoveIsInVain) {
    for (const auto seed : testing::seeds(5'000)) {
        SCOPED_TRACE(testing::replay(seed));
        Dice dice(seed);
        const auto size = dice.between(1, 12), items = dice.between(1, 40);
        const auto launch = testing::scattered(dice, size, 3, 1);
        const auto partner = partners(testing::ranks_up_to(size), launch);
        Holds holds(size, std::vector<bool>(items));
        const auto scarcity = dice.between(2, 6);
        for (auto& slot : holds)
            for (std::uint32_t item = 0; item < items; ++item) slot[item] = dice.one_in(scarcity);

        std::optional<std::uint32_t> lost;
        std::size_t missing = 0;
        for (std::uint32_t item = items; item-- > 0;) {
            bool somewhere = false;
            for (const auto& slot : holds) somewhere = somewhere || slot[item];
            if (!somewhere) lost = item;
            const Slot owner = owner_of(item, size, items), keeper = partner[owner.value];
            missing += holds[owner.value][item] ? 0 : 1;
            missing += keeper == owner || holds[keeper.value][item] ? 0 : 1;
        }
        const auto plan = deal(holds, partner, items);
        ASSERT_EQ(plan.lost, lost);
        if (lost) continue;
        ASSERT_EQ(plan.moves.size(), missing) << "each missing copy is one move";
        for (const auto& move : plan.moves) {
            ASSERT_TRUE(holds[move.from.value][move.item]) << "nobody sends what it was only just sent";
            ASSERT_FALSE(holds[move.to.value][move.item]);
        }
        for (const auto& move : plan.moves) holds[move.to.value][move.item] = true;
        for (std::uint32_t item = 0; item < items; ++item) {
            const Slot owner = owner_of(item, size, items);
            ASSERT_TRUE(holds[owner.value][item] && holds[partner[owner.value].value][item]) << item;
        }
    }
}

}  // namespace
}  // namespace muster::core
