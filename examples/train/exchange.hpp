// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The collectives of a step, over one round's communicator. Nothing (or false) says that MPI failed, which here means:
/// somebody died, go back to next().
/// Thread safety: engine thread only.

#include <mpi.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "moe/parcel.hpp"
#include "moe/shape.hpp"

namespace train {

class Exchange {
public:
    Exchange() = default;
    Exchange(MPI_Comm comm, moe::Place place) : comm_(comm), place_(place) {}

    /// Sends each slot its part of a parcel; has what the others sent here, in slot order.
    [[nodiscard]] std::optional<moe::Parcel> all_to_all(const moe::Parcel& out) const;
    /// Begins as all_to_all() does and kills this process in the middle of it.
    void die_in_all_to_all(const moe::Parcel& out) const;

    /// Everybody has everybody's values, in slot order: `each` of them for every virtual shard, or for every expert.
    [[nodiscard]] std::optional<std::vector<float>> all_gather(const std::vector<float>& mine, std::size_t each) const;
    [[nodiscard]] std::optional<std::vector<std::uint64_t>> all_gather(const std::vector<std::uint64_t>& mine) const;

    [[nodiscard]] bool broadcast(std::vector<float>& values, std::uint32_t source) const;
    [[nodiscard]] bool broadcast(std::uint64_t& value, std::uint32_t source) const;
    [[nodiscard]] std::optional<std::uint64_t> reduce(std::uint64_t value, MPI_Op operation) const;

private:
    MPI_Comm comm_ = MPI_COMM_NULL;
    moe::Place place_;
};

}  // namespace train
