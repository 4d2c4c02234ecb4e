// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A machine of the core that is talked to in JSON, one object a line: for debugging, and for tests that read like a
/// story.
/// Intuition: each machine is one class here and one subcommand of `muster transcript`; the loop over lines is shared.
/// Errors: a line that is no JSON object, or that the machine cannot read, is answered by {"error":"..."}; the machine
/// is as before, the next line counts.
/// Thread safety: none.

#include <iosfwd>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

namespace muster::transcript {

using Json = nlohmann::ordered_json;  ///< Answers have their fields in the order in which they are documented.

/// A line that cannot be understood; the text says what it may be.
struct BadLine : std::runtime_error {
    using std::runtime_error::runtime_error;
};

class Machine {
public:
    virtual ~Machine() = default;
    /// The answer to one object; null where it has none. Throws BadLine, and then nothing has changed.
    [[nodiscard]] virtual Json answer(const Json& line) = 0;
};

/// Engines and a coordinator: core::EngineLifecycle, core::CoordinatorLifecycle. Fields: DESIGN.md, "Lifecycle".
[[nodiscard]] std::unique_ptr<Machine> make_lifecycle();

/// Nodes of one dynamic rendezvous, each iteration of whose executors is a line. Fields: DESIGN.md, "Rendezvous".
[[nodiscard]] std::unique_ptr<Machine> make_rendezvous();

/// Lockstep groups with their request waves and loads: core::WaveTracker. Fields: DESIGN.md, "Waves".
[[nodiscard]] std::unique_ptr<Machine> make_waves();

/// A controller, its journal and a world in which replicas start and stop at once. Fields: DESIGN.md, "Controller".
[[nodiscard]] std::unique_ptr<Machine> make_controller();

/// Answers each line of `in` on a line of `out`, at once; empty lines are passed over. False where one was bad
/// or the machine itself has answered {"error":...} and nothing else.
[[nodiscard]] bool converse(Machine& machine, std::istream& in, std::ostream& out);

[[nodiscard]] inline Json no_answer() { return nullptr; }

// What machines read with. `allowed` ends with nullptr.
void expect_only(const Json& line, const char* const* allowed);  ///< A misspelt field is not a default.
[[nodiscard]] std::string text_of(const Json& line, const char* field, const char* otherwise = nullptr);
[[nodiscard]] std::uint64_t count_of(const Json& line, const char* field, std::uint64_t otherwise);
[[nodiscard]] std::int64_t whole_of(const Json& line, const char* field);  ///< Signed; must be there.

}  // namespace muster::transcript
