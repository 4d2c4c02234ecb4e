// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Random calls to the job's controller while requests flow: does what was answered hold, whoever coordinates?
/// Intuition: one caller, so its goals must be numbered without a gap (none lost, none begun twice), and at the end the
/// controller's state must be what the calls that returned ok have made of it, every goal reached.
/// Errors: check() names the first thing that is wrong. Thread safety: none.

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>

#include "muster/controller.hpp"
#include "serve/options.hpp"

namespace serve {

class Calls {
public:
    Calls(muster::Controller& controller, const Options& options, std::uint64_t goals_before)
        : controller_(controller), options_(options), dice_(options.seed), goals_(goals_before) {}

    void one(const std::string& scaled_backend);
    /// Nothing: all is well.
    [[nodiscard]] std::optional<std::string> check();
    [[nodiscard]] std::uint64_t goals() const { return goals_; }

private:
    using Goal = muster::Result<std::optional<muster::GoalId>>;
    [[nodiscard]] std::uint64_t below(std::uint64_t count) { return dice_() % count; }
    void scale(const std::string& backend);
    void set(const std::string& tag);
    void remove(const std::string& tag);
    void route(const std::string& tag);
    bool took(const Goal& goal);
    void wrong(const std::string& why);

    muster::Controller& controller_;
    const Options& options_;
    std::mt19937_64 dice_;
    std::uint64_t goals_;
    std::uint64_t values_ = 0;
    std::map<std::string, std::string> backends_;  ///< Of this class's own: tag -> user_config.
    std::optional<std::string> routed_;            ///< Where its endpoint leads.
    std::optional<std::uint32_t> scaled_;
    std::string scaled_backend_;
    std::optional<std::string> wrong_;
};

}  // namespace serve
