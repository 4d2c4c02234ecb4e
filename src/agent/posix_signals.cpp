// SPDX-License-Identifier: Apache-2.0
#include "agent/posix_signals.hpp"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>
#include <utility>

namespace muster::agent {
namespace {

struct Named {
    const char* name;
    int number;
};
// Those that people and batch systems send on purpose. Not the faults, which belong to debuggers and sanitizers; not
// PIPE, CHLD and ALRM, which MPI and programs live on; KILL and STOP cannot be taken.
constexpr std::array kKnown{Named{"HUP", SIGHUP},   Named{"INT", SIGINT},   Named{"QUIT", SIGQUIT},
                            Named{"USR1", SIGUSR1}, Named{"USR2", SIGUSR2}, Named{"TERM", SIGTERM},
                            Named{"XCPU", SIGXCPU}};
constexpr int kNumberMax = 64;

// What the handler touches: atomics that are there from start to end, since a handler may run at any time.
std::array<std::atomic<core::Wanted>, kNumberMax + 1> wanted_of{};
std::atomic<std::uint64_t> taken_over{0};  ///< Bit n - 1: signal n is ours.
std::atomic<std::uint64_t> arrived{0};     ///< Bit n - 1: signal n has come.
std::atomic<const Bell*> bell_to_ring{nullptr};
std::atomic<int> handlers_inside{0};
std::atomic<pid_t> owner{0};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free && std::atomic<const Bell*>::is_always_lock_free &&
              std::atomic<core::Wanted>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

constexpr std::uint64_t bit_of(int number) { return std::uint64_t{1} << (number - 1); }

extern "C" void note_posix_signal(int number) {
    const int error = errno;
    if (::getpid() != owner.load()) {
        // A forked child: the bell is the parent's. It takes the signal, as it would have, when this handler returns.
        std::signal(number, SIG_DFL);
        ::raise(number);
    } else {
        ++handlers_inside;
        if (const Bell* bell = bell_to_ring.load()) {
            arrived |= bit_of(number);
            bell->wake();
        }
        --handlers_inside;
    }
    errno = error;
}

bool same_ignoring_case(std::string_view left, std::string_view right) {
    const auto upper = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; };
    return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                      [&](char a, char b) { return upper(a) == upper(b); });
}

std::optional<int> number_from(std::string_view name) {
    constexpr std::string_view kPrefix = "SIG";
    if (same_ignoring_case(name.substr(0, kPrefix.size()), kPrefix)) name.remove_prefix(kPrefix.size());
    for (const auto& known : kKnown)
        if (same_ignoring_case(name, known.name)) return known.number;
    return std::nullopt;
}

std::optional<core::Wanted> wanted_from(std::string_view name) {
    // Who sends a signal means the result: suspend and stop pause first where they must.
    constexpr std::pair<const char*, core::Wanted> kMeanings[] = {
        {"pause", core::Wanted::pause},   {"unpause", core::Wanted::unpause}, {"suspend", core::Wanted::suspended},
        {"resume", core::Wanted::resume}, {"stop", core::Wanted::stopped},    {"start", core::Wanted::start}};
    for (const auto& [word, wanted] : kMeanings)
        if (same_ignoring_case(name, word)) return wanted;
    return std::nullopt;
}

Error nonsense(std::string_view part, const std::string& why) {
    return {Fault::bad_setup, "posix_signals: '" + std::string(part) + "': " + why};
}

Result<PosixSignal> parse_part(std::string_view part) {
    const auto equals = part.find('=');
    if (equals == std::string_view::npos)
        return nonsense(part, "write SIGNAL=what, for example TERM=stop, or off for none");
    const auto number = number_from(part.substr(0, equals));
    if (!number) return nonsense(part, "the signal may be HUP, INT, QUIT, USR1, USR2, TERM or XCPU");
    const auto wanted = wanted_from(part.substr(equals + 1));
    if (!wanted) return nonsense(part, "a signal may stand for pause, unpause, suspend, resume, stop or start");
    return PosixSignal{*number, *wanted};
}

/// Empty, or why this signal was left alone.
std::string take_over(int number) {
    struct sigaction now {};
    if (::sigaction(number, nullptr, &now) != 0) return std::strerror(errno);
    const bool has_handler =
        (now.sa_flags & SA_SIGINFO) != 0 || (now.sa_handler != SIG_DFL && now.sa_handler != SIG_IGN);
    if (has_handler) return "the program handles it itself";
    if (now.sa_handler == SIG_IGN) return "it is ignored in this process";
    struct sigaction ours {};
    ours.sa_handler = note_posix_signal;
    ours.sa_flags = SA_RESTART;  // The program's system calls shall not fail because muster listens.
    sigemptyset(&ours.sa_mask);
    return ::sigaction(number, &ours, nullptr) == 0 ? "" : std::strerror(errno);
}

}  // namespace

Result<PosixSignals> parse_posix_signals(std::string_view text) {
    PosixSignals signals;
    if (text.empty() || text == "off") return signals;
    for (;;) {
        const auto comma = text.find(',');
        const auto part = text.substr(0, comma);
        const auto parsed = parse_part(part);
        if (!parsed) return parsed.error();
        const auto same = [&](const PosixSignal& other) { return other.number == parsed->number; };
        if (std::any_of(signals.begin(), signals.end(), same)) return nonsense(part, "this signal is named twice");
        signals.push_back(*parsed);
        if (comma == std::string_view::npos) return signals;
        text.remove_prefix(comma + 1);
    }
}

std::vector<std::string> install_posix_signals(const PosixSignals& signals, const Bell& bell) {
    std::vector<std::string> notes;
    uninstall_posix_signals();
    arrived = 0;
    owner = ::getpid();
    bell_to_ring = &bell;
    for (const auto& [number, wanted] : signals) {
        wanted_of.at(static_cast<std::size_t>(number)) = wanted;
        if (const auto why = take_over(number); why.empty())
            taken_over |= bit_of(number);
        else
            notes.push_back(name_of_posix_signal(number) + " is no signal to the job: " + why);
    }
    return notes;
}

PosixSignals take_posix_signals() {
    PosixSignals signals;
    const auto bits = arrived.exchange(0);
    for (int number = 1; bits != 0 && number <= kNumberMax; ++number)
        if ((bits & bit_of(number)) != 0)
            signals.push_back({number, wanted_of.at(static_cast<std::size_t>(number)).load()});
    return signals;
}

void uninstall_posix_signals() {
    const auto ours = taken_over.exchange(0);
    for (const auto& known : kKnown) {
        struct sigaction now {};
        if ((ours & bit_of(known.number)) == 0 || ::sigaction(known.number, nullptr, &now) != 0) continue;
        if ((now.sa_flags & SA_SIGINFO) == 0 && now.sa_handler == note_posix_signal) std::signal(known.number, SIG_DFL);
    }
    // A handler that starts from here on sees no bell; one that has it already is waited for: the bell may go away
    // next.
    bell_to_ring = nullptr;
    while (handlers_inside.load() != 0) ::sched_yield();
}

std::string name_of_posix_signal(int number) {
    for (const auto& known : kKnown)
        if (known.number == number) return std::string("SIG") + known.name;
    return "signal " + std::to_string(number);
}

}  // namespace muster::agent
