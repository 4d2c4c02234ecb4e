// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The member's end of the line to `muster run`: JSON objects, one a line, over TCP. Connects when there is something
/// to say. Without MUSTER_LINK (plain mpirun) everything here does nothing.
/// Nothing waits long: connecting has a second per address, writing a second; a line that fails closes it for good.
/// Thread safety: none; a thread that ends the process makes a link of its own.

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "muster/exit_codes.hpp"
#include "muster/types.hpp"

namespace muster::agent {

/// How the job ended, for the launcher: its verdict.
[[nodiscard]] nlohmann::json ended_event(ExitCode code, const std::string& reason);

class LauncherLink {
public:
    explicit LauncherLink(Rank self);
    ~LauncherLink();
    LauncherLink(const LauncherLink&) = delete;
    LauncherLink& operator=(const LauncherLink&) = delete;

    bool send(const nlohmann::json& event);  ///< False where nobody was told.

private:
    void connect();
    bool write(const std::string& line);

    Rank self_;
    std::vector<std::string> addresses_;  ///< "ip:port", tried in order. Empty: no launcher, or given up.
    std::string token_;
    int socket_ = -1;
};

}  // namespace muster::agent
