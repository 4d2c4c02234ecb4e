// SPDX-License-Identifier: Apache-2.0
#include "bench/board.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <ctime>

namespace muster::bench {

void* map_board(const std::string& path, std::size_t size) {
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0) return nullptr;
    void* memory = MAP_FAILED;
    // A new file reads as zeros, and an atomic integer of zero bytes is a zero: no constructor has to run.
    if (::ftruncate(file, static_cast<off_t>(size)) == 0)
        memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    ::close(file);
    return memory == MAP_FAILED ? nullptr : memory;
}

std::int64_t now_ns() {
    timespec time{};
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

std::int64_t cpu_ns() {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    return (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1'000'000'000LL +
           (used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1'000LL;
}

void pause_us(int microseconds) { ::usleep(static_cast<useconds_t>(microseconds)); }

void die(Board& board, std::size_t death) {
    board.killed_at.at(death) = now_ns();
    ::raise(SIGKILL);
    ::_exit(1);  // not reached
}

}  // namespace muster::bench
