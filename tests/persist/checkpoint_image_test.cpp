// SPDX-License-Identifier: Apache-2.0
/// A part's file, byte for byte: what is whole is read, nothing else is, and damage has a place.
#include "persist/checkpoint_image.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "checkpoint_support.hpp"

namespace muster::persist {
namespace {

using testing::head_of;
using testing::sealed;
using testing::text_of;

constexpr std::size_t kBegin = kCheckpointHeadSize + 3;  // Behind the name "job".

CheckpointFault fault_of(const Bytes& file) {
    const auto read = read_checkpoint(file);
    const auto* fault = std::get_if<CheckpointFault>(&read);
    return fault != nullptr ? *fault : CheckpointFault{~0ULL, ""};
}

std::string long_text(std::size_t size) {
    std::string text(size, '.');
    for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i % 23);
    return text;
}

TEST(CheckpointImage, ComesBackAsItWas) {
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kCheckpointPiece - 1, kCheckpointPiece,
                                   kCheckpointPiece + 1, 2 * kCheckpointPiece + 5}) {
        auto head = head_of(7, 1);
        head.size = size;
        const auto file = sealed(head, long_text(size));
        EXPECT_EQ(file.size(), checkpoint_file_size(head));
        EXPECT_EQ(text_of(file).substr(0, 8), "MUSTERCK");
        const auto read = read_checkpoint(file);
        ASSERT_TRUE(std::holds_alternative<CheckpointPart>(read)) << size << fault_of(file).text;
        EXPECT_EQ(std::get<CheckpointPart>(read).head, head);
        EXPECT_EQ(text_of(std::get<CheckpointPart>(read).bytes), long_text(size));
    }
}

TEST(CheckpointImage, EveryTurnedBitAndEveryLengthIsSeen) {
    const auto whole = sealed(head_of(7, 1), "some state");
    for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
        Bytes turned = whole;
        turned[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
        EXPECT_NE(fault_of(turned).text, "") << "bit " << bit;
    }
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const auto fault = fault_of(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
        EXPECT_NE(fault.text, "") << size;
        EXPECT_EQ(fault.offset, size) << "where it ends";
    }
    Bytes longer = whole;
    longer.push_back(std::byte{0});
    EXPECT_EQ(fault_of(longer).offset, whole.size());
}

TEST(CheckpointImage, DamageIsNamedByItsPiece) {
    const auto whole = sealed(head_of(7, 1), long_text(2 * kCheckpointPiece + 5));
    constexpr std::size_t kSecond = kBegin + kCheckpointPiece + 4;
    Bytes damaged = whole;
    damaged[kSecond + 17] ^= std::byte{1};
    EXPECT_EQ(fault_of(damaged).offset, kSecond);
    Bytes zeros = whole;
    std::fill_n(zeros.begin() + kSecond, kCheckpointPiece + 4, std::byte{0});
    EXPECT_EQ(fault_of(zeros).offset, kSecond);
}

TEST(CheckpointImage, APieceFitsOnlyWhereItWasWritten) {
    const auto whole = sealed(head_of(7, 1), long_text(3 * kCheckpointPiece));
    constexpr std::ptrdiff_t kFirst = kBegin, kPieceAndSum = kCheckpointPiece + 4;
    Bytes swapped = whole;
    std::swap_ranges(swapped.begin() + kFirst, swapped.begin() + kFirst + kPieceAndSum,
                     swapped.begin() + kFirst + kPieceAndSum);
    EXPECT_EQ(fault_of(swapped).offset, kBegin);
    const auto older = sealed(head_of(6, 1), long_text(3 * kCheckpointPiece));
    Bytes mixed = whole;
    std::copy_n(older.begin() + kFirst, kPieceAndSum, mixed.begin() + kFirst);
    EXPECT_EQ(fault_of(mixed).offset, kBegin) << "a sector's old contents";
}

TEST(CheckpointImage, SaysWhatIsWrong) {
    const auto whole = sealed(head_of(7, 1), "some state");
    EXPECT_EQ(fault_of(testing::bytes_of(std::string(100, 'x'))).text, "it is not one of muster's checkpoints");
    Bytes other = whole;
    other[8] = std::byte{2};
    EXPECT_EQ(fault_of(other).text, "it is of format 2, this muster reads format 1");
    EXPECT_EQ(fault_of(Bytes(whole.begin(), whole.end() - 1)).text,
              "it ends there and should have " + std::to_string(whole.size()) + " bytes");
}

}  // namespace
}  // namespace muster::persist
