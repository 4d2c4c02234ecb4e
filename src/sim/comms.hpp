// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The communicators of one round, as the engines of that round share them.
/// Intuition: a collective call matches the others' by its place in the order of calls, not by what it means: whoever
/// leaves one out meets the others in the wrong one. That is kept here, so that a missing call shows.

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

#include "core/engine_loop.hpp"
#include "core/switchboard.hpp"

namespace muster::sim {

/// A communicator on which all-reduces (MAX) follow one another.
class Collective {
public:
    explicit Collective(std::size_t size) : size_(static_cast<std::uint32_t>(size)) {}
    /// True for the last to come: the result is there now.
    bool post(const core::Votes& votes);
    [[nodiscard]] std::uint32_t posted() const { return posted_; }  ///< Of the call that is not complete.
    [[nodiscard]] std::uint32_t completed() const { return completed_; }
    /// Of the `number`-th call, from 1. Only the last two are kept: nobody is further behind than one.
    [[nodiscard]] const core::Votes& result(std::uint32_t number) const { return results_[number % 2]; }

private:
    std::uint32_t size_, posted_ = 0, completed_ = 0;
    std::array<core::Votes, 2> results_{};
};

/// The batches that an engine's source hands to its other ranks, in order.
struct BatchLine {
    std::deque<core::Batch> batches;
    std::deque<std::uint32_t> taken;  ///< Per batch in `batches`: by how many.
    std::uint64_t first = 0;          ///< Number of the front one.
    [[nodiscard]] std::uint64_t end() const { return first + batches.size(); }
};

struct Group {
    std::vector<Rank> members;  ///< By slot.
    Collective votes, forwards;
};

struct EngineRanks {
    std::vector<Rank> members;  ///< By slot; the first is the source.
    BatchLine line;
};

struct Comms {
    std::shared_ptr<const core::RoundView> view;
    std::unordered_map<Rank, std::uint32_t> slots;  ///< Inverse of view->world.
    std::vector<std::uint32_t> group_of;            ///< Shape: one per slot.
    std::vector<Group> groups;
    std::vector<EngineRanks> engines;
    Collective barriers;
    std::uint64_t barrier_number = 0;  ///< What the last to arrive called the barrier.
};

}  // namespace muster::sim
