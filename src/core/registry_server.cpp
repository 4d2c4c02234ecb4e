// SPDX-License-Identifier: Apache-2.0
#include "core/registry_server.hpp"

#include <algorithm>
#include <utility>

#include "core/store_state.hpp"
#include "muster/store.hpp"

namespace muster::core {
namespace {

constexpr std::size_t kRememberedMax = 1024;  ///< Changes of one client that it has not said to have the answers to.

}  // namespace

void RegistryServer::complete(bool coordinates) {
    if (coordinates) return;
    early_.clear();  // Whoever has asked here asks the successor.
    held_.clear();
}

message::RegistryTold RegistryServer::told(const message::RegistryAsk& ask) const {
    message::RegistryTold told{.id = ask.id, .error = {}, .token = {}, .bytes = {}, .accepted = false};
    if (const auto* version = registry().find(ask.key)) {
        told.token = version->token;
        told.bytes = version->bytes;
    }
    return told;
}

MirrorEffects RegistryServer::ask(Rank client, message::RegistryAsk ask) {
    if (!keeper_->serving()) {
        early_.emplace_back(client, std::move(ask));
        return {};
    }
    if (ask.what != message::RegistryAsk::get) return change(client, std::move(ask));
    answer(client, told(ask));
    return {};
}

/// Why this cannot be done at all.
std::optional<std::string> RegistryServer::objection_to(Rank client, const message::RegistryAsk& ask) const {
    const auto* there = registry().find(ask.key);
    const std::size_t freed = there == nullptr ? 0 : ask.key.size() + there->bytes.size();
    const std::size_t needed = ask.key.size() + ask.bytes.size();
    const bool full = ask.what == message::RegistryAsk::set && registry().bytes() - freed + needed > bytes_max_;
    if (ask.key.empty() || ask.key.size() > kStoreKeyMax || full)
        return "version " + in_quotes(ask.key) + " of " + std::to_string(needed) + " bytes: keys have 1 to " +
               std::to_string(kStoreKeyMax) + " bytes, and all together at most " + std::to_string(bytes_max_);
    if (registry().unsettled(client, ask.settled) >= kRememberedMax)
        return "rank " + std::to_string(client.value) + " has " + std::to_string(kRememberedMax) +
               " changes of the registry under way; " + in_quotes(ask.key) + " must wait";
    return std::nullopt;
}

MirrorEffects RegistryServer::change(Rank client, message::RegistryAsk ask) {
    const bool again = registry().was_done(client, ask.id);
    if (!again && ask.id < registry().settled(client)) return {};  // The client waits for it no longer.
    const auto* there = registry().find(ask.key);
    const bool fits = there == nullptr ? !ask.token : ask.token == there->token;
    if (again || !fits) {
        auto answered = told(ask);
        answered.accepted = again;
        answer(client, std::move(answered));
        return {};
    }
    if (auto objection = objection_to(client, ask)) {
        auto refused = told(ask);
        refused.error = std::move(objection);
        answer(client, std::move(refused));
        return {};
    }
    const auto& position = keeper_->position();
    const RegistryToken token{std::uint64_t{position.term.value} << 32U | ((position.index + 1) & 0xffff'ffffU)};
    Registry::Change entry{client, ask.id, ask.settled, ask.key, std::nullopt};
    if (ask.what == message::RegistryAsk::set) entry.version = Registry::Version{token, ask.bytes};
    MirrorEffects out;
    auto failure = keeper_->append(JobState::entry(entry), out);
    auto answered = told(ask);
    answered.accepted = !failure;
    if (failure) answered.error = "nothing has changed: " + *failure;
    answer(client, std::move(answered));
    return out;
}

/// What an answer tells is not seen by anybody before the followers have it.
void RegistryServer::answer(Rank client, message::RegistryTold told) {
    held_.push_back({keeper_->position().index, {client, std::move(told)}});
}

MirrorEffects RegistryServer::serve() {
    MirrorEffects out;
    if (!keeper_->serving()) return out;
    for (auto& [client, early] : std::exchange(early_, {})) {
        auto effects = ask(client, std::move(early));
        std::move(effects.begin(), effects.end(), std::back_inserter(out));
    }
    return out;
}

std::vector<RegistryReply> RegistryServer::take_replies() {
    std::vector<RegistryReply> replies;
    if (!keeper_->serving()) return replies;
    auto open = held_.begin();
    for (; open != held_.end() && open->after <= keeper_->safe(); ++open) replies.push_back(std::move(open->reply));
    held_.erase(held_.begin(), open);
    return replies;
}

}  // namespace muster::core
