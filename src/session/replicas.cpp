// SPDX-License-Identifier: Apache-2.0
/// What the engine thread does for replicas: prepares for one, says whether it is well, and knows what it is.
#include "agent/settings.hpp"
#include "core/overloaded.hpp"
#include "session/impl.hpp"

namespace muster {
namespace {

constexpr auto kLookAgain = std::chrono::milliseconds(1000);

}  // namespace

/// Between two turns, in a rest, and while a standby waits for a round. One atomic load where there is nothing to do.
void Session::Impl::do_chores() {
    if (!inbox.has_chores()) return;
    for (const auto& chore : inbox.take_chores())
        std::visit(core::Overloaded{[this](const core::PrepareEngine& one) { prepare(one.spec); },
                                    [this](const core::CheckEngine& one) {
                                        const bool well = !config.hooks.healthy || config.hooks.healthy();
                                        inbox.give(agent::Inbox::Checked{one.seat, one.number, well});
                                    }},
                   chore);
}

void Session::Impl::prepare(const core::ReplicaSpec& spec) {
    ReplicaInfo info{ReplicaId{spec.seat.value}, spec.backend, spec.version, spec.config};
    std::optional<std::string> error;
    prepared.reset();
    if (config.hooks.prepare)
        if (const auto done = config.hooks.prepare(info); !done) error = done.error().text;
    if (!error) prepared = std::move(info);
    inbox.give(agent::Inbox::Prepared{spec.seat, std::move(error)});
}

bool Session::Impl::knows_its_replica() const {
    if (!world.slot || !world.replica || !agent::has_steward(config)) return true;
    return prepared && prepared->id == *world.replica;
}

/// Whoever fills another one's place is told what it is after the round. False where that round is over before.
bool Session::Impl::learn_its_replica() {
    while (!knows_its_replica()) {
        const auto seen = inbox.news();
        if (mailbox.interrupted()) return false;
        do_chores();
        if (knows_its_replica()) break;
        if (config.agent == AgentThread::engine)
            agent->pump(std::chrono::milliseconds(1));
        else
            inbox.wait(seen, kLookAgain);
    }
    return true;
}

/// A new round. Whoever was in a replica and is no more has to prepare again, be it for the same.
void Session::Impl::show_replica(const World& before) {
    if (before.replica && before.replica != world.replica && prepared && prepared->id == *before.replica)
        prepared.reset();
    inbox.give(agent::Inbox::Taken{world.round});
}

std::optional<ReplicaInfo> Session::replica() const {
    const bool has_one = impl_->world.slot && impl_->world.replica && impl_->knows_its_replica();
    return has_one ? impl_->prepared : std::nullopt;
}

}  // namespace muster
