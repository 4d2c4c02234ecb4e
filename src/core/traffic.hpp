// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Which backend a request to an endpoint goes to, and which others get a copy.
/// Intuition: each request throws its own dice, which depend on who sent it and under which id, and on nothing else:
/// a request that is submitted again, at a successor too, goes where it went, as long as the weights stay.
/// Shape: weights are those of controller::Endpoint; they sum to 1. A shadow's proportion is the chance of a copy.
/// Errors: an endpoint that is not there: nothing. Thread safety: pure. Source: Ray Serve (acceptance R14, R15).

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "muster/types.hpp"

namespace muster::core {

struct EndpointTraffic {
    std::map<std::string, double> weights{}, shadows{};
    bool operator==(const EndpointTraffic&) const = default;
};

class Traffic {
public:
    struct Choice {
        std::string backend;
        std::vector<std::string> shadows{};  ///< Get a copy whose reply nobody sees.
    };

    void set(std::map<std::string, EndpointTraffic> endpoints) { endpoints_ = std::move(endpoints); }
    [[nodiscard]] std::optional<Choice> choose(const std::string& endpoint, Rank client, RequestId id) const;
    [[nodiscard]] const std::map<std::string, EndpointTraffic>& endpoints() const { return endpoints_; }

private:
    std::map<std::string, EndpointTraffic> endpoints_;
};

}  // namespace muster::core
