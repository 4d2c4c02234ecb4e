// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Wakes a sleeping agent: a datagram from another member, or a wake() from this process.
/// Intuition: MPI cannot block without burning a core, so the agent sleeps in poll(2) and looks at MPI when something
/// rings, or at the latest at its next tick. A datagram needs no trust: a lost one costs a tick, a forged one a look.
/// It may carry a hint, which decides nothing but how long the agent waits for MPI to hear of a death: that the ringer
/// begins a round because somebody asked for it.
/// Thread safety: wake() from any thread, the rest from the agent's.

#include <cstdint>
#include <optional>

#include "agent/udp.hpp"
#include "muster/types.hpp"

namespace muster::agent {

class Bell {
public:
    Bell();
    ~Bell();
    Bell(const Bell&) = delete;
    Bell& operator=(const Bell&) = delete;

    /// Where others ring. The address is that of `interface` (MUSTER_INTERFACE) or of the first one that is up.
    [[nodiscard]] BellAddress address() const { return address_; }
    /// True when it rang within the time.
    [[nodiscard]] bool wait(int timeout_ms);
    void wake() const;
    /// Rings somebody else; loopback where `same_node`. `asked_after`: the hint, with the round that ends; 0: none.
    void ring(const BellAddress& other, bool same_node, Round asked_after = {}) const;

    /// Takes in what others have rung since the last look, and leaves wake() alone.
    void hear();
    /// The newest hint that was heard; 0: none so far.
    [[nodiscard]] Round asked_after() const { return asked_after_; }

private:
    int socket_ = -1;
    int event_ = -1;
    BellAddress address_;
    Round asked_after_;
};

}  // namespace muster::agent
