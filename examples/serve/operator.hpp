// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Whoever looks after the job: pauses, suspends, resumes and unpauses it while requests keep coming, and stops it when
/// all are answered. Each step is a call and a wait; there is nothing else to know.
/// Thread safety: one thread. Units: milliseconds from the call until all engines are there.

#include <optional>
#include <string>
#include <vector>

#include "muster/client.hpp"
#include "serve/options.hpp"
#include "serve/tally.hpp"

namespace serve {

struct Transition {
    std::string signal;
    double ms = 0;
    std::size_t open_requests = 0;  ///< When it was complete: sent and not answered.
};

struct OperatorReport {
    std::vector<Transition> transitions;
    std::optional<std::string> failure;  ///< Why there are no more of them.
};

class Operator {
public:
    Operator(muster::Client& client, Tally& tally, const Options& options)
        : client_(client), tally_(tally), options_(options) {}

    [[nodiscard]] OperatorReport run();

private:
    [[nodiscard]] bool cycle(std::uint32_t number);
    [[nodiscard]] bool step(const char* name, muster::Operation (muster::Client::*signal)());
    [[nodiscard]] bool linger();
    bool fail(const std::string& why);

    muster::Client& client_;
    Tally& tally_;
    const Options& options_;
    OperatorReport report_;
};

}  // namespace serve
