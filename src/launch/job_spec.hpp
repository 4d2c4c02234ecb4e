// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What a person asked `muster run` for. Plain values; nothing here is checked yet (see check.hpp).

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace muster::launch {

/// One entry of --hosts. `slots` 0: not given, mpirun counts it as 1.
struct HostSlots {
    std::string name{};
    int slots = 0;
    auto operator<=>(const HostSlots&) const = default;
};

struct JobSpec {
    int engines = 0;
    bool engines_fill = false;  ///< `engines` was not asked for: as many as the hosts hold.
    int standbys = 0;
    int clients = 0;  ///< The last ranks.
    int engines_min = 1;
    int engine_ranks = 1;
    int group_size = 0;                 ///< Engines; 0: one lockstep group, the whole world.
    std::string slot_order = "stable";  ///< stable | sorted
    std::string quorum = "majority";    ///< majority | none
    bool controller = false;
    std::string consensus = "blocking";  ///< blocking | overlapped | off
    int consensus_every = 1;             ///< Turns.
    std::string work = "always";         ///< always | requests
    bool stay = false;
    int fan_out = 4;
    std::string routing = "round_robin";
    int queue_max_per_engine = 4'096, queue_max = 65'536, load_interval_ms = 100;
    int followers = 2;
    std::string state_directory{};     ///< Config::state_directory; empty: none.
    std::string durability = "fsync";  ///< file | fsync
    std::string posix_signals = "TERM=stop,USR1=suspend";
    std::vector<HostSlots> hosts{};  ///< Empty: this machine, or Slurm's allocation.
    std::string remote_shell{};      ///< --rsh: command that logs in on a host; empty: ssh (srun in Slurm).
    std::string interface {};        ///< --interface: network for MPI's TCP; empty: chosen.
    bool prefix_output = false;
    std::string run_id = "muster";
    std::string events{};             ///< Config::events.
    std::string inject{};             ///< Faults to order: core/fault_order.hpp. Empty: none.
    std::string launcher = "mpirun";  ///< mpirun | srun
    std::string mpirun{};             ///< As given; empty: MUSTER_MPIRUN, the one of the build, PATH.
    std::vector<std::pair<std::string, std::string>> mca{};          ///< Wins over muster's own choice of the same key.
    std::vector<std::string> mpirun_options{};                       ///< More options for mpirun, as they are.
    std::vector<std::pair<std::string, std::string>> environment{};  ///< More variables for the job's processes.
    std::vector<std::string> program{};                              ///< Program and arguments.

    [[nodiscard]] int ranks() const { return engines * engine_ranks + standbys + clients; }
};

/// "a:2,b:2" -> entries. Throws nothing; `error` says what is wrong with the text where the list is empty.
struct HostList {
    std::vector<HostSlots> hosts{};
    std::string error{};
};
[[nodiscard]] HostList parse_hosts(const std::string& text);

}  // namespace muster::launch
