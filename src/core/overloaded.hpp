// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Several lambdas as one visitor of a variant: std::visit(Overloaded{[](const A&) {}, [](const B&) {}}, one).

namespace muster::core {

template <class... Handlers>
struct Overloaded : Handlers... {
    using Handlers::operator()...;
};

}  // namespace muster::core
