// SPDX-License-Identifier: Apache-2.0
#pragma once
/// POSIX signals that become signals of the job: "TERM=stop,USR1=suspend" (Config::posix_signals).
/// Intuition: the handler only notes which signal came and rings the bell; the agent takes the notes and asks for what
/// they stand for, as a client would. A signal that comes twice before it is taken counts once: asking is idempotent.
/// A signal that the program handles or ignores stays the program's. A forked child that has not called exec dies of
/// the signal as if muster were not there.
/// Thread safety: take from any thread; install and uninstall from one thread, not from a signal handler.
/// One installation per process, as there is one Session.

#include <string>
#include <string_view>
#include <vector>

#include "agent/bell.hpp"
#include "core/message.hpp"
#include "muster/types.hpp"

namespace muster::agent {

struct PosixSignal {
    int number = 0;  ///< SIGTERM and so on.
    core::Wanted wanted = core::Wanted::pause;
};
using PosixSignals = std::vector<PosixSignal>;

/// "TERM=stop,SIGUSR1=suspend" -> entries; "off" or "": none. Names in upper or lower case, with or without SIG; what
/// is wanted is pause, unpause, resume, start, or one of the compound suspend and stop. Errors: bad_setup names the
/// part that makes no sense and what it may be.
[[nodiscard]] Result<PosixSignals> parse_posix_signals(std::string_view text);

/// Takes the signals whose disposition is the default one. `bell` must live until uninstall_posix_signals().
/// Returns a sentence for each signal that was not taken, and why.
[[nodiscard]] std::vector<std::string> install_posix_signals(const PosixSignals& signals, const Bell& bell);

/// What has come since the last call, by signal number.
[[nodiscard]] PosixSignals take_posix_signals();

/// The default dispositions again, where no one else has taken them since. Nothing rings the bell after that.
void uninstall_posix_signals();

/// "SIGTERM"; "signal 35" for one that parse_posix_signals() does not know.
[[nodiscard]] std::string name_of_posix_signal(int number);

}  // namespace muster::agent
