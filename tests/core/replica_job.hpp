// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A job of switchboards with a controller whose replicas are real lockstep groups: members prepare, rounds bring them
/// into the world, requests go by backend. Rounds that are asked for are had at once.

#include "controller_job.hpp"

namespace muster::core::testing {

class ReplicaJob : public ControllerJob {
public:
    explicit ReplicaJob(Shape shape) : ControllerJob(with_replicas(std::move(shape))) {}

    /// As pass(), with the rounds that are asked for meanwhile.
    void go_on(std::uint64_t ms = 1'500) {
        for (const auto until = now_ms + ms; now_ms < until;) {
            pass(50);
            have_round();
        }
    }
    bool have_round() {
        if (at(coordinator()).seat_rounds.empty()) return false;
        rebuild();
        ++rounds_had;
        return true;
    }
    CallId create(const std::string& tag, std::int64_t replicas, const std::string& config = "{}") {
        controller::BackendConfig backend;
        backend.num_replicas = replicas;
        return call(client(), controller::Command{controller::CreateBackend{tag, backend, config}});
    }
    CallId scale(const std::string& tag, std::int64_t replicas) {
        controller::BackendConfigUpdate update;
        update.num_replicas = replicas;
        return call(client(), controller::Command{controller::UpdateBackendConfig{tag, update}});
    }
    CallId remove(const std::string& tag) {
        return call(client(), controller::Command{controller::DeleteBackend{tag}});
    }
    RequestId request(const std::string& backend, std::uint8_t byte = 1) {
        return submit(client(), byte, {Target::backend, backend});
    }
    [[nodiscard]] std::size_t serving(const std::string& tag) { return controller::handles_of(state(), tag).size(); }
    /// Backend of the replica in which this member sits; "" where there is none.
    [[nodiscard]] std::string backend_of(std::uint32_t rank) {
        const auto slot = slot_of(view().world, Rank{rank});
        if (!slot) return "";
        const SeatId seat = view().seats[view().groups[slot->value]];
        for (const auto& [tag, replicas] : state().replicas)
            if (replicas.contains(controller::ReplicaId{seat.value})) return tag;
        return "";
    }
    [[nodiscard]] std::size_t seats() const {
        return static_cast<std::size_t>(
            std::count_if(view().seats.begin(), view().seats.end(), [](SeatId seat) { return seat != SeatId{}; }));
    }
    std::uint32_t rounds_had = 0;

private:
    static Shape with_replicas(Shape shape) {
        shape.replicas = true;
        return shape;
    }
};

}  // namespace muster::core::testing
