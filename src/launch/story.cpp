// SPDX-License-Identifier: Apache-2.0
#include "launch/story.hpp"

#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace muster::launch {

namespace {

using nlohmann::json;

/// event[key] as T, or `fallback` where it is missing or of another type.
template <class T>
T field(const json& event, const char* key, T fallback) {
    const auto found = event.is_object() ? event.find(key) : event.end();
    if (found == event.end()) return fallback;
    if constexpr (std::is_same_v<T, std::string>)
        return found->is_string() ? found->get<T>() : fallback;
    else
        return found->is_number() ? found->get<T>() : fallback;
}

const json& list(const json& event, const char* key) {
    static const json nothing = json::array();
    const auto found = event.find(key);
    return found != event.end() && found->is_array() ? *found : nothing;
}

std::string joined_with(const std::vector<std::string>& parts, const char* between) {
    std::string text;
    for (const auto& part : parts) text += (text.empty() ? "" : between) + part;
    return text;
}

std::string number(int value) { return std::to_string(value); }

std::string describe_loss(const json& loss) {
    auto text = "rank " + number(field(loss, "rank", -1));
    if (const auto node = field<std::string>(loss, "node", ""); !node.empty()) text += " on " + node;
    if (const auto how = field<std::string>(loss, "text", ""); !how.empty()) text += " (" + how + ")";
    return text;
}

std::string parts_of_stall(const json& event) {
    std::string text;
    for (const auto* key : {"detect_ms", "shrink_ms", "build_ms", "resume_ms"}) {
        if (!event.contains(key)) continue;
        std::string name = key;
        name.resize(name.size() - 3);
        for (auto& letter : name) letter = letter == '_' ? ' ' : letter;
        text += (text.empty() ? "" : ", ") + name + " " + milliseconds(field(event, key, 0.0));
    }
    return text.empty() ? "" : "  of the stall (ms): " + text;
}

}  // namespace

std::string milliseconds(double value) {
    char text[64];
    const int decimals = std::fabs(value) >= 99.95 ? 0 : std::fabs(value) >= 0.995 ? 1 : 2;
    std::snprintf(text, sizeof text, "%.*f", decimals, value);
    return text;
}

std::vector<StoryLine> Story::take(int rank, const json& event) {
    const auto kind = field<std::string>(event, "event", "");
    if (kind == "joined") return take_joined(event);
    if (kind == "joining") {
        joining_ = true;
        return {};
    }
    if (kind == "rendezvous") return {};  // For --json.
    if (kind == "round") return take_round(event);
    if (kind == "note")
        return {{"rank " + number(field(event, "rank", rank)) + ": " + field<std::string>(event, "text", "")}};
    if (kind == "straggler")
        return {{"rank " + number(field(event, "rank", -1)) + " on " + field<std::string>(event, "node", "?") +
                 " is slow: its part of a turn takes " + milliseconds(field(event, "turn_ms", 0.0)) + " ms, " +
                 milliseconds(field(event, "times", 0.0)) + " times as long as the others' of lockstep group " +
                 number(field(event, "group", 0))}};
    if (kind == "state") return take_state(event);
    if (kind == "exit") {
        exits_.push_back({.rank = field(event, "rank", rank), .status = field(event, "status", 0)});
        return {{"rank " + number(exits_.back().rank) + " exits with " + number(exits_.back().status), true}};
    }
    if (kind == "ended") {
        const Ended ending{field(event, "code", 70), field<std::string>(event, "reason", "")};
        // Stopped, given up and woken again: what it thinks of the job is long over.
        if (lost_.contains(rank))
            return {{"rank " + number(rank) + ", which the job has lost, ends with " + number(ending.code) + ": " +
                         ending.reason,
                     true}};
        if (ended_) return {};  // several members may tell it
        ended_ = ending;
        ended_by_ = rank;
        return {
            {"the job has ended: " + number(ending.code) + (ending.reason.empty() ? "" : ", " + ending.reason), true}};
    }
    return {{"event of rank " + number(rank) + ": " + event.dump(), true}};
}

/// A new coordinator tells the last one again, without who asked for it.
std::vector<StoryLine> Story::take_state(const json& event) {
    const int barrier = field(event, "number", 0), by = field(event, "by", -1);
    if (barrier <= barrier_) return {};
    barrier_ = barrier;
    state_ = field<std::string>(event, "state", "?");
    return {{state_ + " (barrier " + number(barrier) + (by < 0 ? "" : ", asked for by rank " + number(by)) + ")"}};
}

std::vector<StoryLine> Story::take_joined(const json& event) {
    joined_ = true;
    round_ = field(event, "round", 1);
    const int engines = field(event, "engines", 0), engine_ranks = field(event, "engine_ranks", 1);
    const int clients = field(event, "clients", 0);
    size_ = static_cast<int>(static_cast<long>(engines) * engine_ranks);
    std::vector<std::string> nodes;
    for (const auto& node : list(event, "nodes"))
        if (node.is_string()) nodes.push_back(node);
    return {{"round " + number(round_) + ": " + number(engines) + " engines" +
                 (engine_ranks > 1 ? " of " + number(engine_ranks) + " ranks" : "") + ", " +
                 number(field(event, "standbys", 0)) + " standbys" +
                 (clients > 0 ? ", " + number(clients) + " clients" : "") + " on " + joined_with(nodes, ", "),
             true}};
}

std::vector<StoryLine> Story::take_round(const json& event) {
    joined_ = true;
    const int before = size_, to = field(event, "to", round_ + 1);
    if (to <= told_round_) return {};  // Again, by the successor of a coordinator.
    round_ = told_round_ = to;
    size_ = field(event, "size", size_);
    std::vector<std::string> parts, losses;
    for (const auto& loss : list(event, "lost")) {
        lost_.insert(field(loss, "rank", -1));
        losses.push_back(describe_loss(loss));
    }
    if (!losses.empty()) parts.push_back("lost " + joined_with(losses, " and "));
    for (const auto& promotion : list(event, "promoted"))
        parts.push_back("rank " + number(field(promotion, "rank", -1)) + " promoted to slot " +
                        number(field(promotion, "slot", -1)));
    if (before != 0 && size_ != before) parts.push_back("world " + number(before) + " -> " + number(size_));
    parts.push_back("stalled " + milliseconds(field(event, "stalled_ms", 0.0)) + " ms");
    std::vector<StoryLine> lines = {{"round " + number(field(event, "from", round_ - 1)) + "->" + number(round_) +
                                     ": " + joined_with(parts, ", ")}};
    if (const auto detail = parts_of_stall(event); !detail.empty()) lines.push_back({detail, true});
    if (ended_ && lost_.contains(ended_by_)) {
        lines.push_back({"  what rank " + number(ended_by_) + " has said of the job's end was its own part's", true});
        ended_.reset();
    }
    return lines;
}

}  // namespace muster::launch
