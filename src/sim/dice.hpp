// SPDX-License-Identifier: Apache-2.0
#pragma once
/// All chance in a simulation comes from one of these.

#include "core/dice.hpp"

namespace muster::sim {

using core::Dice;

}  // namespace muster::sim
