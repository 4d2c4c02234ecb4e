// SPDX-License-Identifier: Apache-2.0
#include "launch/command_line.hpp"

#include <algorithm>

namespace muster::launch {

namespace {

using Words = std::vector<std::string>;

void append(Words& words, std::initializer_list<std::string> more) { words.insert(words.end(), more); }

std::string host_argument(const std::vector<HostSlots>& hosts) {
    std::string text;
    for (const auto& host : hosts) {
        text += (text.empty() ? "" : ",") + host.name;
        if (host.slots > 0) text += ":" + std::to_string(host.slots);
    }
    return text;
}

/// MPI parameters that a job which outlives its processes needs.
std::vector<std::pair<std::string, std::string>> fault_tolerant_mca(const JobSpec& spec, const Machine& machine) {
    std::vector<std::pair<std::string, std::string>> mca = {
        {"mpi_preconnect_mpi", "1"},      // without it shrink hangs over several nodes: lazy connections
        {"coll", "^han,cuda"},            // han is not fault tolerant
        {"coll_ftagree_agreement", "1"},  // upstream's default is not a valid choice
        {"pml", "ob1"},                   // UCX is not fault tolerant
    };
    if (is_oversubscribed(spec, machine)) mca.emplace_back("mpi_yield_when_idle", "1");
    if (const auto network = network_for(spec, machine); !network.empty())
        mca.emplace_back("btl_tcp_if_include", network);
    return mca;
}

void append_mca(Words& words, const JobSpec& spec, const Machine& machine) {
    const auto given = [&](const std::string& key) {
        return std::any_of(spec.mca.begin(), spec.mca.end(), [&](const auto& pair) { return pair.first == key; });
    };
    for (const auto& [key, value] : fault_tolerant_mca(spec, machine))
        if (!given(key)) append(words, {"--mca", key, value});
    for (const auto& [key, value] : spec.mca) append(words, {"--mca", key, value});
}

void append_placement(Words& words, const JobSpec& spec, const Machine& machine) {
    if (is_oversubscribed(spec, machine)) append(words, {"--oversubscribe", "--bind-to", "none"});
    if (!spec.hosts.empty()) append(words, {"--host", host_argument(spec.hosts)});
}

void append_remote_launch(Words& words, const JobSpec& spec, const Machine& machine) {
    if (!spec.remote_shell.empty())
        append(words, {"--prtemca", "plm", "ssh", "--prtemca", "plm_ssh_agent", spec.remote_shell});
    if (!spec.remote_shell.empty() || machine.in_slurm) append(words, {"--leave-session-attached"});
}

/// Ranks that share the cores of the machine we are on (all of them where no hosts are given).
int ranks_here(const JobSpec& spec, const Machine& machine) {
    if (spec.hosts.empty()) return machine.in_slurm ? 0 : spec.ranks();
    int slots = 0;
    for (const auto& host : spec.hosts) {
        const auto facts = machine.hosts.find(host.name);
        if (facts == machine.hosts.end()) continue;
        const bool emulated = !facts->second.boot_id.empty() && facts->second.boot_id == machine.boot_id;
        if (facts->second.local || emulated) slots += std::max(1, host.slots);
    }
    return std::min(slots, spec.ranks());
}

}  // namespace

bool is_oversubscribed(const JobSpec& spec, const Machine& machine) {
    if (machine.in_slurm && machine.slurm_slots > 0 && spec.ranks() > machine.slurm_slots) return true;
    if (ranks_here(spec, machine) > machine.cores) return true;
    return std::any_of(spec.hosts.begin(), spec.hosts.end(), [&](const HostSlots& host) {
        const auto facts = machine.hosts.find(host.name);
        return facts != machine.hosts.end() && facts->second.cores > 0 && host.slots > facts->second.cores;
    });
}

std::string network_for(const JobSpec& spec, const Machine& machine) {
    if (!spec.interface.empty()) return spec.interface;
    const auto others = std::count_if(machine.interfaces.begin(), machine.interfaces.end(),
                                      [](const Interface& own) { return !own.loopback; });
    if (others < 2) return "";
    const auto reaches_all = [&](const Interface& own) {
        bool any = false;
        for (const auto& [name, facts] : machine.hosts) {
            if (facts.local) continue;
            if (!facts.address || !own.reaches(*facts.address)) return false;
            any = true;
        }
        return any && !own.loopback;
    };
    const auto found = std::find_if(machine.interfaces.begin(), machine.interfaces.end(), reaches_all);
    return found == machine.interfaces.end() ? "" : found->subnet_text();
}

std::map<std::string, std::string> job_environment(const JobSpec& spec, const Machine& machine, const std::string& link,
                                                   const std::string& token) {
    std::map<std::string, std::string> variables = {
        {"MUSTER_ENGINES", std::to_string(spec.engines)},
        {"MUSTER_STANDBYS", std::to_string(spec.standbys)},
        {"MUSTER_CLIENTS", std::to_string(spec.clients)},
        {"MUSTER_MIN", std::to_string(spec.engines_min)},
        {"MUSTER_ENGINE_RANKS", std::to_string(spec.engine_ranks)},
        {"MUSTER_GROUP_SIZE", std::to_string(spec.group_size)},
        {"MUSTER_SLOT_ORDER", spec.slot_order},
        {"MUSTER_QUORUM", spec.quorum},
        {"MUSTER_CONTROLLER", spec.controller ? "yes" : "no"},
        {"MUSTER_CONSENSUS", spec.consensus},
        {"MUSTER_CONSENSUS_EVERY", std::to_string(spec.consensus_every)},
        {"MUSTER_WORK", spec.work},
        {"MUSTER_STAY", spec.stay ? "yes" : "no"},
        {"MUSTER_FAN_OUT", std::to_string(spec.fan_out)},
        {"MUSTER_ROUTING", spec.routing},
        {"MUSTER_QUEUE_MAX_PER_ENGINE", std::to_string(spec.queue_max_per_engine)},
        {"MUSTER_QUEUE_MAX", std::to_string(spec.queue_max)},
        {"MUSTER_LOAD_INTERVAL_MS", std::to_string(spec.load_interval_ms)},
        {"MUSTER_FOLLOWERS", std::to_string(spec.followers)},
        {"MUSTER_SIGNALS", spec.posix_signals},
        {"MUSTER_RUN_ID", spec.run_id},
        {"MUSTER_EVENTS", spec.events},
        {"MUSTER_LAUNCHER_NODE", machine.host_name},
    };
    if (!spec.state_directory.empty()) {
        variables["MUSTER_STATE"] = spec.state_directory;
        variables["MUSTER_DURABILITY"] = spec.durability;
    }
    if (!spec.inject.empty()) variables["MUSTER_INJECT"] = spec.inject;
    if (!link.empty()) {
        variables["MUSTER_LINK"] = link;
        variables["MUSTER_LINK_TOKEN"] = token;
    }
    for (const auto& [key, value] : spec.environment) variables[key] = value;
    return variables;
}

std::map<std::string, std::string> mpirun_environment(const Machine& machine) {
    std::map<std::string, std::string> variables;
    if (machine.root) variables = {{"OMPI_ALLOW_RUN_AS_ROOT", "1"}, {"OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1"}};
    if (machine.in_slurm) {                  // a daemon's death must not take the other nodes' steps with it
        variables["SLURM_NO_KILL"] = "set";  // Slurm 22.05 refuses every other value but "off".
        variables["SLURM_KILL_BAD_EXIT"] = "0";
        // The step of a launch that was lost holds its nodes until Slurm gives the dead one up: daemons start beside
        // it.
        variables["SLURM_OVERLAP"] = "1";
    }
    return variables;
}

Words mpirun_command(const JobSpec& spec, const Machine& machine, const std::string& mpirun, const Words& passed) {
    Words words = {mpirun, "--with-ft", "ulfm", "-n", std::to_string(spec.ranks())};
    append_mca(words, spec, machine);
    append_placement(words, spec, machine);
    append_remote_launch(words, spec, machine);
    if (spec.prefix_output) append(words, {"--output", "rank"});
    for (const auto& name : passed) append(words, {"-x", name});
    words.insert(words.end(), spec.mpirun_options.begin(), spec.mpirun_options.end());
    words.insert(words.end(), spec.program.begin(), spec.program.end());
    return words;
}

Words srun_command(const JobSpec& spec) {
    Words words = {"srun", "--mpi=pmix", "--kill-on-bad-exit=0", "--ntasks=" + std::to_string(spec.ranks())};
    std::string nodes;
    int count = 0, slots = 0;
    for (const auto& host : spec.hosts) {
        if (slots >= spec.ranks()) break;  // The rest are spares.
        nodes += (nodes.empty() ? "" : ",") + host.name;
        slots += std::max(1, host.slots);
        ++count;
    }
    if (count > 0) append(words, {"--nodes=" + std::to_string(count), "--nodelist=" + nodes, "--distribution=block"});
    append(words, {"--overlap", "--unbuffered"});  // A step of ours that is still ending must not be waited for.
    if (spec.prefix_output) append(words, {"--label"});
    words.insert(words.end(), spec.program.begin(), spec.program.end());
    return words;
}

std::map<std::string, std::string> srun_environment(const JobSpec& spec, const Machine& machine,
                                                    const std::string& mpi_home) {
    std::map<std::string, std::string> variables = {{"OMPI_MCA_mpi_ft_enable", "1"}};
    if (!mpi_home.empty()) variables["PMIX_PREFIX"] = variables["OPAL_PREFIX"] = mpi_home;
    for (const auto& [key, value] : fault_tolerant_mca(spec, machine)) variables["OMPI_MCA_" + key] = value;
    for (const auto& [key, value] : spec.mca) variables["OMPI_MCA_" + key] = value;
    return variables;
}

std::string link_addresses(const JobSpec& spec, const Machine& machine, int port) {
    const auto preference = [&](const Interface& own) {
        if (own.loopback) return 3;
        const auto wanted = network_for(spec, machine);
        if (!wanted.empty() && (own.name == wanted || own.subnet_text() == wanted)) return 0;
        const bool near = std::any_of(machine.hosts.begin(), machine.hosts.end(), [&](const auto& host) {
            return !host.second.local && host.second.address && own.reaches(*host.second.address);
        });
        return near ? 1 : 2;
    };
    auto order = machine.interfaces;
    std::erase_if(order, [](const Interface& own) { return own.loopback; });
    std::stable_sort(order.begin(), order.end(),
                     [&](const auto& a, const auto& b) { return preference(a) < preference(b); });
    std::string text;
    for (const auto& own : order) text += own.address_text() + ":" + std::to_string(port) + ",";
    return text + "127.0.0.1:" + std::to_string(port);
}

std::string quoted(const Words& command) {
    std::string text;
    for (const auto& word : command) {
        const bool plain = !word.empty() && word.find_first_of(" \t\n'\"\\$`*?[]{}()<>|&;#~^!") == std::string::npos;
        std::string safe;
        for (const char letter : word) safe += letter == '\'' ? "'\\''" : std::string(1, letter);
        text += (text.empty() ? "" : " ") + (plain ? word : "'" + safe + "'");
    }
    return text;
}

}  // namespace muster::launch
