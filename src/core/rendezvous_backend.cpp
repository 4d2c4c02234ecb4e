// SPDX-License-Identifier: Apache-2.0
#include "core/rendezvous_backend.hpp"

namespace muster::core::rendezvous {

namespace {

Failure no_connection() {
    return {Failure::connection, "The connection to the memory backend has failed. See inner exception for details."};
}

}  // namespace

const char* name_of(Failure::Kind kind) {
    switch (kind) {
        case Failure::closed: return "RendezvousClosedError";
        case Failure::timed_out: return "RendezvousTimeoutError";
        case Failure::graceful_exit: return "RendezvousGracefulExitError";
        case Failure::connection: return "RendezvousConnectionError";
        case Failure::corrupt_state: return "RendezvousStateError";
        case Failure::bad_value: return "ValueError";
    }
    return "unknown";
}

Or<std::optional<Stored>> MemoryBackend::get() {
    if (cut_) return no_connection();
    return stored_;
}

Or<std::optional<Written>> MemoryBackend::set(std::span<const std::byte> state, std::optional<Token> token) {
    if (cut_) return no_connection();
    if (!stored_ && token) return std::nullopt;
    if (stored_ && token != stored_->token) return Written{stored_->state, stored_->token, false};
    replace(Bytes(state.begin(), state.end()));
    return Written{stored_->state, stored_->token, true};
}

void MemoryBackend::replace(Bytes state) { stored_ = Stored{std::move(state), Token{++last_token_}}; }

}  // namespace muster::core::rendezvous
