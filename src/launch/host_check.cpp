// SPDX-License-Identifier: Apache-2.0
#include "launch/host_check.hpp"

#include <future>
#include <map>
#include <sstream>

#include "launch/child.hpp"
#include "launch/slurm.hpp"

namespace muster::launch {

namespace {

const char* const kQuestion = "cat /proc/sys/kernel/random/boot_id 2>/dev/null; nproc 2>/dev/null; true";

bool through_slurm(const JobSpec& spec, const Machine& machine) {
    return machine.in_slurm && spec.remote_shell.empty();
}

std::vector<std::string> log_in_command(const JobSpec& spec, const Machine& machine, const std::string& host) {
    if (through_slurm(spec, machine)) return slurm_question(host, kQuestion);
    std::vector<std::string> command;
    std::stringstream stream(spec.remote_shell.empty() ? "ssh" : spec.remote_shell);
    for (std::string word; stream >> word;) command.push_back(word);
    const auto name = command.empty() ? "" : command[0].substr(command[0].rfind('/') + 1);
    if (name == "ssh")  // never ask for a password: mpirun could not either
        for (const auto* word : {"-o", "BatchMode=yes"}) command.emplace_back(word);
    command.push_back(host);
    command.emplace_back(kQuestion);
    return command;
}

/// The last line that the remote shell wrote to stderr: usually the reason.
std::string last_line(std::string text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
    return text.substr(text.rfind('\n') + 1);
}

std::string describe(const std::string& host, const std::string& shell, const Captured& answer,
                     std::chrono::milliseconds limit) {
    std::string text = "host " + host + " does not answer: `" + shell + "` ";
    if (!answer.started)
        text += "does not start (" + answer.errors + ")";
    else if (answer.timed_out)
        text += "said nothing for " + std::to_string(limit.count() / 1000) + " s";
    else
        text += "ended with " + std::to_string(answer.status);
    const auto said = last_line(answer.errors);
    if (answer.started && !said.empty()) text += " (" + said + ")";
    return text + "; it must log in there without a password. Try `" + shell + " " + host + " true`, or leave " + host +
           " out of --hosts";
}

void note_facts(const std::string& said, HostFacts& facts) {
    std::stringstream stream(said);
    stream >> facts.boot_id >> facts.cores;
}

}  // namespace

std::map<std::string, std::string> ask_hosts(const JobSpec& spec, Machine& machine, std::chrono::milliseconds limit) {
    const std::string shell = through_slurm(spec, machine) ? "srun --overlap --nodelist"
                              : spec.remote_shell.empty()  ? "ssh"
                                                           : spec.remote_shell;
    std::map<std::string, std::future<Captured>> answers;
    for (const auto& host : spec.hosts) {
        auto& facts = machine.hosts[host.name];
        facts.address = resolve(host.name);
        facts.local = is_this_machine(host.name, machine);
        if (facts.local) facts.cores = machine.cores;
        if (facts.local || answers.contains(host.name)) continue;
        answers[host.name] = std::async(std::launch::async, [command = log_in_command(spec, machine, host.name),
                                                             limit] { return capture(command, limit); });
    }
    std::map<std::string, std::string> silent;
    for (auto& [host, pending] : answers) {
        const auto answer = pending.get();
        if (answer.started && !answer.timed_out && answer.status == 0)
            note_facts(answer.output, machine.hosts[host]);
        else
            silent[host] = describe(host, shell, answer, limit);
    }
    return silent;
}

std::vector<std::string> check_hosts(const JobSpec& spec, Machine& machine, std::chrono::milliseconds limit) {
    if (through_slurm(spec, machine)) {
        for (const auto& host : spec.hosts)
            machine.hosts[host.name] = {.address = resolve(host.name), .local = is_this_machine(host.name, machine)};
        return {};
    }
    std::vector<std::string> complaints;
    for (auto& [host, complaint] : ask_hosts(spec, machine, limit)) complaints.push_back(std::move(complaint));
    return complaints;
}

bool node_answers(const JobSpec& spec, const Machine& machine, const std::string& node,
                  std::chrono::milliseconds limit) {
    const auto short_of = [](const std::string& name) { return name.substr(0, name.find('.')); };
    for (const auto& host : spec.hosts) {
        if (short_of(host.name) != short_of(node)) continue;
        JobSpec alone = spec;
        alone.hosts = {host};
        Machine looked = machine;
        return ask_hosts(alone, looked, limit).empty();
    }
    return true;
}

}  // namespace muster::launch
