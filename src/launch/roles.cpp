// SPDX-License-Identifier: Apache-2.0
#include "launch/roles.hpp"

#include "meet/clock.hpp"
#include "meet/settings.hpp"

namespace muster::launch {

Patience::Patience(const core::rendezvous::Settings& settings) : most_(meet::span_of(meet::silence_max(settings))) {}

std::string Patience::after(const std::string& trouble) {
    if (trouble.empty()) good_ = Clock::now();
    return Clock::now() - good_ > most_ ? trouble : "";
}

}  // namespace muster::launch
