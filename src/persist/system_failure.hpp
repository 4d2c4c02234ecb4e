// SPDX-License-Identifier: Apache-2.0
#pragma once
/// An errno as a failure that names what was tried on which path.

#include <string>
#include <system_error>

#include "persist/backend.hpp"

namespace muster::persist {

[[nodiscard]] inline Failure cannot(const std::string& what, const std::string& path, int error) {
    return {Failure::connection, "cannot " + what + " '" + path + "': " + std::generic_category().message(error)};
}

}  // namespace muster::persist
