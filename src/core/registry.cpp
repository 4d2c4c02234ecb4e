// SPDX-License-Identifier: Apache-2.0
#include "core/registry.hpp"

#include <algorithm>
#include <utility>

#include "core/assert.hpp"
#include "core/store_state.hpp"
#include "muster/store.hpp"

namespace muster::core {
namespace {

constexpr std::size_t kRememberedMax = 1024;  ///< Changes of one client that it has not said to have the answers to.

void write(Writer& out, const Registry::Version& version) {
    out.id(version.token);
    out.blob(version.bytes);
}

Registry::Version read_version(Reader& in) {
    Registry::Version version;
    version.token = in.id<RegistryToken>();
    version.bytes = in.blob();
    return version;
}

}  // namespace

Bytes Registry::entry(const Change& change) {
    Writer out;
    out.id(change.author);
    out.id(change.call);
    out.id(change.settled);
    out.text(change.key);
    out.u8(change.version ? 1 : 0);
    if (change.version) write(out, *change.version);
    return out.take();
}

void Registry::put(const std::string& key, std::optional<Version> version) {
    if (const auto old = versions_.find(key); old != versions_.end()) {
        bytes_ -= key.size() + old->second.bytes.size();
        versions_.erase(old);
    }
    if (!version) return;
    bytes_ += key.size() + version->bytes.size();
    versions_.emplace(key, std::move(*version));
}

bool Registry::apply(std::span<const std::byte> entry) {
    Reader in(entry);
    const auto author = in.id<Rank>();
    const auto call = in.id<CallId>(), settled = in.id<CallId>();
    const auto key = in.text();
    std::optional<Version> version;
    if (in.u8() != 0) version = read_version(in);
    if (!in.finished()) return false;
    put(key, std::move(version));
    Client& client = clients_[author];
    client.settled = std::max(client.settled, settled);
    client.done.erase(client.done.begin(), client.done.lower_bound(client.settled));
    client.done.insert(call);
    return true;
}

Bytes Registry::snapshot() const {
    Writer out;
    out.u64(versions_.size());
    for (const auto& [key, version] : versions_) out.text(key), write(out, version);
    out.u64(clients_.size());
    for (const auto& [rank, client] : clients_) {
        out.id(rank);
        out.id(client.settled);
        out.u64(client.done.size());
        for (const CallId call : client.done) out.id(call);
    }
    return out.take();
}

bool Registry::load(std::span<const std::byte> snapshot) {
    Reader in(snapshot);
    Registry read_back;
    for (auto left = in.u64(); left > 0 && in.ok(); --left) {
        const auto key = in.text();
        read_back.put(key, read_version(in));
    }
    for (auto left = in.u64(); left > 0 && in.ok(); --left) {
        Client& client = read_back.clients_[in.id<Rank>()];
        client.settled = in.id<CallId>();
        for (auto calls = in.u64(); calls > 0 && in.ok(); --calls) client.done.insert(in.id<CallId>());
    }
    if (!in.finished()) return false;
    *this = std::move(read_back);
    return true;
}

const Registry::Version* Registry::find(const std::string& key) const {
    const auto found = versions_.find(key);
    return found == versions_.end() ? nullptr : &found->second;
}

bool Registry::was_done(Rank client, CallId call) const {
    const auto known = clients_.find(client);
    return known != clients_.end() && known->second.done.contains(call);
}

CallId Registry::settled(Rank client) const {
    const auto known = clients_.find(client);
    return known == clients_.end() ? CallId{} : known->second.settled;
}

std::size_t Registry::unsettled(Rank client, CallId settled) const {
    const auto known = clients_.find(client);
    if (known == clients_.end()) return 0;
    const auto& done = known->second.done;
    return static_cast<std::size_t>(std::distance(done.lower_bound(settled), done.end()));
}

MirrorEffects RegistryServer::complete(Round round, Rank coordinator, const std::vector<Rank>& followers,
                                       std::optional<Rank> source) {
    if (coordinator != self_) {  // Whoever has asked here asks the successor.
        early_.clear();
        held_.clear();
    }
    return mirror_.complete(round, coordinator, followers, source);
}

message::RegistryTold RegistryServer::told(const message::RegistryAsk& ask) const {
    message::RegistryTold told{.id = ask.id, .error = {}, .token = {}, .bytes = {}, .accepted = false};
    if (const auto* version = registry_->find(ask.key)) {
        told.token = version->token;
        told.bytes = version->bytes;
    }
    return told;
}

MirrorEffects RegistryServer::ask(Rank client, message::RegistryAsk ask) {
    if (!mirror_.serving()) {
        early_.emplace_back(client, std::move(ask));
        return {};
    }
    if (ask.what != message::RegistryAsk::get) return change(client, std::move(ask));
    answer(client, told(ask));
    return {};
}

/// Why this cannot be done at all.
std::optional<std::string> RegistryServer::objection_to(Rank client, const message::RegistryAsk& ask) const {
    const auto* there = registry_->find(ask.key);
    const std::size_t freed = there == nullptr ? 0 : ask.key.size() + there->bytes.size();
    const std::size_t needed = ask.key.size() + ask.bytes.size();
    const bool full = ask.what == message::RegistryAsk::set && registry_->bytes() - freed + needed > bytes_max_;
    if (ask.key.empty() || ask.key.size() > kStoreKeyMax || full)
        return "version " + in_quotes(ask.key) + " of " + std::to_string(needed) + " bytes: keys have 1 to " +
               std::to_string(kStoreKeyMax) + " bytes, and all together at most " + std::to_string(bytes_max_);
    if (registry_->unsettled(client, ask.settled) >= kRememberedMax)
        return "rank " + std::to_string(client.value) + " has " + std::to_string(kRememberedMax) +
               " changes of the registry under way; " + in_quotes(ask.key) + " must wait";
    return std::nullopt;
}

MirrorEffects RegistryServer::change(Rank client, message::RegistryAsk ask) {
    const bool again = registry_->was_done(client, ask.id);
    if (!again && ask.id < registry_->settled(client)) return {};  // The client waits for it no longer.
    const auto* there = registry_->find(ask.key);
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
    const auto& position = mirror_.position();
    const RegistryToken token{std::uint64_t{position.term.value} << 32U | ((position.index + 1) & 0xffff'ffffU)};
    Registry::Change entry{client, ask.id, ask.settled, ask.key, std::nullopt};
    if (ask.what == message::RegistryAsk::set) entry.version = Registry::Version{token, ask.bytes};
    auto out = mirror_.append(Registry::entry(entry));
    auto answered = told(ask);
    answered.accepted = true;
    answer(client, std::move(answered));
    return out;
}

/// What an answer tells is not seen by anybody before the followers have it.
void RegistryServer::answer(Rank client, message::RegistryTold told) {
    held_.push_back({mirror_.position().index, {client, std::move(told)}});
}

MirrorEffects RegistryServer::serve() {
    MirrorEffects out;
    if (!mirror_.serving()) return out;
    for (auto& [client, early] : std::exchange(early_, {})) {
        auto effects = ask(client, std::move(early));
        std::move(effects.begin(), effects.end(), std::back_inserter(out));
    }
    return out;
}

std::vector<RegistryReply> RegistryServer::take_replies() {
    std::vector<RegistryReply> replies;
    if (!mirror_.serving()) return replies;
    auto open = held_.begin();
    for (; open != held_.end() && open->after <= mirror_.safe(); ++open) replies.push_back(std::move(open->reply));
    held_.erase(held_.begin(), open);
    return replies;
}

}  // namespace muster::core
