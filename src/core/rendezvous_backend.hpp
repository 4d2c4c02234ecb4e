// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Where the encoded state of a rendezvous lies, and the one way to change it: compare and swap by a fencing token.
/// Intuition: whoever writes says which version it has read; if there is another one by now, nothing is written and
/// that other one is the answer. Shape: bytes as they were given, a token that never comes again for another version.
/// Errors: Failure::connection, Failure::corrupt_state (the backend itself sees that what it holds is damaged); any
/// error leaves what is stored as it was. Thread safety: the implementation's word; MemoryBackend has none.
/// Source: torch's RendezvousBackend (acceptance T4).

#include <cstdint>
#include <optional>
#include <span>

#include "core/codec.hpp"
#include "core/rendezvous_failure.hpp"
#include "muster/types.hpp"

namespace muster::core::rendezvous {

/// Names one stored version. Opaque: compare it, nothing else.
using Token = Id<struct TokenTag, std::uint64_t>;

struct Stored {
    Bytes state;
    Token token;
};

/// What is there after a set().
struct Written {
    Bytes state;
    Token token;
    bool accepted = false;  ///< False: another version was there; `state` and `token` are that one's.
};

class Backend {
public:
    virtual ~Backend() = default;
    [[nodiscard]] virtual const char* name() const = 0;
    /// Nothing where no state is stored.
    [[nodiscard]] virtual Or<std::optional<Stored>> get() = 0;
    /// With `token`: written where the stored version is that one. Without: written where none is stored.
    /// Nothing where none is stored and a token was given: there is no other version to answer with.
    [[nodiscard]] virtual Or<std::optional<Written>> set(std::span<const std::byte> state,
                                                         std::optional<Token> token) = 0;
};

/// In this process; for tests, transcripts, the simulator, and the coordinator.
class MemoryBackend : public Backend {
public:
    [[nodiscard]] const char* name() const override { return "memory"; }
    [[nodiscard]] Or<std::optional<Stored>> get() override;
    [[nodiscard]] Or<std::optional<Written>> set(std::span<const std::byte> state, std::optional<Token> token) override;

    void lose() { stored_.reset(); }  ///< As if it had been wiped. Tokens go on counting: an old one fits nothing.
    void replace(Bytes state);        ///< A version that nobody's token fits; also bytes that are no state.
    void disconnect(bool on) { cut_ = on; }  ///< While on, every call is Failure::connection.

private:
    std::optional<Stored> stored_;
    std::uint64_t last_token_ = 0;
    bool cut_ = false;
};

}  // namespace muster::core::rendezvous
