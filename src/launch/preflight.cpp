// SPDX-License-Identifier: Apache-2.0
#include "launch/preflight.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include "launch/check.hpp"
#include "launch/host_check.hpp"

namespace muster::launch {

std::string complaint_about_program(const std::string& program) {
    if (!find_program(program).empty()) return "";
    struct stat facts {};
    const bool there = stat(program.c_str(), &facts) == 0;
    if (program.find('/') == std::string::npos) {
        const auto hint =
            there && S_ISREG(facts.st_mode) ? "; did you mean ./" + program + "?" : "; give its path after --";
        return "program " + program + " is not in PATH" + hint;
    }
    if (!there) return "program " + program + " does not exist; give its path after --";
    if (S_ISDIR(facts.st_mode)) return "program " + program + " is a directory; give the program in it";
    return "program " + program + " is not executable; try `chmod +x " + program + "`";
}

Preflight look_before_launch(const JobSpec& spec) {
    Preflight flight{.machine = look_at_machine()};
    const auto refuse = [&](ExitCode code, std::vector<std::string> complaints) {
        flight.code = code;
        flight.complaints = std::move(complaints);
        return flight;
    };
    if (auto text = complaint_about_counts(spec, flight.machine); !text.empty())
        return refuse(ExitCode::bad_usage, {text});
    if (spec.program.empty()) return refuse(ExitCode::bad_usage, {"no program; give it after --"});
    if (auto text = complaint_about_program(spec.program[0]); !text.empty()) return refuse(ExitCode::bad_usage, {text});
    const auto mpirun = find_mpirun(spec.mpirun);
    if (!mpirun) return refuse(ExitCode::launcher_failed, {mpirun.error().text});
    const auto stack = ask_mpi_stack(*mpirun);
    if (!stack) return refuse(ExitCode::launcher_failed, {stack.error().text});
    flight.stack = *stack;
    if (auto text = complaint_about_stack(*stack); !text.empty()) return refuse(ExitCode::launcher_failed, {text});
    if (auto silent = check_hosts(spec, flight.machine); !silent.empty())
        return refuse(ExitCode::launcher_failed, std::move(silent));
    return flight;
}

}  // namespace muster::launch
