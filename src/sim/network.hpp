// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Packets on their way and how long they take: as over MPI, each pair's messages arrive in the order in which they
/// were sent, and nothing is promised between pairs.
/// Units: ticks. Thread safety: none.

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "core/codec.hpp"
#include "muster/types.hpp"
#include "sim/dice.hpp"

namespace muster::sim {

/// The pool of a packet that was lost with its round and comes all the same.
constexpr std::uint32_t kStray = 0xffffffff;

struct Packet {
    Rank from;
    std::uint32_t pool = 0;  ///< The communicator that it was sent on: nobody receives it on another one.
    core::Bytes bytes;
};

class Network {
public:
    Network(std::uint32_t delay_min, std::uint32_t delay_max) : delay_min_(delay_min), delay_max_(delay_max) {}

    [[nodiscard]] std::uint32_t put(Packet packet);  ///< Its index, until it is taken.
    [[nodiscard]] Packet take(std::uint32_t index);
    [[nodiscard]] std::uint32_t pool_of(std::uint32_t index) const { return packets_[index].pool; }
    void lose(std::uint32_t index) { packets_[index].pool = kStray; }
    /// When something sent now is there.
    [[nodiscard]] std::uint64_t arrival(Rank from, Rank to, std::uint64_t now, Dice& dice);

private:
    std::uint32_t delay_min_, delay_max_;
    std::vector<Packet> packets_;
    std::vector<std::uint32_t> free_;
    std::unordered_map<std::uint64_t, std::uint64_t> last_;  ///< Per pair: when the last one arrives.
};

}  // namespace muster::sim
