// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Lines of the controller's transcript, field by field, and its values in JSON.
/// Intuition: Fields hands out what a line has, under any of the names that it may have, and complains about the rest.
/// Units: seconds in JSON, milliseconds here. Errors: BadLine. Thread safety: none.

#include <initializer_list>
#include <optional>
#include <set>
#include <string>

#include "core/controller.hpp"
#include "transcript/transcript.hpp"

namespace muster::transcript {

class Fields {
public:
    using Names = std::initializer_list<const char*>;  ///< The first one is the field's own, the others mean the same.
    explicit Fields(const Json& line) : line_(line) {}

    /// Null where the line has it under none of these names. Two of them at once are an error.
    [[nodiscard]] const Json* find(Names names);
    [[nodiscard]] const Json& get(Names names);  ///< It must be there.
    [[nodiscard]] std::string text(Names names);
    [[nodiscard]] bool flag(Names names, bool otherwise);
    [[nodiscard]] std::optional<double> real(Names names);
    [[nodiscard]] std::optional<std::uint64_t> count(Names names);
    [[nodiscard]] std::optional<std::uint64_t> millis(Names names);  ///< From seconds, 0 or more.
    void expect_no_more() const;                                     ///< A misspelt field is not a default.

private:
    const Json& line_;
    std::set<std::string> known_, used_;
};

/// The call that changes something and is named so; nothing where there is none of that name.
[[nodiscard]] std::optional<core::controller::Command> command_of(const std::string& name, Fields& fields);

/// "g12"; null for no goal.
[[nodiscard]] Json json_of(std::optional<core::controller::GoalId> goal);
[[nodiscard]] std::optional<core::controller::GoalId> goal_from(const Json& value);
[[nodiscard]] Json json_of(const core::controller::BackendConfig& config);
[[nodiscard]] Json json_of(const core::controller::Endpoint& endpoint);
[[nodiscard]] Json json_of(const core::controller::HttpConfig& config);

/// What listeners of a topic see, the whole map or one entry of it; null where the entry is not there.
[[nodiscard]] Json view_of(const core::controller::State& state, core::controller::Topic topic);
[[nodiscard]] Json view_of(const core::controller::State& state, core::controller::Topic topic, const std::string& tag);
[[nodiscard]] Json endpoints_of(const core::controller::State& state);

}  // namespace muster::transcript
