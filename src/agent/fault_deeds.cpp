// SPDX-License-Identifier: Apache-2.0
#include "agent/fault_deeds.hpp"

#include <csignal>
#include <ctime>

namespace muster::agent {

// The kernel's timer goes on while all threads of the process stand, and its signal sets them going again: no helper
// process is needed that might outlive the job or hold a dead member's sockets open.
bool stop_this_process(std::uint64_t for_us) {
    if (for_us == 0) return std::raise(SIGSTOP) == 0;
    sigevent what{};
    what.sigev_notify = SIGEV_SIGNAL;
    what.sigev_signo = SIGCONT;
    timer_t timer{};
    if (timer_create(CLOCK_MONOTONIC, &what, &timer) != 0) return false;
    constexpr std::uint64_t kSecond = 1'000'000;
    itimerspec when{};
    when.it_value.tv_sec = static_cast<time_t>(for_us / kSecond);
    when.it_value.tv_nsec = static_cast<long>(for_us % kSecond * 1000);
    when.it_interval.tv_nsec = 100'000'000;  // Again, should this thread be kept from its SIGSTOP for longer than that.
    timer_settime(timer, 0, &when, nullptr);
    std::raise(SIGSTOP);
    timer_delete(timer);
    return true;
}

void end_this_process(core::FaultKind kind) {
    std::raise(kind == core::FaultKind::segv ? SIGSEGV : kind == core::FaultKind::abort ? SIGABRT : SIGKILL);
}

}  // namespace muster::agent
