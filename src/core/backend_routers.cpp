// SPDX-License-Identifier: Apache-2.0
#include "core/backend_routers.hpp"

#include <algorithm>

#include "core/ranks.hpp"

namespace muster::core {
namespace {

constexpr const char* kNameOne =
    "this job has a controller: a request must name an endpoint or a backend (SubmitOptions::endpoint, ::backend)";

/// In the controller's words.
std::string not_registered(const std::string& backend) { return "Backend " + backend + " is not registered."; }

Answered refusal(Rank client, RequestId id, Fault fault, std::string why) {
    return {client, {id, false, std::move(why), {}, fault}};
}

RouterSettings that_wait(RouterSettings settings) {
    settings.waits = true;
    return settings;
}

}  // namespace

BackendRouters::BackendRouters(const RouterSettings& settings, bool by_backend)
    : settings_(that_wait(settings)), by_backend_(by_backend), only_(settings) {}

// Where a request goes.

Routings BackendRouters::submit(Rank client, message::Submit submit) {
    if (!by_backend_) return submit_without(client, std::move(submit));
    Routings out;
    if (backends_) {
        route(client, std::move(submit), out);
        return out;
    }
    const bool is_new = std::none_of(early_.begin(), early_.end(), [&](const auto& one) {
        return one.first == client && one.second.id == submit.id;
    });
    if (is_new) early_.emplace_back(client, std::move(submit));
    return out;
}

Routings BackendRouters::submit_without(Rank client, message::Submit submit) {
    if (submit.target.kind == Target::anybody) return only_.submit(client, std::move(submit));
    const std::string what = submit.target.kind == Target::endpoint ? "endpoint " : "backend ";
    return {refusal(client, submit.id, Fault::refused,
                    "the job has no controller (Config::controller): nobody serves " + what + submit.target.name)};
}

void BackendRouters::route(Rank client, message::Submit submit, Routings& out) {
    const Key key{client, submit.id};
    if (where_.contains(key)) return;
    std::string why_not = kNoEngines;
    std::optional<Traffic::Choice> choice;
    if (rebuilding_ || !engines_.empty()) choice = choice_for(client, submit, why_not);
    if (!choice) {
        out.push_back(refusal(client, submit.id, Fault::refused, std::move(why_not)));
        return;
    }
    where_[key] = choice->backend;
    ++ongoing_[choice->backend];
    for (const auto& shadow : choice->shadows) copy(shadow, client, submit, out);
    pass(router_of(choice->backend, out).submit(client, std::move(submit)), out);
}

std::optional<Traffic::Choice> BackendRouters::choice_for(Rank client, const message::Submit& submit,
                                                          std::string& why_not) const {
    Traffic::Choice choice{submit.target.name};
    if (submit.target.kind == Target::endpoint) {
        auto drawn = traffic_.choose(submit.target.name, client, submit.id);
        if (!drawn) {
            why_not = "Endpoint " + submit.target.name + " is not registered.";
            return std::nullopt;
        }
        choice = std::move(*drawn);
    } else if (submit.target.kind == Target::anybody) {
        why_not = kNameOne;
        auto backend = submit.pin ? backend_at(*submit.pin, why_not) : std::nullopt;
        if (!backend) return std::nullopt;
        choice.backend = std::move(*backend);
    }
    why_not = not_registered(choice.backend);
    return backends_->contains(choice.backend) ? std::optional(std::move(choice)) : std::nullopt;
}

std::optional<std::string> BackendRouters::backend_at(Slot slot, std::string& why_not) const {
    const std::string name = "slot " + std::to_string(slot.value);
    if (slot.value >= seats_.size()) {
        why_not = name + " is not there: the world has " + std::to_string(seats_.size()) + " slots";
        return std::nullopt;
    }
    const auto found = backend_of_engine_.find(seats_[slot.value]);
    if (found != backend_of_engine_.end()) return found->second;
    why_not = "the engine at " + name + " serves no backend";
    return std::nullopt;
}

/// Not for a request that comes again: its copy has been made. Nobody waits for a copy, so it does not wait either.
void BackendRouters::copy(const std::string& backend, Rank client, const message::Submit& submit, Routings& out) {
    if (submit.again || rebuilding_ || !backends_->contains(backend)) return;
    auto& router = router_of(backend, out);
    if (router.candidates().empty()) return;
    pass(router.submit(shadow_of(client), {submit.id, submit.bytes, {}, submit.blocks}), out);
}

Router& BackendRouters::router_of(const std::string& backend, Routings& out) {
    const auto [entry, is_new] = routers_.try_emplace(backend, settings_);
    if (is_new) fit(backend, entry->second, out);
    return entry->second;
}

/// Whose books have it. Copies are known by the engine that has them.
Router* BackendRouters::owner_of(const Key& key, Rank engine) {
    const auto backend = where_.find(key);
    const auto of_engine = backend_of_engine_.find(engine);
    if (backend == where_.end() && of_engine == backend_of_engine_.end()) return nullptr;
    const auto found = routers_.find(backend != where_.end() ? backend->second : of_engine->second);
    return found == routers_.end() ? nullptr : &found->second;
}

/// What a router says goes out, but for answers to copies.
void BackendRouters::pass(Routings routings, Routings& out) {
    for (auto& one : routings) {
        if (const auto* answered = std::get_if<Answered>(&one)) {
            if (is_shadow(answered->client)) continue;
            forget({answered->client, answered->answer.id});
        }
        out.push_back(std::move(one));
    }
}

void BackendRouters::forget(const Key& key) {
    const auto found = where_.find(key);
    if (found == where_.end()) return;
    if (const auto count = ongoing_.find(found->second); --count->second == 0) ongoing_.erase(count);
    where_.erase(found);
}

// Outcomes.

Routings BackendRouters::reply(Rank engine, message::Reply reply) {
    if (!by_backend_) return only_.reply(engine, std::move(reply));
    Routings out;
    if (auto* router = owner_of({reply.client, reply.id}, engine))
        pass(router->reply(engine, std::move(reply)), out);
    else if (!is_shadow(reply.client))  // An earlier coordinator gave it away: the client knows whether it waits.
        out.push_back(Answered{reply.client, {reply.id, true, {}, std::move(reply.bytes)}});
    return out;
}

Routings BackendRouters::abort(Rank client, RequestId id) {
    if (!by_backend_) return only_.abort(client, id);
    Routings out;
    const auto early = std::find_if(early_.begin(), early_.end(),
                                    [&](const auto& one) { return one.first == client && one.second.id == id; });
    if (early != early_.end()) {
        early_.erase(early);
        out.push_back(refusal(client, id, Fault::aborted, kAborted));
    } else if (const auto found = where_.find({client, id}); found != where_.end()) {
        pass(routers_.at(found->second).abort(client, id), out);
    }
    return out;
}

Routings BackendRouters::dropped(Rank engine, const message::Dropped& dropped) {
    if (!by_backend_) return only_.dropped(engine, dropped);
    Routings out;
    if (auto* router = owner_of({dropped.client, dropped.id}, engine)) pass(router->dropped(engine, dropped), out);
    return out;
}

bool BackendRouters::reported(Rank engine, const EngineReport& report) {
    if (!by_backend_) return only_.reported(engine, report);
    const auto backend = backend_of_engine_.find(engine);
    const auto router = backend == backend_of_engine_.end() ? routers_.end() : routers_.find(backend->second);
    return router != routers_.end() && router->second.reported(engine, report);
}

}  // namespace muster::core
