// SPDX-License-Identifier: Apache-2.0
// One byte for the kind, then the fields in their order. Kinds are numbers in files: only ever add to the end.
#include "core/controller_event.hpp"

#include <utility>

#include "core/overloaded.hpp"

namespace muster::core::controller {

namespace {

template <class IdType>
void put_ids(Writer& out, const std::vector<IdType>& ids) {
    out.u32(static_cast<std::uint32_t>(ids.size()));
    for (const auto id : ids) out.id(id);
}

template <class IdType>
std::vector<IdType> take_ids(Reader& in) {
    std::vector<IdType> ids;
    for (auto left = in.count(sizeof(IdType::value)); left > 0; --left) ids.push_back(in.id<IdType>());
    return ids;
}

void put(Writer& out, const event::BackendSet& event) {
    out.text(event.tag);
    controller::put(out, event.backend.config);
    out.text(event.backend.replica_config);
    out.u64(event.backend.version);
    out.u32(event.backend.wanted);
    out.id(event.goal);
    put_ids(out, event.start);
    put_ids(out, event.stop);
}

event::BackendSet take_backend_set(Reader& in) {
    event::BackendSet event;
    event.tag = in.text();
    event.backend.config = take_backend_config(in);
    event.backend.replica_config = in.text();
    event.backend.version = in.u64();
    event.backend.wanted = in.u32();
    event.goal = in.id<GoalId>();
    event.start = take_ids<ReplicaId>(in);
    event.stop = take_ids<ReplicaId>(in);
    return event;
}

void put(Writer& out, const event::BackendDeleted& event) {
    out.text(event.tag);
    out.id(event.goal);
    out.u64(event.grace_ms);
}

void put(Writer& out, const event::EndpointSet& event) {
    out.text(event.name);
    controller::put(out, event.endpoint);
}

void put(Writer& out, const event::EndpointDeleted& event) { out.text(event.name); }

void put(Writer& out, const event::ReplicasMoved& event) {
    out.text(event.tag);
    out.u8(event.wanted ? 1 : 0);
    if (event.wanted) out.u32(*event.wanted);
    for (const auto* list : {&event.running, &event.stop, &event.stopping, &event.gone, &event.start})
        put_ids(out, *list);
    out.u64(event.grace_ms);
}

event::ReplicasMoved take_replicas_moved(Reader& in) {
    event::ReplicasMoved event;
    event.tag = in.text();
    if (in.u8() == 1) event.wanted = in.u32();
    for (auto* list : {&event.running, &event.stop, &event.stopping, &event.gone, &event.start})
        *list = take_ids<ReplicaId>(in);
    event.grace_ms = in.u64();
    return event;
}

void put(Writer& out, const event::GoalsEnded& event) {
    out.u8(static_cast<std::uint8_t>(event.outcome));
    put_ids(out, event.goals);
}

void put(Writer& out, const event::GoalsForgotten& event) { put_ids(out, event.goals); }
void put(Writer&, const event::ShuttingDown&) {}
void put(Writer&, const event::Cleared&) {}

std::optional<Event> take_goals_ended(Reader& in) {
    const auto outcome = in.u8();
    if (outcome > static_cast<std::uint8_t>(GoalOutcome::failed)) return std::nullopt;
    return event::GoalsEnded{static_cast<GoalOutcome>(outcome), take_ids<GoalId>(in)};
}

std::optional<Event> take(std::size_t kind, Reader& in) {
    switch (kind) {
        case 0: return take_backend_set(in);
        case 1: {
            auto tag = in.text();
            const auto goal = in.id<GoalId>();
            return event::BackendDeleted{std::move(tag), goal, in.u64()};
        }
        case 2: {
            auto name = in.text();
            return event::EndpointSet{std::move(name), take_endpoint(in)};
        }
        case 3: return event::EndpointDeleted{in.text()};
        case 4: return take_replicas_moved(in);
        case 5: return take_goals_ended(in);
        case 6: return event::GoalsForgotten{take_ids<GoalId>(in)};
        case 7: return event::ShuttingDown{};
        case 8: return event::Cleared{};
        default: return std::nullopt;
    }
}

template <class IdType>
std::string words(const char* what, const std::vector<IdType>& ids) {
    std::string text;
    for (const auto id : ids) text += (text.empty() ? "" : ",") + std::to_string(id.value);
    return ids.empty() ? text : " " + std::string(what) + (*what ? " " : "") + text;
}

}  // namespace

Bytes encode(const Event& event) {
    Writer out;
    out.u8(static_cast<std::uint8_t>(event.index()));
    std::visit([&out](const auto& one) { put(out, one); }, event);
    return out.take();
}

std::optional<Event> decode_event(std::span<const std::byte> record) {
    Reader in(record);
    const auto kind = in.u8();
    if (!in.ok()) return std::nullopt;
    auto event = take(kind, in);
    if (!in.finished()) return std::nullopt;
    return event;
}

std::string describe(const Event& event) {
    constexpr const char* outcomes[] = {"pending", "reached", "replaced", "failed"};
    return std::visit(
        Overloaded{[](const event::BackendSet& one) {
                       return "backend " + one.tag + " set: version " + std::to_string(one.backend.version) +
                              ", wanted " + std::to_string(one.backend.wanted) + ", goal g" +
                              std::to_string(one.goal.value) + words("start", one.start) + words("stop", one.stop);
                   },
                   [](const event::BackendDeleted& one) {
                       return "backend " + one.tag + " deleted: goal g" + std::to_string(one.goal.value) + ", grace " +
                              std::to_string(one.grace_ms) + " ms";
                   },
                   [](const event::EndpointSet& one) { return "endpoint " + one.name + " set"; },
                   [](const event::EndpointDeleted& one) { return "endpoint " + one.name + " deleted"; },
                   [](const event::ReplicasMoved& one) {
                       return "replicas of " + one.tag + ":" +
                              (one.wanted ? " wanted " + std::to_string(*one.wanted) : std::string()) +
                              words("running", one.running) + words("stop", one.stop) +
                              words("stopping", one.stopping) + words("gone", one.gone) + words("start", one.start);
                   },
                   [&outcomes](const event::GoalsEnded& one) {
                       return std::string("goals ") + outcomes[static_cast<std::size_t>(one.outcome)] +
                              words("", one.goals);
                   },
                   [](const event::GoalsForgotten& one) { return "goals forgotten" + words("", one.goals); },
                   [](const event::ShuttingDown&) { return std::string("shutting down"); },
                   [](const event::Cleared&) { return std::string("cleared"); }},
        event);
}

}  // namespace muster::core::controller
