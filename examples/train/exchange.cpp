// SPDX-License-Identifier: Apache-2.0
#include "train/exchange.hpp"

#include <csignal>

#include "muster/vault.hpp"

namespace train {
namespace {

template <class Value>
std::optional<std::vector<Value>> gather(const std::vector<Value>& mine, MPI_Datatype type, std::size_t each,
                                         MPI_Comm comm, moe::Place place) {
    moe::Parcel all;
    for (std::uint32_t slot = 0; slot < place.size; ++slot)
        all.counts.push_back(static_cast<int>(muster::items_of({slot}, place.size, moe::kShards).count() * each));
    std::vector<Value> values(moe::kShards * each);
    const int code = MPI_Allgatherv(mine.data(), static_cast<int>(mine.size()), type, values.data(), all.counts.data(),
                                    all.offsets().data(), type, comm);
    if (code != MPI_SUCCESS) return std::nullopt;
    return values;
}

}  // namespace

std::optional<moe::Parcel> Exchange::all_to_all(const moe::Parcel& out) const {
    moe::Parcel in;
    in.counts.resize(out.counts.size());
    int code = MPI_Alltoall(out.counts.data(), 1, MPI_INT, in.counts.data(), 1, MPI_INT, comm_);
    if (code != MPI_SUCCESS) return std::nullopt;
    in.values.resize(std::accumulate(in.counts.begin(), in.counts.end(), std::size_t{0}));
    code = MPI_Alltoallv(out.values.data(), out.counts.data(), out.offsets().data(), MPI_FLOAT, in.values.data(),
                         in.counts.data(), in.offsets().data(), MPI_FLOAT, comm_);
    if (code != MPI_SUCCESS) return std::nullopt;
    return in;
}

void Exchange::die_in_all_to_all(const moe::Parcel& out) const {
    std::vector<int> counts(out.counts.size());
    MPI_Request request = MPI_REQUEST_NULL;
    (void)MPI_Ialltoall(out.counts.data(), 1, MPI_INT, counts.data(), 1, MPI_INT, comm_, &request);
    (void)std::raise(SIGKILL);
}

std::optional<std::vector<float>> Exchange::all_gather(const std::vector<float>& mine, std::size_t each) const {
    return gather(mine, MPI_FLOAT, each, comm_, place_);
}

std::optional<std::vector<std::uint64_t>> Exchange::all_gather(const std::vector<std::uint64_t>& mine) const {
    return gather(mine, MPI_UINT64_T, 1, comm_, place_);
}

bool Exchange::broadcast(std::vector<float>& values, std::uint32_t source) const {
    const auto count = static_cast<int>(values.size());
    return MPI_Bcast(values.data(), count, MPI_FLOAT, static_cast<int>(source), comm_) == MPI_SUCCESS;
}

bool Exchange::broadcast(std::uint64_t& value, std::uint32_t source) const {
    return MPI_Bcast(&value, 1, MPI_UINT64_T, static_cast<int>(source), comm_) == MPI_SUCCESS;
}

std::optional<std::uint64_t> Exchange::reduce(std::uint64_t value, MPI_Op operation) const {
    std::uint64_t result = 0;
    if (MPI_Allreduce(&value, &result, 1, MPI_UINT64_T, operation, comm_) != MPI_SUCCESS) return std::nullopt;
    return result;
}

}  // namespace train
