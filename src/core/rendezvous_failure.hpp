// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What can go wrong in a rendezvous, as a value: the source's exceptions by kind, name and text.

#include <cstdint>
#include <string>
#include <variant>

namespace muster::core::rendezvous {

struct Failure {
    enum Kind : std::uint8_t {
        closed,         ///< The rendezvous takes nobody any more. End.
        timed_out,      ///< The operation's deadline has passed.
        graceful_exit,  ///< It was closed while this node was redundant: end without an error.
        connection,     ///< The backend could not be reached. Nothing has changed here; try again or give up.
        corrupt_state,  ///< What the backend holds is no state. Nothing has changed here.
        bad_value,      ///< A setting that cannot be.
    };
    Kind kind = closed;
    std::string text;  ///< The source's; empty where it gives none.
};

/// The source's name: "RendezvousClosedError", "ValueError" ...
[[nodiscard]] const char* name_of(Failure::Kind kind);

/// Of the source's RendezvousError family, which shutdown and heartbeats survive.
[[nodiscard]] constexpr bool is_rendezvous_error(Failure::Kind kind) { return kind != Failure::bad_value; }

/// A T, or why there is none.
template <class T>
using Or = std::variant<T, Failure>;

constexpr const char* kCorruptState = "The rendezvous state is corrupt. See inner exception for details.";

}  // namespace muster::core::rendezvous
