// SPDX-License-Identifier: Apache-2.0
#include "launch/meeting_words.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "launch/command_line.hpp"
#include "meet/settings.hpp"

namespace muster::launch {

namespace {

using core::rendezvous::Settings;
using nlohmann::json;

json as_json(const HostSlots& host) { return {{"host", host.name}, {"slots", host.slots}}; }

HostSlots host_from(const json& value) { return {value.at("host"), value.at("slots")}; }

std::string times_text(const Settings& settings) {
    std::string text;
    for (const auto& [key, value] : meet::times_of(settings)) text += (text.empty() ? "" : ",") + key + "=" + value;
    return text;
}

/// What `read` makes of the text, or nothing where it is no JSON or something is missing or of another type.
template <class T, class Read>
std::optional<T> parsed(const std::string& text, Read read) {
    const auto value = json::parse(text, nullptr, false);
    if (value.is_discarded()) return std::nullopt;
    try {
        return read(value);
    } catch (const json::exception&) {
        return std::nullopt;
    }
}

std::string in_quotes(const std::string& text) { return "'" + text + "'"; }

}  // namespace

Guest guest_of(const JobSpec& spec, const Meeting& meeting) {
    Guest guest{meeting.host, job_environment(spec, {}, "", ""), spec.program};
    const auto& settings = meeting.settings;
    guest.job["--nodes"] = std::to_string(settings.min_nodes) + ":" + std::to_string(settings.max_nodes);
    guest.job["--allow-relaunch"] = meeting.allow_relaunch ? "yes" : "no";
    for (const auto& [key, value] : meet::times_of(settings)) guest.job[key] = value;
    return guest;
}

std::string as_text(const Guest& guest) {
    json value = as_json(guest.host);
    value["job"] = guest.job;
    value["program"] = guest.program;
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::optional<Guest> guest_from(const std::string& text) {
    return parsed<Guest>(text, [](const json& value) {
        return Guest{host_from(value), value.at("job"), value.at("program")};
    });
}

std::string difference(const Guest& here, const Guest& there) {
    for (const auto& [key, value] : here.job) {
        const auto found = there.job.find(key);
        const std::string other = found == there.job.end() ? "" : found->second;
        if (other != value) return key + " is " + in_quotes(other) + " there and " + in_quotes(value) + " here";
    }
    // As it has come through JSON: a byte that is no UTF-8 is the same replacement on both sides.
    const auto program = guest_from(as_text(here))->program;
    if (there.program == program) return "";
    return "the program is `" + quoted(there.program) + "` there and `" + quoted(program) + "` here";
}

std::string as_text(const Bootstrap& bootstrap) {
    json hosts = json::array();
    for (const auto& host : bootstrap.hosts) hosts.push_back(as_json(host));
    const auto& settings = bootstrap.settings;
    return json{{"launcher", bootstrap.launcher},  {"hosts", hosts},
                {"engines", bootstrap.engines},    {"run_id", settings.run_id},
                {"min_nodes", settings.min_nodes}, {"max_nodes", settings.max_nodes},
                {"times", times_text(settings)},   {"allow_relaunch", bootstrap.allow_relaunch}}
        .dump(-1, ' ', false, json::error_handler_t::replace);
}

std::optional<Bootstrap> bootstrap_from(const std::string& text) {
    return parsed<Bootstrap>(text, [](const json& value) -> std::optional<Bootstrap> {
        Bootstrap bootstrap{.launcher = value.at("launcher"),
                            .hosts = {},
                            .engines = value.at("engines"),
                            .settings = {},
                            .allow_relaunch = value.at("allow_relaunch")};
        for (const auto& host : value.at("hosts")) bootstrap.hosts.push_back(host_from(host));
        Settings settings;
        settings.run_id = value.at("run_id");
        settings.min_nodes = value.at("min_nodes");
        settings.max_nodes = value.at("max_nodes");
        const auto timed = meet::with_times(settings, value.at("times"));
        if (!std::holds_alternative<Settings>(timed)) return std::nullopt;
        bootstrap.settings = std::get<Settings>(timed);
        return bootstrap;
    });
}

std::string as_text(const Verdict& verdict) {
    return json{{"code", verdict.code}, {"text", verdict.text}, {"detail", verdict.detail}}.dump(
        -1, ' ', false, json::error_handler_t::replace);
}

std::optional<Verdict> verdict_from(const std::string& text) {
    return parsed<Verdict>(text, [](const json& value) {
        return Verdict{value.at("code"), value.at("text"), value.at("detail")};
    });
}

JobSpec spec_for(JobSpec spec, const std::vector<Guest>& guests) {
    spec.hosts.clear();
    int slots = 0;
    for (const auto& guest : guests) {
        const auto same = [&](const HostSlots& host) { return host.name == guest.host.name; };
        const auto found = std::find_if(spec.hosts.begin(), spec.hosts.end(), same);
        slots += guest.host.slots;
        if (found == spec.hosts.end())
            spec.hosts.push_back(guest.host);
        else
            found->slots += guest.host.slots;
    }
    if (spec.engines > 0) return spec;
    spec.engines_fill = true;
    const int fit = (slots - spec.standbys - spec.clients) / std::max(1, spec.engine_ranks);
    spec.engines = std::max(0, spec.group_size > 0 ? fit - fit % spec.group_size : fit);
    return spec;
}

std::string as_text(const HostSlots& host) {
    return as_json(host).dump(-1, ' ', false, json::error_handler_t::replace);
}

std::optional<HostSlots> host_slots_from(const std::string& text) {
    return parsed<HostSlots>(text, [](const json& value) { return host_from(value); });
}

std::string hosts_text(const std::vector<HostSlots>& hosts) {
    std::string text;
    for (const auto& host : hosts) text += (text.empty() ? "" : ", ") + host.name + ":" + std::to_string(host.slots);
    return text;
}

Verdict refusal(const Bootstrap& job, Round round) {
    const auto outcome = outcome_of(
        ExitCode::refused, "the job '" + job.settings.run_id + "' is running in round " + std::to_string(round.value) +
                               " with " + std::to_string(job.engines) + " engines on " + hosts_text(job.hosts) +
                               "; its launcher cannot add processes to a running MPI job, and it was not started with "
                               "--allow-relaunch: wait for its end, or end it, and start all its nodes again with "
                               "`muster run --rendezvous`");
    return {.code = outcome.code, .text = outcome.text};
}

}  // namespace muster::launch
