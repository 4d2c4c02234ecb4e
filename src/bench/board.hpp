// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A file in shared memory through which the processes of a benchmark on one machine tell each other what MPI cannot
/// tell any more: when a process is about to die, and what was measured.
/// Units: nanoseconds of CLOCK_MONOTONIC, which all processes of one machine share; 0: not (yet) written.
/// Thread safety: atomic fields; each has one writer at a time.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

namespace muster::bench {

inline constexpr std::size_t kDeathsMax = 64;

struct Board {
    std::array<std::atomic<std::int64_t>, kDeathsMax> killed_at{};           ///< By its victim, just before.
    std::array<std::atomic<std::int64_t>, kDeathsMax> promoted_at_work{};    ///< next() said rebuilt to the promoted.
    std::array<std::atomic<std::int64_t>, kDeathsMax> promoted_hand_over{};  ///< Its RoundReport::hand_over_ms, in ns.
    std::atomic<std::int64_t> parked_cpu{};                                  ///< CPU time of a parked standby ...
    std::atomic<std::int64_t> parked_window{};                               ///< ... in this time.
    std::atomic<std::int64_t> window_asked{};                                ///< 1: the director wants those two.
};
static_assert(std::atomic<std::int64_t>::is_always_lock_free);

/// The same for rounds that nobody dies for.
struct RoundBoard {
    std::atomic<std::int64_t> first_call{};   ///< Of those who ask for the round.
    std::atomic<std::int64_t> last_return{};  ///< next() said rebuilt, on all engines.
    std::atomic<std::int64_t> unpark{};       ///< 1: the member that is parked shall ask to be taken back.
};

/// Maps `size` bytes of `path`, which is created and zero where it is not there. nullptr: the reason is in errno.
[[nodiscard]] void* map_board(const std::string& path, std::size_t size);

/// T is a board; all its bits are zero at first.
template <class T>
[[nodiscard]] T* open_board(const std::string& path) {
    return static_cast<T*>(map_board(path, sizeof(T)));
}

/// CLOCK_MONOTONIC in nanoseconds.
[[nodiscard]] std::int64_t now_ns();

/// In microseconds.
[[nodiscard]] inline double us(std::int64_t ns) { return static_cast<double>(ns) / 1e3; }

/// CPU time of this process (user and system), nanoseconds.
[[nodiscard]] std::int64_t cpu_ns();

/// Sleeps in the kernel.
void pause_us(int microseconds);

/// Notes the time as killed_at[death], then dies as if by `kill -9`.
[[noreturn]] void die(Board& board, std::size_t death);

}  // namespace muster::bench
