// SPDX-License-Identifier: Apache-2.0
#include "core/registry.hpp"

#include <algorithm>
#include <utility>

#include "core/assert.hpp"
#include "core/store_state.hpp"
#include "muster/store.hpp"

namespace muster::core {
namespace {

void write(Writer& out, const std::string& key, const std::optional<Registry::Version>& version) {
    out.text(key);
    out.u8(version ? 1 : 0);
    if (!version) return;
    out.id(version->token);
    out.id(version->author);
    out.id(version->call);
    out.blob(version->bytes);
}

std::pair<std::string, std::optional<Registry::Version>> read(Reader& in) {
    auto key = in.text();
    if (in.u8() == 0) return {std::move(key), std::nullopt};
    Registry::Version version;
    version.token = in.id<RegistryToken>();
    version.author = in.id<Rank>();
    version.call = in.id<CallId>();
    version.bytes = in.blob();
    return {std::move(key), std::move(version)};
}

}  // namespace

Bytes Registry::entry(const std::string& key, const std::optional<Version>& version) {
    Writer out;
    write(out, key, version);
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
    auto [key, version] = read(in);
    if (!in.finished()) return false;
    put(key, std::move(version));
    return true;
}

Bytes Registry::snapshot() const {
    Writer out;
    out.u64(versions_.size());
    for (const auto& [key, version] : versions_) write(out, key, version);
    return out.take();
}

bool Registry::load(std::span<const std::byte> snapshot) {
    Reader in(snapshot);
    Registry read_back;
    for (auto left = in.u64(); left > 0 && in.ok(); --left) {
        auto [key, version] = read(in);
        read_back.put(key, std::move(version));
    }
    if (!in.finished()) return false;
    *this = std::move(read_back);
    return true;
}

const Registry::Version* Registry::find(const std::string& key) const {
    const auto found = versions_.find(key);
    return found == versions_.end() ? nullptr : &found->second;
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

MirrorEffects RegistryServer::change(Rank client, message::RegistryAsk ask) {
    const auto* there = registry_->find(ask.key);
    const bool again = there != nullptr && there->author == client && there->call == ask.id;
    const bool fits = there == nullptr ? !ask.token : ask.token == there->token;
    if (again || !fits) {
        auto answered = told(ask);
        answered.accepted = again;
        answer(client, std::move(answered));
        return {};
    }
    const std::size_t freed = there == nullptr ? 0 : ask.key.size() + there->bytes.size();
    const std::size_t needed = ask.key.size() + ask.bytes.size();
    const bool erases = ask.what == message::RegistryAsk::erase;
    if (ask.key.empty() || ask.key.size() > kStoreKeyMax ||
        (!erases && registry_->bytes() - freed + needed > bytes_max_)) {
        auto refused = told(ask);
        refused.error = "version " + in_quotes(ask.key) + " of " + std::to_string(needed) + " bytes: keys have 1 to " +
                        std::to_string(kStoreKeyMax) + " bytes, and all together at most " + std::to_string(bytes_max_);
        answer(client, std::move(refused));
        return {};
    }
    const auto& position = mirror_.position();
    const RegistryToken token{std::uint64_t{position.term.value} << 32U | ((position.index + 1) & 0xffff'ffffU)};
    std::optional<Registry::Version> version;
    if (!erases) version = Registry::Version{token, ask.bytes, client, ask.id};
    auto out = mirror_.append(Registry::entry(ask.key, version));
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
