// SPDX-License-Identifier: Apache-2.0
#include "core/registry.hpp"

#include <algorithm>
#include <utility>

namespace muster::core {
namespace {

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

std::optional<Registry::Change> read_change(std::span<const std::byte> entry) {
    Reader in(entry);
    Registry::Change change;
    change.author = in.id<Rank>();
    change.call = in.id<CallId>();
    change.settled = in.id<CallId>();
    change.key = in.text();
    if (in.u8() != 0) change.version = read_version(in);
    if (!in.finished()) return std::nullopt;
    return change;
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

std::optional<std::string> Registry::describe(std::span<const std::byte> entry) {
    const auto change = read_change(entry);
    if (!change) return std::nullopt;
    return "'" + change->key + "' " +
           (change->version ? "set, " + std::to_string(change->version->bytes.size()) + " bytes" : "erased") +
           " (call " + std::to_string(change->call.value) + " of rank " + std::to_string(change->author.value) + ")";
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
    auto change = read_change(entry);
    if (!change) return false;
    put(change->key, std::move(change->version));
    Client& client = clients_[change->author];
    client.settled = std::max(client.settled, change->settled);
    client.done.erase(client.done.begin(), client.done.lower_bound(client.settled));
    client.done.insert(change->call);
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

}  // namespace muster::core
