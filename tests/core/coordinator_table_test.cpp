// SPDX-License-Identifier: Apache-2.0
// Every (state, signal) pair of the coordinator's table (M24) against a matrix that was written by hand.
#include "lifecycle_support.hpp"

namespace muster::core::testing {
namespace {

// clang-format off
struct CoordinatorLine {
    State state;
    bool stopped;
    const char* answers[kSignals];
};
const CoordinatorLine kCoordinator[] = {
    //                        pause               unpause              suspend                resume              stop                start
    {State::running,   false, {"broadcast PAUSED", "-",                 "-",                   "-",                "-",                 "-"}},
    {State::running,   true,  {"-",                "-",                 "-",                   "-",                "-",                 "broadcast"}},
    {State::paused,    false, {"none",             "broadcast RUNNING", "broadcast SUSPENDED", "-",                "broadcast RUNNING", "-"}},
    {State::suspended, false, {"none",             "-",                 "-",                   "broadcast PAUSED", "broadcast RUNNING", "-"}},
};
// clang-format on

TEST(CoordinatorTable, EverySignalInEveryStateM24) {
    for (const auto& line : kCoordinator)
        for (std::size_t i = 0; i < kSignals; ++i) {
            const auto signal = static_cast<Signal>(i);
            SCOPED_TRACE(std::string(name_of(line.state)) + (line.stopped ? " stopped " : " ") + name_of(signal));
            CoordinatorLifecycle coordinator;
            coordinator.adopt(line.state, line.stopped);
            const auto outcome = coordinator.step(signal);
            EXPECT_EQ(answer(outcome), line.answers[i]);
            EXPECT_EQ(coordinator.state(), outcome.to);
            EXPECT_EQ(outcome.via.has_value(), signal == Signal::stop && outcome.accepted);
            EXPECT_EQ(std::string(outcome.reason).empty(), outcome.accepted);
            const bool changes = outcome.accepted && (signal == Signal::stop || signal == Signal::start);
            EXPECT_EQ(coordinator.stopped(), changes ? signal == Signal::stop : line.stopped);
        }
}

TEST(CoordinatorTable, AReasonNamesExactlyTheSignalsThatLeadOn) {
    for (const auto& line : kCoordinator) {
        std::set<Signal> legal;
        for (std::size_t i = 0; i < kSignals; ++i)
            if (std::string(line.answers[i]).starts_with("broadcast")) legal.insert(static_cast<Signal>(i));
        for (std::size_t i = 0; i < kSignals; ++i) {
            if (std::string(line.answers[i]) != "-" || static_cast<Signal>(i) == Signal::start) continue;
            CoordinatorLifecycle coordinator;
            coordinator.adopt(line.state, line.stopped);
            const std::string reason = coordinator.step(static_cast<Signal>(i)).reason;
            EXPECT_EQ(named_in(reason), legal) << reason;
        }
    }
}

}  // namespace
}  // namespace muster::core::testing
