// SPDX-License-Identifier: Apache-2.0
#include "mpi/round_comms.hpp"

#include <algorithm>
#include <atomic>
#include <initializer_list>

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
    for (const Communicator* comm : {&world, &group, &ours, &turn, &engine}) comm->revoke();
}

void set_error_handler(void (*notify)()) {
    notify_agent = notify;
    if (handler == MPI_ERRHANDLER_NULL) MPI_Comm_create_errhandler(on_error, &handler);
}

void attach_error_handler(MPI_Comm comm) {
    if (comm != MPI_COMM_NULL) MPI_Comm_set_errhandler(comm, handler);
}

Result<BuiltRound> build(const Communicator& pool, const core::Plan& plan, Rank self, const WorldShape& shape,
                         void (*reached)(const char* step)) {
    BuiltRound built;
    if (!plan.dismissed.empty()) {
        auto smaller =
            pool.split(!core::contains(plan.dismissed, self) ? 0 : MPI_UNDEFINED, static_cast<int>(self.value));
        if (!smaller) return smaller.error();
        built.pool = std::move(*smaller);
    }
    const auto slot = core::slot_of(plan.world, self);
    const int key = static_cast<int>(slot.value_or(Slot{}).value);
    const int in_world = slot ? 0 : MPI_UNDEFINED;
    const int in_group = slot ? static_cast<int>(shape.group[slot->value]) : MPI_UNDEFINED;
    const int in_engine = slot ? static_cast<int>(slot->value / shape.engine_ranks) : MPI_UNDEFINED;
    const bool groups = std::any_of(shape.group.begin(), shape.group.end(), [](auto group) { return group > 0; });
    struct Part {
        Communicator& comm;
        int color;
        bool needed;
        const char* step;
    };
    auto& comms = built.comms;
    for (const auto& part :
         {Part{comms.world, in_world, true, "world_split"}, Part{comms.group, in_group, true, "group_split"},
          Part{comms.ours, in_world, true, ""}, Part{comms.turn, in_group, groups, ""},
          Part{comms.engine, in_engine, shape.engine_ranks > 1, ""}}) {
        if (!part.needed) continue;
        auto comm = pool.split(part.color, key);
        if (!comm) return comm.error();
        part.comm = std::move(*comm);
        if (*part.step != '\0') reached(part.step);
    }
    attach_error_handler(comms.world.get());
    attach_error_handler(comms.group.get());
    return built;
}

}  // namespace muster::mpi
