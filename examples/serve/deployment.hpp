// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What the program asks the job's controller for: one backend, its door, and as many replicas as the moment demands.
/// Thread safety: begin() and run() one after the other, report() after them.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "muster/controller.hpp"
#include "serve/options.hpp"
#include "serve/tally.hpp"

namespace serve {

inline constexpr char kEndpoint[] = "digits";

struct DeploymentReport {
    struct Scaling {
        std::uint32_t replicas = 0;
        double ms = 0;  ///< Until its goal was reached.
    };
    std::vector<Scaling> scalings;
    std::uint64_t calls = 0, goals = 0;  ///< Random ones that were answered, and the goals of all.
    std::optional<std::string> failure;
};

class Deployment {
public:
    Deployment(muster::Controller controller, Tally& tally, const Options& options)
        : controller_(std::move(controller)), tally_(tally), options_(options) {}

    /// The first replicas and the endpoint. False: see the report.
    [[nodiscard]] bool begin();
    /// The others, in the course of the requests.
    [[nodiscard]] bool run();
    [[nodiscard]] const DeploymentReport& report() const { return report_; }

private:
    using Goal = muster::Result<std::optional<muster::GoalId>>;
    [[nodiscard]] bool call_at_random();
    [[nodiscard]] bool reach(std::uint32_t replicas, const Goal& goal);
    bool fail(const std::string& why);

    muster::Controller controller_;
    Tally& tally_;
    const Options& options_;
    DeploymentReport report_;
};

}  // namespace serve
