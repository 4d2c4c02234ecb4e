// SPDX-License-Identifier: Apache-2.0
#include "sim/event_queue.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "sim/dice.hpp"

namespace muster::sim {
namespace {

std::vector<std::uint32_t> drain(EventQueue& queue, std::uint64_t until) {
    std::vector<std::uint32_t> order;
    while (const auto event = queue.pop(until)) order.push_back(event->payload);
    return order;
}

TEST(EventQueue, KeepsTheOrderOfTimeAndThenOfArrangement) {
    EventQueue queue;
    for (const auto& [at, payload] : {std::pair{7U, 1U}, {3U, 2U}, {7U, 3U}, {3U, 4U}, {100'000U, 5U}})
        queue.push({.at = at, .payload = payload});
    EXPECT_EQ(drain(queue, 50), (std::vector<std::uint32_t>{2, 4, 1, 3}));
    EXPECT_EQ(queue.now(), 50U);
    EXPECT_EQ(drain(queue, 100'000), (std::vector<std::uint32_t>{5}));
}

TEST(EventQueue, HasWhatIsArrangedForThePresentTick) {
    EventQueue queue;
    queue.push({.at = 4, .payload = 1});
    ASSERT_TRUE(queue.pop(10));
    queue.push({.at = 4, .payload = 2});
    EXPECT_EQ(drain(queue, 10), (std::vector<std::uint32_t>{2}));
}

/// Against a list that is sorted anew each time, over spans far beyond the wheel's.
TEST(EventQueue, IsTheSameAsASortedList) {
    Dice dice(1);
    EventQueue queue;
    std::vector<Event> list;
    for (std::uint32_t step = 0; step < 20'000; ++step) {
        if (dice.below(2) == 0) {
            const std::uint64_t in = dice.below(4) == 0 ? dice.below(50'000) : dice.below(30);
            const Event event{.at = queue.now() + in, .payload = step};
            queue.push(event);
            list.push_back(event);
            continue;
        }
        const auto until = queue.now() + dice.below(9'000);
        const auto next = std::min_element(list.begin(), list.end(), [](const Event& a, const Event& b) {
            return a.at != b.at ? a.at < b.at : a.payload < b.payload;
        });
        const auto event = queue.pop(until);
        const bool due = next != list.end() && next->at <= until;
        ASSERT_EQ(event.has_value(), due);
        ASSERT_EQ(queue.now(), due ? next->at : until);
        if (!due) continue;
        ASSERT_EQ(event->payload, next->payload);
        list.erase(next);
    }
}

}  // namespace
}  // namespace muster::sim
