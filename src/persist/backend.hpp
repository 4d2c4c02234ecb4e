// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What a rendezvous backend gives and takes: the state's bytes, a fencing token, and what can go wrong.
/// The same shape as core's rendezvous backend, so that an adapter only renames. Thread safety: plain values.
/// Source: torch's RendezvousBackend (acceptance T4).

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "core/codec.hpp"
#include "muster/types.hpp"

namespace muster::persist {

using core::Bytes;

/// Names one stored version; never comes again for another. Opaque: compare it, nothing else.
using Token = Id<struct StoredTokenTag, std::uint64_t>;

struct Failure {
    enum Kind : std::uint8_t {
        connection,     ///< The file could not be reached, locked or written; what is stored is as it was.
        corrupt_state,  ///< What lies there is torn, damaged or somebody else's; it is left as it is.
    };
    Kind kind = connection;
    std::string text;  ///< Names the path.
};

/// A T, or why there is none.
template <class T>
using Or = std::variant<T, Failure>;

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

}  // namespace muster::persist
