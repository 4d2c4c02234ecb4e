// SPDX-License-Identifier: Apache-2.0
/// The state's file, byte for byte: what is whole is read, and nothing else is.
#include "persist/state_image.hpp"

#include <gtest/gtest.h>

#include "persist/crc32c.hpp"
#include "support.hpp"

namespace muster::persist {
namespace {

using testing::bytes_of;
using testing::text_of;

std::string complaint(const Bytes& bytes) {
    const auto image = decode_state_image(bytes, "/d/f");
    const auto* failure = std::get_if<Failure>(&image);
    if (failure == nullptr) return "";
    EXPECT_EQ(failure->kind, Failure::corrupt_state);
    return failure->text;
}

TEST(Crc32c, AsInRfc3720) {
    EXPECT_EQ(crc32c(Bytes(32, std::byte{0})), 0x8a9136aau);
    EXPECT_EQ(crc32c(Bytes(32, std::byte{0xff})), 0x62a8ab43u);
    EXPECT_EQ(crc32c(bytes_of("123456789")), 0xe3069283u);
    EXPECT_EQ(crc32c({}), 0u);
}

TEST(StateImage, ComesBackAsItWas) {
    for (const std::string state : {"", "x", "some state"}) {
        const Bytes bytes = encode({Token{7}, 12, bytes_of(state)});
        EXPECT_EQ(bytes.size(), kStateHeaderSize + state.size());
        EXPECT_EQ(text_of(bytes).substr(0, 8), "MUSTERRS");
        const auto image = decode_state_image(bytes, "/d/f");
        ASSERT_TRUE(std::holds_alternative<StateImage>(image));
        EXPECT_EQ(std::get<StateImage>(image).token, Token{7});
        EXPECT_EQ(std::get<StateImage>(image).changes, 12u);
        EXPECT_EQ(text_of(std::get<StateImage>(image).state), state);
    }
}

TEST(StateImage, SaysWhatIsWrongAndWhere) {
    const Bytes whole = encode({Token{7}, 12, bytes_of("some state")});
    EXPECT_EQ(complaint({}), "the state file '/d/f' is not one of muster's");
    EXPECT_EQ(complaint(bytes_of(std::string(100, 'x'))), "the state file '/d/f' is not one of muster's");
    EXPECT_EQ(complaint(Bytes(whole.begin(), whole.begin() + 20)),
              "the state file '/d/f' is torn: 20 bytes are less than a header");
    EXPECT_EQ(complaint(Bytes(whole.begin(), whole.end() - 3)),
              "the state file '/d/f' is torn: it has 7 bytes of state where its header says 10");
    Bytes other = whole;
    other[8] = std::byte{2};
    EXPECT_EQ(complaint(other), "the state file '/d/f' is of format 2; this muster reads format 1");
    other = whole;
    other.back() ^= std::byte{1};
    EXPECT_EQ(complaint(other), "the state file '/d/f' is damaged: its checksum does not fit its contents");
}

TEST(StateImage, EveryTurnedBitAndEveryLengthIsSeen) {
    const Bytes whole = encode({Token{0x0123456789abcdef}, 12, bytes_of("some state")});
    for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
        Bytes turned = whole;
        turned[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
        EXPECT_NE(complaint(turned), "") << "bit " << bit;
    }
    for (std::size_t size = 0; size < whole.size(); ++size)
        EXPECT_NE(complaint(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size))), "") << size;
    Bytes longer = whole;
    longer.push_back(std::byte{0});
    EXPECT_NE(complaint(longer), "");
}

}  // namespace
}  // namespace muster::persist
