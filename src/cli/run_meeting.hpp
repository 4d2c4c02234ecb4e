// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The options of `muster run` with which several of them meet before one launches.

#include <string>

#include "launch/meeting.hpp"

namespace CLI {
class App;
}

namespace muster::cli {

struct MeetingOptions {
    std::string directory, nodes, host, times, join;
    bool allow_relaunch = false;
    [[nodiscard]] bool wanted() const { return !directory.empty() || !join.empty(); }
};

void add_meeting(CLI::App& run, MeetingOptions& options);

/// The meeting that was asked for; `error` says what is wrong with the options, with what to do, else it is empty.
struct MeetingAsked {
    launch::Meeting meeting{};
    std::string error{};
};
/// `run_id` is empty where none was given. Without wanted(): only the complaint about options that need a meeting.
[[nodiscard]] MeetingAsked meeting_of(const MeetingOptions& options, const launch::JobSpec& spec,
                                      const std::string& run_id);

}  // namespace muster::cli
