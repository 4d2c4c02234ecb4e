// SPDX-License-Identifier: Apache-2.0
#include "session/registry_backend.hpp"

namespace muster {

using core::message::RegistryAsk;
using core::rendezvous::Failure;
using core::rendezvous::Or;
using core::rendezvous::Stored;
using core::rendezvous::Token;
using core::rendezvous::Written;

Failure RegistryBackend::failure(const Error& error) const {
    return {Failure::connection, "'" + key_ + "' in the job's registry: " + error.text};
}

Or<std::optional<Stored>> RegistryBackend::get() {
    RegistryAsk ask;
    ask.key = key_;
    auto told = desk_->look(std::move(ask), deadline_);
    if (!told) return failure(told.error());
    if (!told->token) return std::optional<Stored>{};
    return std::optional(Stored{std::move(told->bytes), Token{told->token->value}});
}

Or<std::optional<Written>> RegistryBackend::set(std::span<const std::byte> state, std::optional<Token> token) {
    RegistryAsk ask;
    ask.what = RegistryAsk::set;
    ask.key = key_;
    if (token) ask.token = core::RegistryToken{token->value};
    ask.bytes.assign(state.begin(), state.end());
    auto told = desk_->look(std::move(ask), deadline_);
    if (!told) return failure(told.error());
    if (!told->token) return std::optional<Written>{};
    return std::optional(Written{std::move(told->bytes), Token{told->token->value}, told->accepted});
}

void RegistryBackend::erase() {
    const auto there = get();
    const auto* stored = std::get_if<std::optional<Stored>>(&there);
    if (stored == nullptr || !*stored) return;
    RegistryAsk ask;
    ask.what = RegistryAsk::erase;
    ask.key = key_;
    ask.token = core::RegistryToken{(*stored)->token.value};
    (void)desk_->look(std::move(ask), deadline_);
}

}  // namespace muster
