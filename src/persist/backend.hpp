// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The words of files: those of core's rendezvous backend, so that a file's answer is the core's without translation.
/// Of the failures two come from here: Failure::connection (a file could not be reached, locked or written; what is
/// stored is as it was) and Failure::corrupt_state (what lies there is torn, damaged or somebody else's; it is left as it
/// is). Each text names the path. Thread safety: plain values. Source: torch's RendezvousBackend (acceptance T4).

#include "core/rendezvous_backend.hpp"

namespace muster::persist {

using core::Bytes;
using core::rendezvous::Failure;
using core::rendezvous::Or;
using core::rendezvous::Stored;
using core::rendezvous::Token;
using core::rendezvous::Written;

}  // namespace muster::persist
