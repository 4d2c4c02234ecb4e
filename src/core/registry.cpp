// SPDX-License-Identifier: Apache-2.0
#include "core/registry.hpp"

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
    calls_.add({change->author, change->call, change->settled});
    return true;
}

Bytes Registry::snapshot() const {
    Writer out;
    out.u64(versions_.size());
    for (const auto& [key, version] : versions_) out.text(key), write(out, version);
    calls_.put(out);
    return out.take();
}

bool Registry::load(std::span<const std::byte> snapshot) {
    Reader in(snapshot);
    Registry read_back;
    for (auto left = in.u64(); left > 0 && in.ok(); --left) {
        const auto key = in.text();
        read_back.put(key, read_version(in));
    }
    read_back.calls_ = CallBook::take(in);
    if (!in.finished()) return false;
    *this = std::move(read_back);
    return true;
}

const Registry::Version* Registry::find(const std::string& key) const {
    const auto found = versions_.find(key);
    return found == versions_.end() ? nullptr : &found->second;
}

}  // namespace muster::core
