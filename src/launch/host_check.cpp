// SPDX-License-Identifier: Apache-2.0
#include "launch/host_check.hpp"

#include <future>
#include <map>
#include <sstream>

#include "launch/child.hpp"

namespace muster::launch {

namespace {

const char* const kQuestion = "cat /proc/sys/kernel/random/boot_id 2>/dev/null; nproc 2>/dev/null; true";

std::vector<std::string> log_in_command(const JobSpec& spec, const std::string& host) {
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

std::vector<std::string> check_hosts(const JobSpec& spec, Machine& machine, std::chrono::milliseconds limit) {
    const bool ask = !machine.in_slurm || !spec.remote_shell.empty();
    const std::string shell = spec.remote_shell.empty() ? "ssh" : spec.remote_shell;
    std::map<std::string, std::future<Captured>> answers;
    for (const auto& host : spec.hosts) {
        auto& facts = machine.hosts[host.name];
        facts.address = resolve(host.name);
        facts.local = is_this_machine(host.name, machine);
        if (facts.local) facts.cores = machine.cores;
        if (facts.local || !ask || answers.contains(host.name)) continue;
        answers[host.name] = std::async(
            std::launch::async, [command = log_in_command(spec, host.name), limit] { return capture(command, limit); });
    }
    std::vector<std::string> complaints;
    for (auto& [host, pending] : answers) {
        const auto answer = pending.get();
        if (answer.started && !answer.timed_out && answer.status == 0)
            note_facts(answer.output, machine.hosts[host]);
        else
            complaints.push_back(describe(host, shell, answer, limit));
    }
    return complaints;
}

}  // namespace muster::launch
