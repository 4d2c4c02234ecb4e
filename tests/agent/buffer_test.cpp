// SPDX-License-Identifier: Apache-2.0
#include "muster/buffer.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace muster {
namespace {

namespace fs = std::filesystem;
using Kind = Buffer::Kind;

constexpr std::size_t kMiB = 1 << 20;

/// Pages of the buffer that are in memory.
std::size_t resident_pages(Buffer& buffer) {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    const auto bytes = buffer.bytes();
    std::vector<unsigned char> pages((bytes.size() + page - 1) / page);
    EXPECT_EQ(::mincore(bytes.data(), bytes.size(), pages.data()), 0) << std::strerror(errno);
    return static_cast<std::size_t>(std::count_if(pages.begin(), pages.end(), [](auto one) { return (one & 1) != 0; }));
}

/// Bytes of this process in memory.
std::size_t resident_set() {
    std::size_t total = 0, resident = 0;
    std::ifstream("/proc/self/statm") >> total >> resident;
    return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

/// A different value on each byte of a page and on each page, the last bytes included.
std::byte value_at(std::size_t i) { return static_cast<std::byte>((i * 2654435761U) >> 13 | 1); }

void fill(Buffer& buffer) {
    const auto bytes = buffer.bytes();
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = value_at(i);
}

/// The first index whose byte is not what fill() wrote; the size where all are.
std::size_t first_difference(Buffer& buffer) {
    const auto bytes = buffer.bytes();
    std::size_t i = 0;
    while (i < bytes.size() && bytes[i] == value_at(i)) ++i;
    return i;
}

/// An empty folder of this test.
class Folder {
public:
    Folder() {
        std::string name = "/tmp/muster-buffer-test-XXXXXX";
        path_ = ::mkdtemp(name.data());
    }
    ~Folder() { fs::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    [[nodiscard]] const std::string& path() const { return path_; }

private:
    std::string path_;
};

std::size_t open_files() {
    const fs::directory_iterator all("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

TEST(Buffer, IsZeroAtFirstAndOfTheSizeAskedFor) {
    auto buffer = Buffer::allocate(5000, Kind::discard);
    ASSERT_TRUE(buffer);
    EXPECT_EQ(buffer->bytes().size(), 5000u);
    EXPECT_FALSE(buffer->released());
    EXPECT_TRUE(std::all_of(buffer->bytes().begin(), buffer->bytes().end(), [](auto b) { return b == std::byte{0}; }));
}

TEST(Buffer, KeptContentsComeBackAtTheSameAddressAndTheMemoryWasGoneMeanwhile) {
    const Folder folder;
    constexpr std::size_t kSize = 32 * kMiB + 123;  // The last page is not full.
    auto buffer = Buffer::allocate(kSize, Kind::keep, folder.path());
    ASSERT_TRUE(buffer);
    fill(*buffer);
    auto* const address = buffer->bytes().data();
    const auto pages = resident_pages(*buffer), before = resident_set(), files = open_files();
    EXPECT_GE(pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)), kSize);

    ASSERT_TRUE(buffer->release());
    EXPECT_TRUE(buffer->released());
    EXPECT_EQ(resident_pages(*buffer), 0u);
    EXPECT_LE(resident_set() + 30 * kMiB, before);
    EXPECT_TRUE(fs::is_empty(folder.path())) << "the file has a name";

    ASSERT_TRUE(buffer->restore());
    EXPECT_FALSE(buffer->released());
    EXPECT_EQ(buffer->bytes().data(), address);
    EXPECT_EQ(buffer->bytes().size(), kSize);
    EXPECT_EQ(first_difference(*buffer), kSize);
    EXPECT_EQ(resident_pages(*buffer), pages);
    EXPECT_EQ(open_files(), files) << "a file is left open";
}

TEST(Buffer, DiscardedContentsAreZerosAtTheSameAddress) {
    auto buffer = Buffer::allocate(4 * kMiB, Kind::discard);
    ASSERT_TRUE(buffer);
    fill(*buffer);
    auto* const address = buffer->bytes().data();
    ASSERT_TRUE(buffer->release());
    EXPECT_EQ(resident_pages(*buffer), 0u);
    ASSERT_TRUE(buffer->restore());
    EXPECT_EQ(buffer->bytes().data(), address);
    EXPECT_TRUE(std::all_of(buffer->bytes().begin(), buffer->bytes().end(), [](auto b) { return b == std::byte{0}; }));
    buffer->bytes().back() = std::byte{1};  // It is ours again.
}

TEST(Buffer, RepeatsDoNothing) {
    auto buffer = Buffer::allocate(kMiB, Kind::keep);
    ASSERT_TRUE(buffer);
    fill(*buffer);
    ASSERT_TRUE(buffer->restore());
    EXPECT_EQ(first_difference(*buffer), kMiB);
    ASSERT_TRUE(buffer->release());
    ASSERT_TRUE(buffer->release());
    ASSERT_TRUE(buffer->restore());
    ASSERT_TRUE(buffer->restore());
    EXPECT_EQ(first_difference(*buffer), kMiB);
}

TEST(Buffer, ManyCyclesKeepWhatWasWrittenLast) {
    auto buffer = Buffer::allocate(64 * 1024, Kind::keep);
    ASSERT_TRUE(buffer);
    for (unsigned cycle = 0; cycle < 20; ++cycle) {
        std::fill(buffer->bytes().begin(), buffer->bytes().end(), static_cast<std::byte>(cycle));
        ASSERT_TRUE(buffer->release());
        ASSERT_TRUE(buffer->restore());
        ASSERT_EQ(buffer->bytes().front(), static_cast<std::byte>(cycle));
        ASSERT_EQ(buffer->bytes().back(), static_cast<std::byte>(cycle));
    }
}

/// While it lives, no file of this process can grow beyond `bytes`: a write fails, as on a full disk.
class FileSizeLimit {
public:
    explicit FileSizeLimit(rlim_t bytes) {
        ::getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit limit{bytes, before_.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    ~FileSizeLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;

private:
    rlimit before_{};
};

TEST(Buffer, WithoutRoomForTheContentsNothingIsReleased) {
    const Folder folder;
    auto buffer = Buffer::allocate(4 * kMiB, Kind::keep, folder.path());
    ASSERT_TRUE(buffer);
    fill(*buffer);
    const auto pages = resident_pages(*buffer), files = open_files();
    {
        const FileSizeLimit full(kMiB);
        const auto refused = buffer->release();
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().fault, Fault::internal);
        EXPECT_NE(refused.error().text.find(folder.path()), std::string::npos) << refused.error().text;
        EXPECT_NE(refused.error().text.find(std::strerror(EFBIG)), std::string::npos) << refused.error().text;
    }
    ASSERT_FALSE(buffer->released());
    EXPECT_EQ(resident_pages(*buffer), pages);
    EXPECT_EQ(first_difference(*buffer), 4 * kMiB);
    EXPECT_EQ(open_files(), files);
    EXPECT_TRUE(fs::is_empty(folder.path()));
    ASSERT_TRUE(buffer->release()) << "there is room again";
    ASSERT_TRUE(buffer->restore());
    EXPECT_EQ(first_difference(*buffer), 4 * kMiB);
}

TEST(Buffer, LockedMemoryIsNotReleased) {
    auto buffer = Buffer::allocate(16 * 1024, Kind::keep);
    ASSERT_TRUE(buffer);
    fill(*buffer);
    // Not ::mlock: under a sanitizer that does nothing.
    if (::syscall(SYS_mlock, buffer->bytes().data(), buffer->bytes().size()) != 0)
        GTEST_SKIP() << "no memory may be locked here";
    EXPECT_FALSE(buffer->release());
    ASSERT_FALSE(buffer->released());
    EXPECT_EQ(first_difference(*buffer), 16u * 1024);
}

TEST(Buffer, ContentsThatCannotBeReadBackAreAnError) {
    const auto first_new_file = ::dup(STDIN_FILENO);
    ::close(first_new_file);  // The lowest free descriptor is the file's.
    auto buffer = Buffer::allocate(kMiB, Kind::keep);
    ASSERT_TRUE(buffer);
    fill(*buffer);
    ASSERT_TRUE(buffer->release());
    ASSERT_EQ(::ftruncate(first_new_file, kMiB / 2), 0);
    const auto lost = buffer->restore();
    ASSERT_FALSE(lost);
    EXPECT_EQ(lost.error().fault, Fault::state_lost);
    EXPECT_TRUE(buffer->released());
    EXPECT_EQ(resident_pages(*buffer), 0u);
}

TEST(Buffer, WhatCannotWorkIsSaidWhenItIsAllocated) {
    const auto nowhere = Buffer::allocate(kMiB, Kind::keep, "/nowhere/at/all");
    ASSERT_FALSE(nowhere);
    EXPECT_NE(nowhere.error().text.find("/nowhere/at/all"), std::string::npos);
    EXPECT_TRUE(Buffer::allocate(kMiB, Kind::discard, "/nowhere/at/all")) << "it needs no directory";
    EXPECT_FALSE(Buffer::allocate(0, Kind::discard));
    EXPECT_FALSE(Buffer::allocate(SIZE_MAX, Kind::discard));
    EXPECT_FALSE(Buffer::allocate(SIZE_MAX / 2, Kind::discard));
}

TEST(Buffer, TheDirectoryIsTmpdirWhereNoneIsGiven) {
    const char* before = std::getenv("TMPDIR");
    const std::string kept = before != nullptr ? before : "";
    ::setenv("TMPDIR", "/nowhere/at/all", 1);
    EXPECT_FALSE(Buffer::allocate(kMiB, Kind::keep));
    ::unsetenv("TMPDIR");
    EXPECT_TRUE(Buffer::allocate(kMiB, Kind::keep));
    if (before != nullptr) ::setenv("TMPDIR", kept.c_str(), 1);
}

TEST(Buffer, MovesWithItsContentsAlsoWhileReleased) {
    auto made = Buffer::allocate(kMiB, Kind::keep);
    ASSERT_TRUE(made);
    fill(*made);
    auto* const address = made->bytes().data();
    ASSERT_TRUE(made->release());
    Buffer moved = std::move(*made);
    ASSERT_TRUE(moved.restore());
    EXPECT_EQ(moved.bytes().data(), address);
    EXPECT_EQ(first_difference(moved), kMiB);
}

TEST(BufferDeathTest, TouchingReleasedMemoryEndsTheProcess) {
    auto buffer = Buffer::allocate(kMiB, Kind::discard);
    ASSERT_TRUE(buffer);
    ASSERT_TRUE(buffer->release());
    // Another end than a return: under a sanitizer the signal is a report and an exit code.
    EXPECT_DEATH(buffer->bytes().front() = std::byte{1}, "");
}

}  // namespace
}  // namespace muster
