// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What this stack survives, in words. assess() is pure: facts and probe results in, sentences out.

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "launch/machine.hpp"
#include "launch/mpi_stack.hpp"

namespace muster::launch {

/// What one run of muster-probe showed.
struct ProbeResult {
    bool survived = false;
    double total_ms = 0;  ///< Last good step -> first step of the survivors.
    std::string why{};    ///< Where it was not survived: what was said.
};

struct Symptoms {
    std::string version{};  ///< Of muster.
    Machine machine{};
    std::optional<MpiStack> stack{};  ///< Nothing: no mpirun, see `stack_error`.
    std::string stack_error{};
    std::optional<ProbeResult> death{}, hang{};  ///< Nothing: not tried.
    bool emulated_nodes = false;                 ///< Namespaces may be made here.
};

enum class Answer { yes, no, unknown };

struct Ability {
    std::string name{};
    Answer answer = Answer::unknown;
    std::string why{};     ///< A sentence.
    std::string remedy{};  ///< What to do; may be empty.
    double total_ms = 0;   ///< As measured; 0: not measured.
};

struct Diagnosis {
    Symptoms symptoms{};
    std::vector<Ability> abilities{};  ///< process_death, node_death, silent_hang, in this order.
};

[[nodiscard]] Diagnosis assess(Symptoms symptoms);

/// Looks at this machine and, where `probe`, runs muster-probe (beside `own_program`) under mpirun: about 3 s.
[[nodiscard]] Symptoms examine(const std::string& mpirun, bool probe, const std::string& own_directory);

[[nodiscard]] std::string as_text(const Diagnosis& diagnosis);
[[nodiscard]] nlohmann::json as_json(const Diagnosis& diagnosis);

}  // namespace muster::launch
