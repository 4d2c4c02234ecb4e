// SPDX-License-Identifier: Apache-2.0
#include "mpi/round_comms.hpp"

#include <algorithm>
#include <atomic>

#include "core/ranks.hpp"

namespace muster::mpi {
namespace {

std::atomic<void (*)()> notify_agent{nullptr};
MPI_Errhandler handler = MPI_ERRHANDLER_NULL;

extern "C" void on_error(MPI_Comm*, int*, ...) {
    if (auto* notify = notify_agent.load()) notify();
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

Result<BuiltRound> build(const Communicator& pool, const core::Plan& plan, Rank self, std::uint32_t group_size,
                         void (*reached)(const char* step)) {
    BuiltRound built;
    if (!plan.dismissed.empty()) {
        auto smaller =
            pool.split(!core::contains(plan.dismissed, self) ? 0 : MPI_UNDEFINED, static_cast<int>(self.value));
        if (!smaller) return smaller.error();
        built.pool = std::move(*smaller);
    }
    const auto slot = core::slot_of(plan.world, self);
    const auto members = static_cast<std::uint32_t>(group_size == 0 ? plan.world.size() : group_size);
    const int key = static_cast<int>(slot.value_or(Slot{}).value);
    const int in_world = slot ? 0 : MPI_UNDEFINED;
    const int in_group = slot ? static_cast<int>(slot->value / std::max<std::uint32_t>(1, members)) : MPI_UNDEFINED;
    auto world = pool.split(in_world, key);
    if (!world) return world.error();
    reached("world_split");
    auto group = pool.split(in_group, key);
    if (!group) return group.error();
    reached("group_split");
    auto ours = pool.split(in_world, key);
    if (!ours) return ours.error();
    built.comms = {std::move(*world), std::move(*group), std::move(*ours)};
    attach_error_handler(built.comms.world.get());
    attach_error_handler(built.comms.group.get());
    return built;
}

}  // namespace muster::mpi
