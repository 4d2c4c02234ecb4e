// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The member's end of the line to `muster run`: JSON objects, one a line, over TCP. Connects when there is something
/// to say. Without MUSTER_LINK (plain mpirun) everything here does nothing.
/// Nothing waits long: connecting has a second per address, writing a second; a line that fails closes it for good.
/// Thread safety: none; a thread that ends the process makes a link of its own.

#include <chrono>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "muster/exit_codes.hpp"
#include "muster/types.hpp"

namespace muster::agent {

/// How the job ended, for the launcher: its verdict.
[[nodiscard]] nlohmann::json ended_event(ExitCode code, const std::string& reason);

class LauncherLink {
public:
    /// `more`: a JSON object that the first line holds beside token and rank; empty: nothing.
    explicit LauncherLink(Rank self, std::string more = "");
    ~LauncherLink();
    LauncherLink(const LauncherLink&) = delete;
    LauncherLink& operator=(const LauncherLink&) = delete;

    bool send(const nlohmann::json& event);  ///< False where nobody was told.
    [[nodiscard]] bool open() const { return socket_ >= 0; }
    /// What `muster run` has said, waiting at most so long for the first line; empty where that was nothing, or the
    /// other end has gone. Nothing: `end` is readable.
    [[nodiscard]] std::optional<std::vector<nlohmann::json>> listen(int end, std::chrono::milliseconds limit);

private:
    void connect();
    bool write(const std::string& line);
    void close();

    Rank self_;
    std::vector<std::string> addresses_;  ///< "ip:port", tried in order. Empty: no launcher, or given up.
    std::string token_;
    std::string more_;
    std::string heard_;  ///< The beginning of a line.
    int socket_ = -1;
};

}  // namespace muster::agent
