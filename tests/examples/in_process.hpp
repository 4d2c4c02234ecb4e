// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The training step of a whole world in one process: the slots' passes side by side, all-to-alls as plain copies.

#include <vector>

#include "moe/dense_pass.hpp"
#include "moe/expert_pass.hpp"

namespace moe {

/// What MPI_Alltoallv does to the parcels of all slots.
inline std::vector<Parcel> all_to_all(const std::vector<Parcel>& out) {
    std::vector<Parcel> in(out.size());
    for (std::size_t to = 0; to < out.size(); ++to)
        for (const auto& parcel : out) {
            const auto begin = parcel.values.begin() + parcel.offsets()[to];
            in[to].counts.push_back(parcel.counts[to]);
            in[to].values.insert(in[to].values.end(), begin, begin + parcel.counts[to]);
        }
    return in;
}

/// Calls `pass(slot)` for each slot and exchanges what it returns.
template <class Pass>
std::vector<Parcel> exchanged(std::uint32_t size, Pass pass) {
    std::vector<Parcel> out;
    for (std::uint32_t slot = 0; slot < size; ++slot) out.push_back(pass(slot));
    return all_to_all(out);
}

struct Gradients {
    std::vector<float> dense;                    ///< Gathered: one after the other by virtual shard.
    std::vector<std::vector<Gradient>> experts;  ///< Shape: slots x own experts.
};

/// `batches` has one entry per slot.
inline Gradients gradients_of(const std::vector<Model>& world, const std::vector<std::vector<Shard>>& batches) {
    const auto size = static_cast<std::uint32_t>(world.size());
    std::vector<DensePass> dense;
    std::vector<ExpertPass> experts;
    for (std::uint32_t slot = 0; slot < size; ++slot) {
        dense.emplace_back(world[slot], batches[slot], Place{slot, size});
        experts.emplace_back(world[slot]);
    }
    const auto tokens = exchanged(size, [&](auto s) { return dense[s].tokens(); });
    const auto answers = exchanged(size, [&](auto s) { return experts[s].answers(tokens[s]); });
    const auto errors = exchanged(size, [&](auto s) { return dense[s].errors(answers[s]); });
    const auto back = exchanged(size, [&](auto s) { return experts[s].token_gradients(errors[s]); });
    Gradients result;
    for (std::uint32_t slot = 0; slot < size; ++slot) {
        const auto own = dense[slot].gradients(back[slot]);
        result.dense.insert(result.dense.end(), own.begin(), own.end());
        result.experts.push_back(experts[slot].gradients());
    }
    return result;
}

inline std::vector<std::vector<Shard>> batches_of(const Dataset& data, std::uint64_t step, std::uint32_t size) {
    std::vector<std::vector<Shard>> batches;
    for (std::uint32_t slot = 0; slot < size; ++slot) batches.push_back(data.batch(step, {slot, size}));
    return batches;
}

inline std::vector<Model> initial_world(std::uint32_t size) {
    std::vector<Model> world;
    for (std::uint32_t slot = 0; slot < size; ++slot) world.push_back(initial_model({slot, size}));
    return world;
}

}  // namespace moe
