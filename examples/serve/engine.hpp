// SPDX-License-Identifier: Apache-2.0
#pragma once
/// An engine's answer to each kind of turn. What a server has to do for muster is all in here:
///   - it keeps its requests until it has answered them, over pauses, suspensions and other ranks' deaths;
///   - every forward, with requests or without, makes the same collectives in the same order;
///   - where MPI says that a peer is gone it returns: nothing was answered, next() says rebuilt, and it tries again.
/// Thread safety: engine thread only. Lifetime: shorter than the session's and the memory's.

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "muster/session.hpp"
#include "serve/answer.hpp"
#include "serve/classifier.hpp"
#include "serve/options.hpp"
#include "serve/resident.hpp"
#include "train/exchange.hpp"

namespace serve {

/// What an engine holds, and what the library gives back to the system while the job is suspended.
struct Memory {
    muster::Buffer weights;  ///< Kept aside.
    muster::Buffer cache;    ///< Dropped; zeros afterwards.

    [[nodiscard]] static muster::Result<Memory> allocate(const std::vector<float>& weights, std::uint32_t cache_mib);
};

class Engine {
public:
    Engine(muster::Session& session, Memory& memory, const Options& options);
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    void take(const muster::Turn& turn);

private:
    void rewire();
    void accept(std::span<const muster::Request> requests);
    void forward();
    void dummy_forward();
    void answer(std::span<const std::uint32_t> classes);
    [[nodiscard]] std::optional<std::vector<std::uint32_t>> exchanged(Pass& pass, bool dies);
    [[nodiscard]] std::span<const float> weights();
    [[nodiscard]] bool due(KillOrder::Moment moment) const;

    muster::Session& session_;
    Memory& memory_;
    const Options& options_;
    Cache cache_;
    train::Exchange exchange_;  ///< Over the lockstep group.
    moe::Place place_;          ///< In the lockstep group.
    std::deque<muster::Request> open_;
    std::uint64_t received_ = 0;
    ResidentWatch resident_;
};

}  // namespace serve
