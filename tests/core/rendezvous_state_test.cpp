// SPDX-License-Identifier: Apache-2.0
#include "core/rendezvous_state.hpp"

#include <gtest/gtest.h>

#include "core/rendezvous_backend.hpp"
#include "rendezvous_support.hpp"
#include "support.hpp"

namespace muster::core::rendezvous::testing {
namespace {

Bytes bytes_of(const std::string& text) {
    Bytes bytes;
    for (const char c : text) bytes.push_back(static_cast<std::byte>(c));
    return bytes;
}

TEST(RendezvousBackend, T04_CompareAndSwap) {
    MemoryBackend backend;
    EXPECT_FALSE(std::get<0>(backend.get()).has_value());
    EXPECT_FALSE(std::get<0>(backend.set(bytes_of("a"), Token{1})).has_value());  // Nothing there to answer with.
    EXPECT_FALSE(std::get<0>(backend.get()).has_value());

    const auto first = std::get<0>(backend.set(bytes_of("a"), std::nullopt)).value();
    EXPECT_TRUE(first.accepted);
    EXPECT_EQ(first.state, bytes_of("a"));
    const auto refused = std::get<0>(backend.set(bytes_of("b"), std::nullopt)).value();
    EXPECT_FALSE(refused.accepted);
    EXPECT_EQ(refused.state, bytes_of("a"));
    EXPECT_EQ(refused.token, first.token);

    const auto second = std::get<0>(backend.set(bytes_of("b"), first.token)).value();
    EXPECT_TRUE(second.accepted);
    EXPECT_NE(second.token, first.token);
    const auto stale = std::get<0>(backend.set(bytes_of("c"), first.token)).value();
    EXPECT_FALSE(stale.accepted);
    EXPECT_EQ(stale.state, bytes_of("b"));
    EXPECT_EQ(stale.token, second.token);
    EXPECT_EQ(std::get<0>(backend.get())->state, bytes_of("b"));
}

TEST(RendezvousBackend, T04_AnOldTokenFitsNothingThatComesAfterALoss) {
    MemoryBackend backend;
    const auto first = std::get<0>(backend.set(bytes_of("a"), std::nullopt)).value();
    backend.lose();
    EXPECT_TRUE(std::get<0>(backend.set(bytes_of("b"), std::nullopt))->accepted);
    EXPECT_FALSE(std::get<0>(backend.set(bytes_of("c"), first.token))->accepted);
}

TEST(RendezvousBackend, T04_ErrorsAreValues) {
    MemoryBackend backend;
    backend.disconnect(true);
    EXPECT_EQ(std::get<Failure>(backend.get()).kind, Failure::connection);
    EXPECT_EQ(std::get<Failure>(backend.set({}, std::nullopt)).kind, Failure::connection);
    EXPECT_STREQ(name_of(Failure::connection), "RendezvousConnectionError");
    EXPECT_STREQ(name_of(Failure::corrupt_state), "RendezvousStateError");
}

TEST(RendezvousState, T05_Fresh) {
    const State state;
    EXPECT_EQ(phase(state), "round 0");
    EXPECT_EQ(state.deadline, std::nullopt);
    EXPECT_EQ(lists(state), "| |");
    EXPECT_TRUE(state.last_heartbeats.empty());
}

TEST(RendezvousState, T10_TheLastOneOutOfACompleteRoundBeginsTheNext) {
    State state{.round = Round{4}, .complete = true, .participants = {{n(0), Slot{0}}}};
    after_removal(state, settings_of(1, 2));
    state.deadline = seconds(9);
    after_removal(state, settings_of(2, 2));
    EXPECT_EQ(phase(state), "round 4 complete");  // One is left: nothing.
    EXPECT_EQ(state.deadline, seconds(9));
    state.participants.clear();
    after_removal(state, settings_of(1, 2));
    EXPECT_EQ(phase(state), "round 5");
}

TEST(RendezvousState, T10_TooFewEndTheLastCall) {
    State state{.deadline = seconds(9), .participants = {{n(0), Slot{}}, {n(1), Slot{}}}};
    after_removal(state, settings_of(2, 3));
    EXPECT_EQ(state.deadline, seconds(9));
    after_removal(state, settings_of(3, 3));
    EXPECT_EQ(state.deadline, std::nullopt);
    EXPECT_EQ(phase(state), "round 0");
}

TEST(RendezvousState, T14_RanksBySortedDescriptor) {
    State state;
    for (const auto& node : {Node{"b", 10, 0}, Node{"b", 9, 0}, Node{"a", 77, 1}, Node{"a", 77, 0}})
        state.participants[node] = Slot{};
    assign_ranks(state, SlotOrder::sorted);
    EXPECT_EQ(state.participants.at({"a", 77, 0}), Slot{0});
    EXPECT_EQ(state.participants.at({"a", 77, 1}), Slot{1});
    EXPECT_EQ(state.participants.at({"b", 9, 0}), Slot{2});
    EXPECT_EQ(state.participants.at({"b", 10, 0}), Slot{3});
    EXPECT_TRUE(state.seats.empty());
}

/// Completes a round of these, with what is known of the rounds before.
std::string stable_round(State& state, const std::vector<int>& numbers) {
    state.participants.clear();
    for (const int number : numbers) state.participants[n(number)] = Slot{};
    assign_ranks(state, SlotOrder::stable);
    return lists(state);
}

TEST(RendezvousState, StableRanksStayWithSurvivors) {
    State state;
    EXPECT_EQ(stable_round(state, {3, 5, 7, 9}), "n3=0 n5=1 n7=2 n9=3 | |");
    EXPECT_EQ(stable_round(state, {1, 3, 7, 9}), "n1=1 n3=0 n7=2 n9=3 | |");  // A newcomer in the hole.
    EXPECT_EQ(stable_round(state, {7, 9}), "n7=1 n9=0 | |");                  // From the highest rank down.
    EXPECT_EQ(stable_round(state, {1, 4, 7, 9}), "n1=2 n4=3 n7=1 n9=0 | |");  // n1 has been away: a newcomer.
    EXPECT_EQ(stable_round(state, {0, 4, 7}), "n0=0 n4=2 n7=1 | |");          // Newcomers first, then movers.
    EXPECT_EQ(stable_round(state, {4}), "n4=0 | |");
}

State big_state(int count) {
    State state{.round = Round{1}, .complete = true, .deadline = seconds(1'790'000'000), .closed = true};
    for (int i = 0; i < count; ++i) {
        const Node running{"dummy" + std::to_string(i) + ".dummy1-dummy1-dummy1-dummy1.com", 12345, i};
        const Node waiting{"dummy" + std::to_string(i) + ".dummy2-dummy2-dummy2-dummy2.com", 67890, i};
        state.participants[running] = Slot{static_cast<std::uint32_t>(i)};
        state.wait_list.insert(waiting);
        state.last_heartbeats[running] = state.last_heartbeats[waiting] = seconds(1'790'000'000 + i);
        state.seats[running] = Slot{static_cast<std::uint32_t>(i)};
    }
    return state;
}

TEST(RendezvousState, T05_EncodedItIsWithinTheSourcesLimits) {
    // The source counts base64: 4 bytes for 3.
    const std::pair<int, std::size_t> limits[] = {
        {5, 2U << 10}, {50, 16U << 10}, {500, 160U << 10}, {5000, 1600U << 10}};
    for (const auto& [count, limit] : limits) {
        const auto state = big_state(count);
        const auto bytes = encode(state);
        EXPECT_LE((bytes.size() + 2) / 3 * 4, limit) << count;
        EXPECT_EQ(decode_state(bytes), state);
        EXPECT_EQ(encode(*decode_state(bytes)), bytes);
    }
}

TEST(RendezvousState, T08_AByteThatIsAnotherIsNoState) {
    auto state = big_state(2);
    state.redundancy_list.insert(n(3));
    const auto good = encode(state);
    ASSERT_EQ(decode_state(good), state);
    for (std::size_t i = 0; i < good.size(); ++i) {
        auto bad = good;
        bad[i] ^= std::byte{0x10};
        EXPECT_EQ(decode_state(bad), std::nullopt) << "byte " << i;
        EXPECT_EQ(decode_state(std::span(good).first(i)), std::nullopt) << "cut at " << i;
    }
    auto longer = good;
    longer.push_back(std::byte{0});
    EXPECT_EQ(decode_state(longer), std::nullopt);
}

/// With a hash that is right.
Bytes sealed(Bytes contents) {
    Writer hash;
    hash.u64(hash_of(contents));
    for (const auto byte : hash.take()) contents.push_back(byte);
    return contents;
}

struct Line {
    std::string addr;
    std::uint64_t pid = 1;
    std::uint8_t bits = 1;
};

Bytes header(std::uint8_t bits, std::uint32_t count) {
    Writer out;
    out.u32(0x315a524d);
    out.u32(7);
    out.u8(bits);
    if (bits & 4) out.u64(1);
    out.u32(count);
    return out.take();
}

std::optional<State> read(std::uint8_t bits, const std::vector<Line>& lines, std::uint32_t rank = 0) {
    auto bytes = header(bits, static_cast<std::uint32_t>(lines.size()));
    for (const auto& line : lines) {
        Writer out;
        out.text(line.addr);
        out.u64(line.pid);
        out.u64(0);
        out.u8(line.bits);
        if (line.bits & 1) out.u32(rank);
        if (line.bits & 16) out.u32(rank);
        if (line.bits & 8) out.u64(1);
        const auto more = out.take();
        bytes.insert(bytes.end(), more.begin(), more.end());
    }
    return decode_state(sealed(std::move(bytes)));
}

TEST(RendezvousState, T08_NonsenseWithTheRightHashIsNoStateEither) {
    ASSERT_TRUE(read(0, {{"a"}, {"b", 1, 2 | 8}, {"c", 1, 4}, {"d", 1, 8}}).has_value());
    ASSERT_TRUE(read(1 | 2 | 4, {{"a"}}).has_value());
    EXPECT_FALSE(read(8, {{"a"}}).has_value()) << "an unknown flag";
    EXPECT_FALSE(read(0, {{"b"}, {"a"}}).has_value()) << "not in order";
    EXPECT_FALSE(read(0, {{"a"}, {"a"}}).has_value()) << "twice";
    EXPECT_FALSE(read(0, {{""}}).has_value()) << "no address";
    EXPECT_FALSE(read(0, {{"a", std::uint64_t{1} << 63U}}).has_value()) << "a negative pid";
    EXPECT_FALSE(read(0, {{"a", 1, 0}}).has_value()) << "nothing known of it";
    EXPECT_FALSE(read(0, {{"a", 1, 32}}).has_value()) << "an unknown mark";
    EXPECT_FALSE(read(0, {{"a", 1, 3}}).has_value()) << "on two lists";
    EXPECT_FALSE(read(0, {{"a", 1, 6}}).has_value()) << "on two lists";
    EXPECT_FALSE(read(0, {{"a"}}, 1).has_value()) << "a rank in an incomplete round";
    EXPECT_FALSE(read(1, {{"a"}, {"b"}}).has_value()) << "one rank twice";
    EXPECT_FALSE(read(1, {{"a", 1, 2}}).has_value()) << "complete without anybody";
    EXPECT_FALSE(read(0, {{"a", 1, 16}, {"b", 1, 16}}).has_value()) << "one seat twice";
    EXPECT_FALSE(decode_state(sealed(header(0, 1))).has_value()) << "fewer nodes than it says";
    EXPECT_FALSE(decode_state(sealed(header(0, 0xffffffff))).has_value()) << "an allocation bomb";
    auto other = header(0, 0);
    other[0] ^= std::byte{1};
    EXPECT_FALSE(decode_state(sealed(other)).has_value()) << "another magic";
    auto rest = header(0, 0);
    rest.push_back(std::byte{0});
    EXPECT_FALSE(decode_state(sealed(rest)).has_value()) << "more than it says";
}

TEST(RendezvousState, T08_AnyBytesAreReadWithoutHarm) {
    core::testing::Dice dice(7);
    const auto good = encode(big_state(3));
    const auto contents = Bytes(good.begin(), good.end() - 8);
    std::size_t read_well = 0;
    for (int i = 0; i < 100'000; ++i) {
        auto bytes = contents;
        for (std::uint32_t k = dice.below(4); k > 0; --k)
            bytes[dice.below(bytes.size())] = static_cast<std::byte>(dice.below(256));
        if (dice.one_in(3)) bytes.resize(dice.below(bytes.size()));
        const auto state = decode_state(sealed(bytes));
        if (!state) continue;
        ++read_well;
        EXPECT_EQ(decode_state(encode(*state)), state);
    }
    EXPECT_GT(read_well, 1000U);
}

}  // namespace
}  // namespace muster::core::rendezvous::testing
