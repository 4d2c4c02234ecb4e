// SPDX-License-Identifier: Apache-2.0
/// Processes that change one state at the same time, and are killed while they do: no change is lost, none is made
/// twice, and whoever reads finds a whole state.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstring>
#include <new>
#include <random>
#include <thread>

#include "support.hpp"

namespace muster::persist {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kWritersMax = 8;

/// What is stored: how often each writer has changed it, and many bytes that depend on it.
struct Count {
    std::array<std::uint64_t, kWritersMax> by{};
    [[nodiscard]] std::uint64_t total() const {
        std::uint64_t sum = 0;
        for (const auto one : by) sum += one;
        return sum;
    }
};
Bytes bytes_of(const Count& count) {
    Bytes bytes(sizeof count.by + 20'000, static_cast<std::byte>(count.total() & 0xff));
    std::memcpy(bytes.data(), count.by.data(), sizeof count.by);
    return bytes;
}
Count count_of(const Bytes& bytes) {
    Count count;
    std::memcpy(count.by.data(), bytes.data(), sizeof count.by);
    return count;
}

/// What writers tell the test, in memory that a SIGKILL leaves in place.
struct Shared {
    std::array<std::atomic<std::uint64_t>, kWritersMax> accepted;
    std::atomic<std::uint64_t> failures;
    std::atomic<bool> stop;
};

class Hammer : public testing::Directory {
protected:
    Hammer() {
        void* memory = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        shared = new (memory) Shared{};
        FileBackend(settings()).set(bytes_of(Count{}), std::nullopt).index();
    }
    ~Hammer() override { ::munmap(shared, sizeof(Shared)); }

    /// A process that adds to its own count until it is told to stop, or has done so `times` times.
    pid_t writer(std::size_t who, std::uint64_t times) {
        const pid_t child = ::fork();
        if (child != 0) return child;
        FileBackend backend(settings());
        auto got = backend.get();
        for (std::uint64_t done = 0; done < times && !shared->stop;) {
            const auto* stored = std::get_if<std::optional<Stored>>(&got);
            if (stored == nullptr || !*stored) ::_exit(static_cast<int>(++shared->failures));
            Count count = count_of((*stored)->state);
            ++count.by[who];
            const auto set = backend.set(bytes_of(count), (*stored)->token);
            const auto* written = std::get_if<std::optional<Written>>(&set);
            if (written == nullptr || !*written) ::_exit(static_cast<int>(++shared->failures));
            if ((*written)->accepted) ++shared->accepted[who], ++done;
            got = Stored{(*written)->state, (*written)->token};
        }
        ::_exit(0);
    }
    /// The state as it is now, whole and of one piece.
    Count whole() {
        const auto got = FileBackend(settings()).get();
        if (!std::holds_alternative<std::optional<Stored>>(got)) ADD_FAILURE() << testing::words(got);
        if (!std::holds_alternative<std::optional<Stored>>(got)) return {};
        const Bytes& bytes = std::get<std::optional<Stored>>(got)->state;
        const Count count = count_of(bytes);
        EXPECT_EQ(bytes, bytes_of(count));
        return count;
    }
    std::uint64_t changes() {
        const std::string file = content(state_path());
        const auto image = decode_state_image(testing::bytes_of(file), state_path());
        return std::get<StateImage>(image).changes;
    }
    void nothing_is_lost(std::size_t writers, std::uint64_t times) {
        std::vector<pid_t> children;
        for (std::size_t who = 0; who < writers; ++who) children.push_back(writer(who, times));
        for (const pid_t child : children) ::waitpid(child, nullptr, 0);
        EXPECT_EQ(shared->failures, 0u);
        const Count count = whole();
        for (std::size_t who = 0; who < writers; ++who) EXPECT_EQ(count.by[who], times) << "writer " << who;
        EXPECT_EQ(changes(), writers * times + 1);
        EXPECT_EQ(files(), (std::set<std::string>{"muster-job.state", "muster-job.lock"}));
    }
    Shared* shared = nullptr;
};

TEST_F(Hammer, TwoProcessesLoseNothing) { nothing_is_lost(2, 150); }

TEST_F(Hammer, EightProcessesLoseNothing) { nothing_is_lost(8, 40); }

TEST_F(Hammer, KilledAtAnyMomentTheyLeaveAWholeState) {
    std::mt19937_64 dice(std::random_device{}());
    std::array<pid_t, kWritersMax> children{};
    std::array<std::uint64_t, kWritersMax> killed{};
    for (std::size_t who = 0; who < kWritersMax; ++who) children[who] = writer(who, ~0ULL);
    Count before;
    for (int kill = 0; (kill < 300 || before.total() < 300) && !HasFailure(); ++kill) {
        std::this_thread::sleep_for(std::chrono::microseconds(dice() % 15'000));
        const std::size_t who = dice() % kWritersMax;
        ::kill(children[who], SIGKILL);
        ::waitpid(children[who], nullptr, 0);
        ++killed[who];
        const Count now = whole();
        for (std::size_t other = 0; other < kWritersMax; ++other) EXPECT_GE(now.by[other], before.by[other]);
        before = now;
        children[who] = writer(who, ~0ULL);
    }
    shared->stop = true;
    for (const pid_t child : children) ::waitpid(child, nullptr, 0);
    EXPECT_EQ(shared->failures, 0u) << "writers that were refused or found no whole state";
    const Count count = whole();
    EXPECT_EQ(changes(), count.total() + 1);
    for (std::size_t who = 0; who < kWritersMax; ++who) {  // A killed one may not have lived to count its last one.
        EXPECT_GE(count.by[who], shared->accepted[who]);
        EXPECT_LE(count.by[who], shared->accepted[who] + killed[who]);
    }
    FileBackend last(settings());
    EXPECT_EQ(std::get<std::optional<Written>>(last.set({}, testing::token_of(last.get())))->accepted, true);
    EXPECT_EQ(files(), (std::set<std::string>{"muster-job.state", "muster-job.lock"})) << "leftovers are swept";
}

}  // namespace
}  // namespace muster::persist
