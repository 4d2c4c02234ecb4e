// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Owns one MPI_Comm: moved, never copied, freed once. Made by functions that can fail, not by a constructor.
/// Thread safety: one owner; revoke() may be called from any thread while the object lives.

#include <mpi.h>

#include <utility>
#include <vector>

#include "muster/types.hpp"

namespace muster::mpi {

class Communicator {
public:
    Communicator() = default;
    explicit Communicator(MPI_Comm comm) : comm_(comm) {}
    Communicator(Communicator&& other) noexcept : comm_(std::exchange(other.comm_, MPI_COMM_NULL)) {}
    Communicator& operator=(Communicator&& other) noexcept {
        std::swap(comm_, other.comm_);
        return *this;
    }
    Communicator(const Communicator&) = delete;
    Communicator& operator=(const Communicator&) = delete;
    ~Communicator();

    /// The survivors of `broken`, in their old order. Blocks until all of them have called it.
    [[nodiscard]] static Result<Communicator> shrink(MPI_Comm broken);
    /// `color` MPI_UNDEFINED gives an empty Communicator.
    [[nodiscard]] Result<Communicator> split(int color, int key) const;
    void revoke() const;

    [[nodiscard]] MPI_Comm get() const { return comm_; }
    explicit operator bool() const { return comm_ != MPI_COMM_NULL; }
    [[nodiscard]] int size() const;
    [[nodiscard]] int index() const;  ///< This process's place in it.
    /// Place -> Rank in MPI_COMM_WORLD, for all members.
    [[nodiscard]] std::vector<Rank> ranks() const;

private:
    MPI_Comm comm_ = MPI_COMM_NULL;
};

}  // namespace muster::mpi
