// SPDX-License-Identifier: Apache-2.0
#include "launch/pulses.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace muster::launch {

namespace {

std::string text_in(const nlohmann::json& event, const char* key) {
    const auto found = event.find(key);
    return found != event.end() && found->is_string() ? found->get<std::string>() : "";
}

/// A step that srun has made. The batch script's own is a number beyond all of those: it must never be cancelled.
std::string step_in(const nlohmann::json& event) {
    constexpr std::size_t kDigitsMax = 9;
    auto step = text_in(event, "slurm_step");
    const bool number = !step.empty() && step.find_first_not_of("0123456789") == std::string::npos;
    return number && step.size() <= kDigitsMax ? step : "";
}

}  // namespace

void Pulses::hello(int rank, const nlohmann::json& said, Clock::time_point now) {
    members_[rank] = {.node = text_in(said, "node"), .slurm_step = step_in(said), .last = now};
}

void Pulses::heard(int rank, const nlohmann::json& event, Clock::time_point now) {
    const auto found = members_.find(rank);
    if (found == members_.end()) return;
    found->second.last = now;
    if (text_in(event, "event") == "left") found->second.left = true;
    if (const auto step = event.find("step"); step != event.end() && step->is_number_integer())
        step_ = std::max(step_.value_or(0), step->get<std::uint64_t>());
    const auto first = event.find("first_ms");
    if (first != event.end() && first->is_number() && !first_commit_)
        first_commit_ = now - std::chrono::duration_cast<Clock::duration>(
                                  std::chrono::duration<double, std::milli>(first->get<double>()));
}

void Pulses::closed(int rank, Clock::time_point now) {
    const auto found = members_.find(rank);
    if (found == members_.end()) return;
    found->second.open = false;
    found->second.last = now;
}

bool Pulses::all_gone(Clock::time_point now, std::chrono::milliseconds window) const {
    bool missed = false;
    for (const auto& [rank, member] : members_) {
        if (lives(member, now, window)) return false;
        missed = missed || !member.left;
    }
    return missed;
}

std::set<std::string> Pulses::silent_nodes(Clock::time_point now, std::chrono::milliseconds window) const {
    std::set<std::string> silent, living;
    for (const auto& [rank, member] : members_) {
        if (lives(member, now, window) || member.left)
            living.insert(member.node);
        else if (!member.repaired)
            silent.insert(member.node);
    }
    if (living.empty()) return {};
    std::erase_if(silent, [&](const std::string& node) { return living.contains(node); });
    return silent;
}

void Pulses::node_lives(const std::string& node) {
    for (auto& [rank, member] : members_)
        if (member.node == node) member.repaired = true;
}

bool Pulses::any_open() const {
    return std::any_of(members_.begin(), members_.end(), [](const auto& entry) { return entry.second.open; });
}

std::optional<int> Pulses::lowest_open() const {
    for (const auto& [rank, member] : members_)
        if (member.open && !member.left) return rank;
    return std::nullopt;
}

Pulses::Clock::time_point Pulses::last_sign(const std::set<std::string>& nodes) const {
    Clock::time_point last{};
    for (const auto& [rank, member] : members_)
        if (nodes.empty() || nodes.contains(member.node)) last = std::max(last, member.last);
    return last;
}

std::string Pulses::slurm_step() const {
    for (const auto& [rank, member] : members_)
        if (!member.slurm_step.empty()) return member.slurm_step;
    return "";
}

}  // namespace muster::launch
