// SPDX-License-Identifier: Apache-2.0
#include "meet/round_store.hpp"

#include <thread>

#include "core/codec.hpp"

namespace muster::meet {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

/// What lies there, as far as it is this round's.
struct RoundStore::Version {
    std::optional<persist::Token> token{};
    std::optional<RoundKeys> keys{};  ///< None: the owner has not opened it.
};

namespace {

constexpr std::uint32_t kFormat = 1;

core::Bytes encoded(const std::string& owner, const RoundKeys& keys) {
    core::Writer out;
    out.u32(kFormat);
    out.text(owner);
    out.u32(static_cast<std::uint32_t>(keys.size()));
    for (const auto& [key, value] : keys) {
        out.text(key);
        out.text(value);
    }
    return out.take();
}

}  // namespace

RoundStore::RoundStore(RoundStorePlace place) : place_(std::move(place)) {
    auto file = std::make_unique<persist::FileBackend>(
        persist::FileBackendSettings{.directory = place_.directory, .run_id = place_.prefix});
    file_ = file.get();
    backend_ = std::move(file);
}

RoundStore::RoundStore(RoundStorePlace place, std::unique_ptr<core::rendezvous::Backend> backend)
    : place_(std::move(place)), backend_(std::move(backend)) {}

Error RoundStore::failed(const std::string& text) const {
    return {Fault::internal, "the store of round " + std::to_string(place_.round.value) + ": " + text};
}

Result<RoundStore::Version> RoundStore::read() {
    auto got = backend_->get();
    if (const auto* failure = std::get_if<persist::Failure>(&got)) return failed(failure->text);
    const auto& stored = std::get<std::optional<persist::Stored>>(got);
    Version version;
    if (!stored) return version;
    version.token = stored->token;
    core::Reader in(stored->state);
    const auto format = in.u32();
    const auto owner = in.text();
    RoundKeys keys;
    const auto count = in.count(8);
    for (std::uint32_t i = 0; i < count; ++i) {
        auto key = in.text();
        keys[std::move(key)] = in.text();
    }
    if (!in.finished() || format != kFormat)
        return failed("'" + (file_ != nullptr ? file_->path() : place_.prefix) +
                      "' is no store that this muster reads");
    if (owner == text_of(place_.owner)) version.keys = std::move(keys);
    return version;
}

Result<Done> RoundStore::open() {
    const auto empty = encoded(text_of(place_.owner), RoundKeys{});
    while (true) {
        const auto there = read();
        if (!there) return there.error();
        const auto done = backend_->set(empty, there->token);
        if (const auto* failure = std::get_if<persist::Failure>(&done)) return failed(failure->text);
        const auto& written = std::get<std::optional<persist::Written>>(done);
        if (written && written->accepted) return Done{};
    }
}

Result<bool> RoundStore::try_set(const std::string& key, const std::string& value) {
    while (true) {
        auto there = read();
        if (!there) return there.error();
        if (!there->keys) return false;
        (*there->keys)[key] = value;
        const auto done = backend_->set(encoded(text_of(place_.owner), *there->keys), there->token);
        if (const auto* failure = std::get_if<persist::Failure>(&done)) return failed(failure->text);
        const auto& written = std::get<std::optional<persist::Written>>(done);
        if (!written)
            return Error{Fault::refused, "the store of round " + std::to_string(place_.round.value) +
                                             " is gone: a later round has begun; key '" + key + "' is not set"};
        if (written->accepted) return true;
    }
}

Result<std::optional<std::string>> RoundStore::look(const std::string& key) {
    auto there = read();
    if (!there) return there.error();
    if (!there->keys) return std::optional<std::string>{};
    const auto found = there->keys->find(key);
    return found == there->keys->end() ? std::nullopt : std::optional(std::move(found->second));
}

Result<Done> RoundStore::set(const std::string& key, const std::string& value, milliseconds limit) {
    for (const auto end = Clock::now() + limit;;) {
        const auto done = try_set(key, value);
        if (!done) return done.error();
        if (*done) return Done{};
        if (Clock::now() >= end) return waited_for("setting key '" + key + "'", limit);
        std::this_thread::sleep_until(std::min(Clock::now() + place_.poll, end));
    }
}

Result<std::string> RoundStore::get(const std::string& key, milliseconds limit) {
    for (const auto end = Clock::now() + limit;;) {
        auto found = look(key);
        if (!found) return found.error();
        if (*found) return std::move(**found);
        if (Clock::now() >= end) return waited_for("key '" + key + "'", limit);
        std::this_thread::sleep_until(std::min(Clock::now() + place_.poll, end));
    }
}

Error RoundStore::waited_for(const std::string& what, milliseconds limit) {
    const auto there = read();
    const std::string round = "round " + std::to_string(place_.round.value);
    const std::string span = " within " + std::to_string(limit.count()) + " ms";
    if (there && there->keys) return {Fault::timed_out, what + " of " + round + " was not there" + span};
    return {Fault::timed_out,
            what + ": rank 0 of " + round + ", '" + text_of(place_.owner) + "', did not open its store" + span};
}

Result<RoundKeys> RoundStore::contents() {
    auto there = read();
    if (!there) return there.error();
    return std::move(there->keys).value_or(RoundKeys{});
}

void RoundStore::discard() {
    if (file_ != nullptr) file_->discard();
}

}  // namespace muster::meet
