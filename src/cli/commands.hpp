// SPDX-License-Identifier: Apache-2.0
#pragma once
/// One function per subcommand, one file per function: it adds its options to `app` and a callback that does the work
/// and leaves the exit code of `muster` in `exit_code`. `exit_code` outlives the callbacks.

namespace CLI {
class App;
}

namespace muster::cli {

void register_run(CLI::App& app, int& exit_code);         ///< run_command.cpp
void register_doctor(CLI::App& app, int& exit_code);      ///< doctor_command.cpp
void register_transcript(CLI::App& app, int& exit_code);  ///< transcript_command.cpp
void register_simulate(CLI::App& app, int& exit_code);    ///< simulate_command.cpp
void register_journal(CLI::App& app, int& exit_code);     ///< journal_command.cpp
void register_bench(CLI::App& app, int& exit_code);       ///< bench_command.cpp

}  // namespace muster::cli
