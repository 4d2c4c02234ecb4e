// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Which nodes should have a gate (source: HTTP proxy) and which have one.
/// Shape: set_nodes() and reports in, start and stop effects out, once each until a report says otherwise. All of it is
/// soft: gates outlive the coordinator, a successor's StartGate finds the one that runs. Thread safety: none.

#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/controller_effect.hpp"

namespace muster::core::controller {

enum class GateLocation : std::uint8_t { no_server, head_only, every_node };

struct HttpConfig {
    std::string host = "127.0.0.1";
    std::uint16_t port = 8000;
    GateLocation location = GateLocation::head_only;
    bool operator==(const HttpConfig&) const = default;
};

class GateWatch {
public:
    explicit GateWatch(const HttpConfig& config) : config_(config) {}

    void set_nodes(std::vector<std::string> nodes) { nodes_ = std::move(nodes); }  ///< The first one is the head.
    void up(const std::string& node) { gates_[node] = Gate::up; }
    void gone(const std::string& node) { gates_.erase(node); }  ///< Also where it could not be started.
    void act(Effects& out);                                     ///< One turn.
    void kill(Effects& out) const;                              ///< All that may be there, for good.

    [[nodiscard]] const HttpConfig& config() const { return config_; }
    [[nodiscard]] std::map<std::string, std::string> handles() const;  ///< Node -> the name of its gate.

private:
    enum class Gate : std::uint8_t { starting, up, stopping };
    [[nodiscard]] std::set<std::string> wanted() const;

    HttpConfig config_;
    std::vector<std::string> nodes_;
    std::map<std::string, Gate> gates_;
};

}  // namespace muster::core::controller
