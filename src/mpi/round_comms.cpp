// SPDX-License-Identifier: Apache-2.0
#include "mpi/round_comms.hpp"

#include <algorithm>
#include <atomic>

#include "mpi/fault.hpp"

namespace muster::mpi {
namespace {

std::atomic<void (*)()> notify_agent{nullptr};
MPI_Errhandler handler = MPI_ERRHANDLER_NULL;

extern "C" void on_error(MPI_Comm*, int*, ...) {
    if (auto* notify = notify_agent.load()) notify();
}

std::optional<std::uint32_t> slot_of(const std::vector<Rank>& world, Rank self) {
    const auto place = std::find(world.begin(), world.end(), self);
    if (place == world.end()) return std::nullopt;
    return static_cast<std::uint32_t>(place - world.begin());
}

}  // namespace

void RoundComms::revoke() const {
    world.revoke();
    group.revoke();
    ours.revoke();
}

void set_error_handler(void (*notify)()) {
    notify_agent = notify;
    if (handler == MPI_ERRHANDLER_NULL) MPI_Comm_create_errhandler(on_error, &handler);
}

void attach_error_handler(MPI_Comm comm) {
    if (comm != MPI_COMM_NULL) MPI_Comm_set_errhandler(comm, handler);
}

Result<BuiltRound> build(const Communicator& pool, const core::Plan& plan, Rank self, std::uint32_t group_size) {
    BuiltRound built;
    if (!plan.dismissed.empty()) {
        const bool stays = std::find(plan.dismissed.begin(), plan.dismissed.end(), self) == plan.dismissed.end();
        auto smaller = pool.split(stays ? 0 : MPI_UNDEFINED, static_cast<int>(self.value));
        if (!smaller) return smaller.error();
        built.pool = std::move(*smaller);
    }
    const auto slot = slot_of(plan.world, self);
    auto world = pool.split(slot ? 0 : MPI_UNDEFINED, static_cast<int>(slot.value_or(0)));
    if (!world) return world.error();
    if (!slot) return built;
    const std::uint32_t members = group_size == 0 ? static_cast<std::uint32_t>(plan.world.size()) : group_size;
    auto group = world->split(static_cast<int>(*slot / members), static_cast<int>(*slot));
    if (!group) return group.error();
    auto ours = world->duplicate();
    if (!ours) return ours.error();
    built.comms = {std::move(*world), std::move(*group), std::move(*ours)};
    attach_error_handler(built.comms.world.get());
    attach_error_handler(built.comms.group.get());
    return built;
}

}  // namespace muster::mpi
