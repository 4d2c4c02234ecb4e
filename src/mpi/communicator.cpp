// SPDX-License-Identifier: Apache-2.0
#include "mpi/communicator.hpp"

#include <numeric>

#include "mpi/fault.hpp"
#include "mpi/ulfm.hpp"

namespace muster::mpi {
namespace {

Result<Communicator> owned(int code, MPI_Comm comm, const char* what) {
    if (code != MPI_SUCCESS) return fault_of(code, what);
    if (comm != MPI_COMM_NULL) MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN);
    return Communicator(comm);
}

}  // namespace

Communicator::~Communicator() {
    if (comm_ == MPI_COMM_NULL) return;
    int finalized = 0;
    MPI_Finalized(&finalized);
    if (finalized == 0) MPI_Comm_free(&comm_);
}

Result<Communicator> Communicator::shrink(MPI_Comm broken) {
    MPI_Comm comm = MPI_COMM_NULL;
    const int code = MPIX_Comm_shrink(broken, &comm);
    return owned(code, comm, "shrink");
}

Result<Communicator> Communicator::split(int color, int key) const {
    MPI_Comm comm = MPI_COMM_NULL;
    const int code = MPI_Comm_split(comm_, color, key, &comm);
    return owned(code, comm, "split");
}

void Communicator::revoke() const {
    if (comm_ != MPI_COMM_NULL) MPIX_Comm_revoke(comm_);
}

int Communicator::size() const {
    int size = 0;
    MPI_Comm_size(comm_, &size);
    return size;
}

int Communicator::index() const {
    int index = 0;
    MPI_Comm_rank(comm_, &index);
    return index;
}

std::vector<Rank> Communicator::ranks() const {
    const auto count = static_cast<std::size_t>(size());
    MPI_Group world = MPI_GROUP_NULL, mine = MPI_GROUP_NULL;
    MPI_Comm_group(MPI_COMM_WORLD, &world);
    MPI_Comm_group(comm_, &mine);
    std::vector<int> places(count), names(count);
    std::iota(places.begin(), places.end(), 0);
    MPI_Group_translate_ranks(mine, static_cast<int>(count), places.data(), world, names.data());
    MPI_Group_free(&mine);
    MPI_Group_free(&world);
    std::vector<Rank> ranks;
    ranks.reserve(count);
    for (const int name : names) ranks.push_back(Rank{static_cast<std::uint32_t>(name)});
    return ranks;
}

}  // namespace muster::mpi
