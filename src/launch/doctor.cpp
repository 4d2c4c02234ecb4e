// SPDX-License-Identifier: Apache-2.0
#include "launch/doctor.hpp"

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "launch/story.hpp"

namespace muster::launch {

namespace {

const char* const kDetectorFlags =
    "--mca mpi_ft_detector true --mca mpi_ft_detector_period 0.1 "
    "--mca mpi_ft_detector_timeout 1";

std::string word_of(Answer answer) { return answer == Answer::yes ? "yes" : answer == Answer::no ? "no" : "unknown"; }

std::string complaint_of(const Symptoms& symptoms) {
    return symptoms.stack ? complaint_about_stack(*symptoms.stack) : symptoms.stack_error;
}

/// Where there is nothing to survive with. The remedy is said once, for a process's death.
bool no_stack(const Symptoms& symptoms, Ability& ability) {
    const auto complaint = complaint_of(symptoms);
    if (complaint.empty()) return false;
    ability.answer = Answer::no;
    ability.why = "there is no MPI that survives anything";
    if (ability.name != "process_death") return true;
    const auto advice = complaint.rfind("; ");
    ability.why = complaint.substr(0, advice);
    if (advice != std::string::npos) ability.remedy = complaint.substr(advice + 2);
    return true;
}

Ability process_death(const Symptoms& symptoms) {
    Ability ability{.name = "process_death"};
    if (no_stack(symptoms, ability)) return ability;
    if (!symptoms.death) {
        ability.why = "Open MPI has ULFM, but it was not tried";
        ability.remedy = "run `muster doctor` without --no-probe";
        return ability;
    }
    ability.answer = symptoms.death->survived ? Answer::yes : Answer::no;
    ability.total_ms = symptoms.death->total_ms;
    ability.why = symptoms.death->survived
                      ? "one of 3 ranks was killed; the others went on after " + milliseconds(ability.total_ms) + " ms"
                      : "one of 3 ranks was killed and the others did not go on: " + symptoms.death->why;
    if (symptoms.machine.in_slurm)
        ability.remedy = "use `muster run` (mpirun) in the allocation: srun kills the whole step when one process dies";
    return ability;
}

Ability node_death(const Symptoms& symptoms) {
    Ability ability{.name = "node_death"};
    if (no_stack(symptoms, ability)) return ability;
    const auto& stack = *symptoms.stack;
    const int runtime = std::atoi(stack.runtime.c_str());
    if (stack.major() >= 6 && runtime >= 5) {
        ability.answer = Answer::yes;
        ability.why = "PRRTE " + stack.runtime +
                      " goes on without a lost daemon (not tried here); the loss of mpirun's own node ends the job";
    } else if (stack.major() >= 6 && runtime == 0) {
        ability.why =
            "Open MPI " + stack.version + " survives it with PRRTE 5 or later, but PRRTE's version is not known";
        ability.remedy = "look at `prte --version` beside mpirun";
    } else {
        ability.answer = Answer::no;
        ability.why = "the ranks survive, but PRRTE " + (stack.runtime.empty() ? "before 5" : stack.runtime) +
                      " ends the whole job as soon as a node's daemon is lost";
        ability.remedy =
            "`muster run --relaunch N` starts the job again from its checkpoint on the nodes that are left; or use "
            "Open MPI 6 "
            "with PRRTE 5";
    }
    return ability;
}

Ability silent_hang(const Symptoms& symptoms) {
    Ability ability{.name = "silent_hang"};
    if (no_stack(symptoms, ability)) return ability;
    if (!symptoms.hang) {
        ability.why = symptoms.death && !symptoms.death->survived ? "not tried: not even a process's death is survived"
                                                                  : "it was not tried";
        return ability;
    }
    ability.answer = symptoms.hang->survived ? Answer::yes : Answer::no;
    ability.total_ms = symptoms.hang->total_ms;
    ability.why = symptoms.hang->survived
                      ? "with Open MPI's detector on: one of 3 ranks was stopped; the others went on after " +
                            milliseconds(ability.total_ms) + " ms"
                      : "with Open MPI's detector on, a stopped rank held the others up: " + symptoms.hang->why;
    if (symptoms.hang->survived)
        ability.remedy =
            std::string("the detector is off by default, as a busy machine makes false alarms: muster run ") +
            kDetectorFlags;
    return ability;
}

std::string place(const Symptoms& symptoms) {
    const auto& machine = symptoms.machine;
    return machine.host_name + ": " + std::to_string(machine.cores) + " cores, " +
           (machine.root ? "root" : "not root") + ", " + (machine.in_slurm ? "in a Slurm allocation" : "not in Slurm");
}

std::string padded(std::string text, std::size_t width) {
    for (auto& letter : text) letter = letter == '_' ? ' ' : letter;
    text.resize(std::max(width, text.size() + 1), ' ');
    return text;
}

}  // namespace

Diagnosis assess(Symptoms symptoms) {
    Diagnosis diagnosis;
    diagnosis.abilities = {process_death(symptoms), node_death(symptoms), silent_hang(symptoms)};
    diagnosis.symptoms = std::move(symptoms);
    return diagnosis;
}

std::string as_text(const Diagnosis& diagnosis) {
    const auto& symptoms = diagnosis.symptoms;
    std::string text = "muster " + symptoms.version + " on " + place(symptoms) + "\n";
    if (symptoms.stack)
        text += "Open MPI " + symptoms.stack->version + ", PRRTE " +
                (symptoms.stack->runtime.empty() ? "of unknown version" : symptoms.stack->runtime) + ", ULFM " +
                (symptoms.stack->ulfm ? "yes" : "no") + " (" + symptoms.stack->mpirun + ")\n";
    for (const auto& ability : diagnosis.abilities) {
        text += padded(ability.name, 16) + padded(word_of(ability.answer), 9) + ability.why + "\n";
        if (!ability.remedy.empty()) text += std::string(25, ' ') + "-> " + ability.remedy + "\n";
    }
    return text + padded("emulated nodes", 16) + padded(symptoms.emulated_nodes ? "yes" : "no", 9) +
           (symptoms.emulated_nodes ? "several nodes can be played on this machine (tests/lab)"
                                    : "network namespaces need root with CAP_SYS_ADMIN and CAP_NET_ADMIN") +
           "\n";
}

nlohmann::json as_json(const Diagnosis& diagnosis) {
    const auto& symptoms = diagnosis.symptoms;
    nlohmann::json survives = nlohmann::json::object();
    for (const auto& ability : diagnosis.abilities) {
        auto& entry = survives[ability.name];
        entry = {{"answer", word_of(ability.answer)}, {"why", ability.why}, {"remedy", ability.remedy}};
        if (ability.total_ms > 0) entry["total_ms"] = ability.total_ms;
    }
    nlohmann::json stack = nullptr;
    if (symptoms.stack)
        stack = {{"mpirun", symptoms.stack->mpirun},
                 {"open_mpi", symptoms.stack->version},
                 {"prrte", symptoms.stack->runtime},
                 {"ulfm", symptoms.stack->ulfm}};
    return {{"muster", symptoms.version},
            {"host", symptoms.machine.host_name},
            {"cores", symptoms.machine.cores},
            {"root", symptoms.machine.root},
            {"slurm", symptoms.machine.in_slurm},
            {"emulated_nodes", symptoms.emulated_nodes},
            {"stack", stack},
            {"survives", survives}};
}

}  // namespace muster::launch
