// SPDX-License-Identifier: Apache-2.0
/// The writing thread: a disk that is full, slow, or stands still, and a death in the middle.
#include "persist/checkpoint_writer.hpp"

#include <dlfcn.h>
#include <sys/resource.h>

#include <atomic>
#include <csignal>
#include <future>
#include <mutex>

#include "checkpoint_support.hpp"

/// What the next fsync() does. The definition here stands before libc's.
enum class Disk { works, stands_still, kills };
static std::atomic<Disk> disk{Disk::works};
static std::promise<void>*reached, *released;

extern "C" int fsync(int file) {
    if (disk == Disk::kills) (void)::raise(SIGKILL);
    if (disk.exchange(Disk::works) == Disk::stands_still) {
        reached->set_value();
        released->get_future().wait();
    }
    return reinterpret_cast<int (*)(int)>(::dlsym(RTLD_NEXT, "fsync"))(file);
}

namespace muster::persist {
namespace {

using std::chrono::milliseconds;
using testing::bytes_of;
using testing::head_of;
using testing::in_child;
using testing::text_of_part;

constexpr milliseconds kLong{20'000};

class CheckpointWriterTest : public testing::CheckpointTest {
protected:
    /// Lines come from two threads.
    Say say() {
        return [this](const std::string& line) {
            const std::lock_guard lock(mutex_);
            said += line + "\n";
        };
    }
    [[nodiscard]] std::string said_so_far() {
        const std::lock_guard lock(mutex_);
        return said;
    }
    static void put(CheckpointWriter& writer, std::uint64_t step, std::uint32_t slot, std::size_t padding = 0) {
        const auto head = head_of(step, slot);
        writer.put(head, lay_out(head, bytes_of(text_of_part(step, slot) + std::string(padding, '.'))));
    }
    /// fsync() of the next part stands still until released.set_value().
    void stand_still() {
        ::reached = &reached, ::released = &released;
        disk = Disk::stands_still;
    }
    std::promise<void> reached, released;
    std::string said;

private:
    std::mutex mutex_;
};

TEST_F(CheckpointWriterTest, WhatWasPutIsThereAndTheOldGoes) {
    CheckpointWriter zero(directory(), 1, say(), kLong), one(directory(), 1, say(), kLong);
    for (const std::uint64_t step : {1, 2, 3}) {
        put(one, step, 1);
        ASSERT_TRUE(one.wait_idle(kLong));
        put(zero, step, 0);
        ASSERT_TRUE(zero.wait_idle(kLong));
    }
    EXPECT_EQ(newest(), "3: part 0 of 3 part 1 of 3");
    EXPECT_EQ(steps_there(), (std::vector<std::uint64_t>{3, 3}));
    EXPECT_EQ(said_so_far(), "");
}

TEST_F(CheckpointWriterTest, ItsEndWritesWhatWaits) {
    save(1, 1);
    { put(*std::make_unique<CheckpointWriter>(directory(), 1, say(), kLong), 1, 0); }
    EXPECT_EQ(newest(), "1: part 0 of 1 part 1 of 1");
}

TEST_F(CheckpointWriterTest, ANewerOneTakesTheWaitingOnesPlace) {
    CheckpointWriter writer(directory(), 2, say(), kLong);
    stand_still();
    put(writer, 1, 1);
    reached.get_future().wait();
    put(writer, 2, 1);
    EXPECT_FALSE(writer.wait_idle(milliseconds(1)));
    EXPECT_EQ(said_so_far(), "");
    put(writer, 3, 1);
    EXPECT_EQ(said_so_far().rfind("the part of slot 1 of step 2 gives way to a newer one", 0), 0u) << said_so_far();
    released.set_value();
    ASSERT_TRUE(writer.wait_idle(kLong));
    EXPECT_EQ(steps_there(), (std::vector<std::uint64_t>{1, 3}));
    EXPECT_FALSE(writer.take_failure());
}

TEST_F(CheckpointWriterTest, ADiskThatStandsStillDoesNotHoldTheProgram) {
    stand_still();
    {
        CheckpointWriter writer(directory(), 2, say(), milliseconds(20));
        put(writer, 1, 1);
        reached.get_future().wait();
    }
    EXPECT_EQ(said_so_far().rfind("a part is still being written after 20 ms", 0), 0u) << said_so_far();
    released.set_value();
    for (int i = 0; i < 2'000 && !files().contains(std::filesystem::path(path_of(1, 1)).filename()); ++i)
        std::this_thread::sleep_for(milliseconds(5));  // Nothing tells of a thread that was left behind but its file.
    EXPECT_EQ(steps_there(), (std::vector<std::uint64_t>{1}));
}

TEST_F(CheckpointWriterTest, AFullDiskIsToldAndHarmsNothing) {
    save_all(1);
    const auto told = in_child([&]() -> std::string {
        ::signal(SIGXFSZ, SIG_IGN);
        rlimit limit{4'096, RLIM_INFINITY};
        ::setrlimit(RLIMIT_FSIZE, &limit);
        CheckpointWriter writer(directory(), 2, say(), kLong);
        put(writer, 2, 0, 100'000);
        if (!writer.wait_idle(kLong)) return "not idle";
        const auto failure = writer.take_failure();
        if (!failure || said_so_far() != failure->text + "\n" || writer.take_failure()) return "told otherwise";
        std::string all = failure->text.substr(0, failure->text.find(".new.")) + "\n" +
                          failure->text.substr(failure->text.rfind(':')) + "\n" + newest() + "\n" +
                          std::to_string(files().size()) + "\n";
        limit.rlim_cur = RLIM_INFINITY;
        ::setrlimit(RLIMIT_FSIZE, &limit);
        put(writer, 2, 0);
        return all + (writer.wait_idle(kLong) && !writer.take_failure() ? "goes on" : "does not go on");
    });
    EXPECT_EQ(told, "the part of slot 0 of step 2 is not saved: cannot write '" + path_of(2, 0) +
                        "\n: File too large\n1: part 0 of 1 part 1 of 1\n2\ngoes on");
}

TEST_F(CheckpointWriterTest, KilledWhileWritingItLeavesTheSideFileOnly) {
    save_all(1);
    EXPECT_EQ(in_child([&]() -> std::string {
                  disk = Disk::kills;
                  CheckpointWriter writer(directory(), 2, say(), kLong);
                  put(writer, 2, 0);
                  return writer.wait_idle(kLong) ? "lived" : "hung";
              }),
              "died");
    EXPECT_EQ(steps_there(), (std::vector<std::uint64_t>{1, 1, 2}));
    EXPECT_FALSE(std::filesystem::exists(path_of(2, 0))) << "it must lie beside";
    EXPECT_EQ(newest(), "1: part 0 of 1 part 1 of 1");
    EXPECT_TRUE(lines.empty()) << "what lies beside is no part";
    save_all(3);
    directory().prune({3}, 2);
    EXPECT_EQ(steps_there(), (std::vector<std::uint64_t>{1, 1, 3, 3}));
}

}  // namespace
}  // namespace muster::persist
