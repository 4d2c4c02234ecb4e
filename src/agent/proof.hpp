// SPDX-License-Identifier: Apache-2.0
#pragma once
/// How far a silent member's death may be brought about and proven, as MUSTER_PROOF says: for tests, which have one node.

#include <cstdlib>
#include <string_view>

namespace muster::agent {

enum class Proof {
    node,   ///< By whoever shares its node: what there is without the variable.
    alone,  ///< "alone": as if each member were alone on its node. Its minder may end it.
    off,    ///< "off": and nobody could end it, or prove a death. MPI is told.
    none    ///< "none": and MPI could not be told: only a relaunch goes on from there.
};

inline Proof proof_allowed() {
    const char* text = std::getenv("MUSTER_PROOF");
    const std::string_view said = text == nullptr ? "" : text;
    return said == "alone" ? Proof::alone : said == "off" ? Proof::off : said == "none" ? Proof::none : Proof::node;
}

}  // namespace muster::agent
