// SPDX-License-Identifier: Apache-2.0
#include "cli/run_meeting.hpp"

#include <CLI/CLI.hpp>
#include <charconv>

#include "launch/machine.hpp"
#include "meet/settings.hpp"

namespace muster::cli {

namespace {

using core::rendezvous::Settings;

/// "2" or "2:4". False: neither.
bool read_nodes(const std::string& text, Settings& settings) {
    const auto colon = text.find(':');
    const auto read = [](const std::string& word, std::int64_t& into) {
        const auto* end = word.data() + word.size();
        const auto [last, fault] = std::from_chars(word.data(), end, into);
        return fault == std::errc{} && last == end;
    };
    const bool least = read(text.substr(0, colon), settings.min_nodes);
    settings.max_nodes = settings.min_nodes;
    return least && (colon == std::string::npos || read(text.substr(colon + 1), settings.max_nodes));
}

/// "NAME:SLOTS", "NAME" or ":SLOTS"; this machine's name and cores for the rest. The complaint, if there is one.
std::string read_host(const std::string& text, launch::HostSlots& host) {
    const auto machine = launch::look_at_machine();
    host = {machine.host_name, machine.cores};
    if (text.empty()) return "";
    const auto list = launch::parse_hosts(text.starts_with(':') ? machine.host_name + text : text);
    if (!list.error.empty() || list.hosts.size() != 1)
        return "--host " + text + ": it is this machine alone, NAME:SLOTS, NAME or :SLOTS (all of a job's: --hosts)";
    host.name = list.hosts[0].name;
    if (list.hosts[0].slots > 0) host.slots = list.hosts[0].slots;
    return "";
}

std::string without_meeting(const MeetingOptions& options) {
    for (const auto& [name, given] :
         {std::pair{"--nodes", !options.nodes.empty()}, std::pair{"--host", !options.host.empty()},
          std::pair{"--rendezvous-config", !options.times.empty()}})
        if (given)
            return std::string(name) + " is for several muster run that meet: give --rendezvous DIR too" +
                   (std::string(name) == "--host" ? " (a job's hosts are --hosts a:2,b:2)" : "");
    return "";
}

/// Of two options of which one makes the other void.
std::string complaint_about_pairs(const MeetingOptions& options, const launch::JobSpec& spec,
                                  const std::string& run_id) {
    if (options.directory.empty()) return "--join " + options.join + ": give the job's --rendezvous DIR too";
    if (!spec.hosts.empty())
        return "--hosts and --rendezvous: the hosts are those of all who come; give --host instead";
    if (!options.join.empty()) {
        if (!run_id.empty()) return "--join names the run id: leave out --run-id";
        if (!options.nodes.empty() || spec.engines > 0 || !spec.program.empty() || options.allow_relaunch)
            return "--join takes the running job's command: leave out -n, --nodes, --allow-relaunch and the program";
        return "";
    }
    if (run_id.empty())
        return "--rendezvous: name the job with --run-id, the same on all nodes, and another for the next job";
    if (options.nodes.empty()) return "--rendezvous: say with --nodes MIN:MAX how many muster run shall meet";
    if (spec.program.empty()) return "no program; give it after --";
    return "";
}

}  // namespace

void add_meeting(CLI::App& run, MeetingOptions& options) {
    run.add_option(
        "--rendezvous", options.directory,
        "Meet other muster run of the same --run-id in this directory, which all nodes share, before one launches");
    run.add_option("--nodes", options.nodes, "MIN or MIN:MAX: how many muster run meet; more are warm spares");
    run.add_option("--host", options.host,
                   "This machine as the job calls it: NAME:SLOTS (default: its name and cores)");
    run.add_option("--rendezvous-config", options.times,
                   "KEY=SECONDS,...: join_timeout 600, last_call_timeout 30, close_timeout 30, heartbeat_timeout 5, "
                   "keep_alive_interval 5, keep_alive_max_attempt 3 (a number), poll_sleep 1, join_delay 0.3");
    run.add_flag(
        "--allow-relaunch", options.allow_relaunch,
        "The job may save, end and begin again larger when somebody joins, or with --relaunch when a lost host "
        "answers again");
    run.add_option("--join", options.join, "Ask the running job of this run id to take this machine in; no program");
}

MeetingAsked meeting_of(const MeetingOptions& options, const launch::JobSpec& spec, const std::string& run_id) {
    MeetingAsked asked;
    const auto refuse = [&](const std::string& text) {
        asked.error = text;
        return asked;
    };
    if (!options.wanted()) return refuse(without_meeting(options));
    if (auto text = complaint_about_pairs(options, spec, run_id); !text.empty()) return refuse(text);
    auto& meeting = asked.meeting;
    meeting.directory = options.directory;
    meeting.allow_relaunch = options.allow_relaunch;
    meeting.settings.run_id = options.join.empty() ? run_id : options.join;
    if (!options.nodes.empty() && !read_nodes(options.nodes, meeting.settings))
        return refuse("--nodes " + options.nodes + ": write it as MIN or MIN:MAX");
    auto timed = meet::with_times(meeting.settings, options.times);
    if (const auto* failure = std::get_if<core::rendezvous::Failure>(&timed))
        return refuse("--rendezvous-config: " + failure->text);
    meeting.settings = std::get<Settings>(timed);
    return refuse(read_host(options.host, meeting.host));
}

}  // namespace muster::cli
