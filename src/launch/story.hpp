// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What the job has told over the launcher link: remembered for the verdict, and put into lines for people.
/// Events are listed in DESIGN.md, "The launcher link"; one that is not known is shown with -v and otherwise ignored.
/// Pure: no clock, no socket. A field that is missing or of another type counts as its default.

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace muster::launch {

struct StoryLine {
    std::string text{};
    bool detail = false;  ///< Only shown with -v.
};

class Story {
public:
    struct Ended {
        int code = 0;
        std::string reason{};
    };
    struct ExitReport {
        int rank = 0;
        int status = 0;
    };

    /// Takes one event of `rank` and returns what to print.
    std::vector<StoryLine> take(int rank, const nlohmann::json& event);

    [[nodiscard]] bool joining() const { return joining_; }  ///< A rank has begun to join.
    [[nodiscard]] bool joined() const { return joined_; }
    [[nodiscard]] int round() const { return round_; }
    [[nodiscard]] const std::string& state() const { return state_; }  ///< "SUSPENDED"; empty: RUNNING from the start.
    /// Not for good: what a minority says of the job is void once a round of the others has begun without it.
    [[nodiscard]] const std::optional<Ended>& ended() const { return ended_; }
    [[nodiscard]] const std::set<int>& lost() const { return lost_; }
    [[nodiscard]] const std::vector<ExitReport>& exits() const { return exits_; }

private:
    std::vector<StoryLine> take_joined(const nlohmann::json& event);
    std::vector<StoryLine> take_state(const nlohmann::json& event);
    std::vector<StoryLine> take_round(const nlohmann::json& event);

    bool joining_ = false, joined_ = false;
    int round_ = 0;
    int barrier_ = 0, told_round_ = 0;  ///< The last ones that were told.
    std::string state_;
    int size_ = 0;
    std::set<int> lost_;
    std::optional<Ended> ended_;  ///< The first one counts, unless its teller is found to have been lost.
    int ended_by_ = -1;           ///< Who told it.
    std::vector<ExitReport> exits_;
};

/// "7.9" for 7.94, "0.42" for 0.421, "1250" for 1250.4: two significant digits or whole milliseconds.
[[nodiscard]] std::string milliseconds(double value);

}  // namespace muster::launch
