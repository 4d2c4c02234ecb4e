// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What the participants of a round do: rank 0 launches, the others wait for its verdict.
/// Nothing: this round has come to nothing before the job began; meet again. Errors: the outcome.

#include <optional>

#include "launch/meeting_place.hpp"

namespace muster::launch {

[[nodiscard]] std::optional<Outcome> lead(MeetingPlace& place, const meet::Joined& joined, const JobSpec& spec,
                                          const JobOptions& options);

[[nodiscard]] std::optional<Outcome> follow(MeetingPlace& place, const meet::Joined& joined, const JobSpec& spec);

/// For how long looks at the shared directory have failed; beyond the silence that is allowed the waiting ends.
class Patience {
public:
    using Clock = std::chrono::steady_clock;
    explicit Patience(const core::rendezvous::Settings& settings);
    /// After each look: why the waiting must end, if it must. Empty: `trouble` is, or not for long enough.
    [[nodiscard]] std::string after(const std::string& trouble);

private:
    std::chrono::microseconds most_;
    Clock::time_point good_ = Clock::now();
};

}  // namespace muster::launch
