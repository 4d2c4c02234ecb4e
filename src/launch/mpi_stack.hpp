// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Which mpirun there is and what it can do, found out by asking it.

#include <string>
#include <vector>

#include "muster/types.hpp"

namespace muster::launch {

struct MpiStack {
    std::string mpirun{};   ///< Path.
    std::string version{};  ///< Of Open MPI: "5.0.11".
    std::string runtime{};  ///< Of PRRTE: "3.0.14"; empty: not said.
    bool open_mpi = false;
    bool ulfm = false;          ///< Fault tolerance compiled in, as ompi_info says.
    std::string ulfm_source{};  ///< In words: who said so.
    [[nodiscard]] int major() const;
    [[nodiscard]] bool survives_a_node() const;  ///< Its launcher goes on without a daemon that it has lost.
    [[nodiscard]] std::string home() const;      ///< The folder above mpirun's.
};

/// The path of a program: with a slash as it is, else searched in PATH; empty: not there or not executable.
[[nodiscard]] std::string find_program(const std::string& name);

/// Path of mpirun: `asked`, else MUSTER_MPIRUN, else the one muster was built with, else PATH. The error names
/// the places and says what to do.
[[nodiscard]] Result<std::string> find_mpirun(const std::string& asked);

/// Asks mpirun --version and the ompi_info beside it (10 s limit each). Errors: mpirun does not run.
[[nodiscard]] Result<MpiStack> ask_mpi_stack(const std::string& mpirun);

/// Why a job cannot be started with this stack, and what to do; empty: it can.
[[nodiscard]] std::string complaint_about_stack(const MpiStack& stack);

}  // namespace muster::launch
