// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The launcher's end of the link: members connect over TCP and send one JSON object a line.
/// The first line must be {"hello": token, "rank": R}; a connection that says anything else is closed.
/// Never blocks: the owner polls the descriptors and calls handle(). Thread safety: one thread.
/// Limits: 1 MiB a line, 5 s until hello; whoever breaks them is closed, nobody else notices.

#include <poll.h>

#include <chrono>
#include <functional>
#include <list>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "launch/child.hpp"
#include "muster/types.hpp"

namespace muster::launch {

class LinkServer {
public:
    using Clock = std::chrono::steady_clock;
    using OnEvent = std::function<void(int rank, const nlohmann::json& event)>;
    /// Of the connections whose hello says "pulse" (agent/pulse.hpp): they beat, and hear what they are asked.
    struct OnPulse {
        std::function<void(int rank, const nlohmann::json& hello, int socket)> hello{};
        std::function<void(int rank, const nlohmann::json& event)> heard{};
        std::function<void(int rank)> closed{};
    };

    /// Listens on all interfaces, on a port of the system's choice. Errors: no socket.
    [[nodiscard]] static Result<LinkServer> open(std::string token);

    [[nodiscard]] int port() const { return port_; }
    [[nodiscard]] const std::string& token() const { return token_; }
    [[nodiscard]] std::size_t connections() const { return members_.size(); }
    void append_to(std::vector<pollfd>& waits) const;

    /// Accepts and reads what is there. Events come in the order of each connection.
    void handle(const OnEvent& on_event);
    void watch_pulses(OnPulse on_pulse) { on_pulse_ = std::move(on_pulse); }  ///< Before the first handle().

private:
    struct Member {
        Descriptor socket;
        Clock::time_point since;
        int rank = -1;  ///< -1 until the right hello came.
        std::string pending;
        bool pulse = false;
    };
    LinkServer() = default;
    void accept_all();
    bool read_from(Member& member, const OnEvent& on_event) const;
    bool take_line(Member& member, const std::string& line, const OnEvent& on_event) const;

    Descriptor listener_;
    int port_ = 0;
    std::string token_;
    std::list<Member> members_;
    OnPulse on_pulse_;
};

/// 32 random hexadecimal digits.
[[nodiscard]] std::string random_token();

}  // namespace muster::launch
