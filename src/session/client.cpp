// SPDX-License-Identifier: Apache-2.0
/// Clients of the job in this process, and waiting for this engine's own state.
#include "muster/client.hpp"

#include "agent/client_desk.hpp"
#include "agent/settings.hpp"
#include "session/impl.hpp"

namespace muster {

Session::Impl::Impl(Config settings) : config(std::move(settings)) {
    std::function<void()> pump;
    // Without a thread of its own the agent works in the engine thread's calls, and only there.
    if (config.agent == AgentThread::engine)
        pump = [this, engine = std::this_thread::get_id()] {
            if (agent && std::this_thread::get_id() == engine) agent->pump(std::chrono::milliseconds(0));
        };
    desk = std::make_shared<detail::Desk>([this] { bell.wake(); }, std::move(pump));
}

TurnSurroundings Session::Impl::surroundings_of_turns() {
    std::function<void()> pump;
    if (config.agent == AgentThread::engine) pump = [this] { agent->pump(std::chrono::milliseconds(1)); };
    std::function<void()> chores;
    if (agent::has_steward(config)) chores = [this] { do_chores(); };
    return {.config = config,
            .mailbox = mailbox,
            .inbox = inbox,
            .watchdog = watchdog,
            .stage = stage,
            .chores = std::move(chores),
            .pump = std::move(pump),
            .stop = [this](ExitCode code, const std::string& reason) { stop(code, reason); }};
}

Result<Client> Session::client(std::chrono::milliseconds deadline) {
    if (auto connected = impl_->desk->connect(deadline); !connected) return connected.error();
    return Client(impl_->desk);
}

State Session::state() const { return impl_->stage.state(); }
bool Session::reached(Milestone milestone) const { return impl_->stage.reached(milestone); }

Result<Done> Session::wait_for(Milestone milestone, std::chrono::milliseconds deadline) const {
    return impl_->stage.wait_for(milestone, deadline);
}

Result<Done> Session::wait_for(State state, std::chrono::milliseconds deadline) const {
    const auto milestone = milestone_of(state);
    if (!milestone) return milestone.error();
    return wait_for(*milestone, deadline);
}

Operation::Operation(std::shared_ptr<detail::Desk> desk, std::shared_ptr<detail::PendingOperation> pending)
    : desk_(std::move(desk)), pending_(std::move(pending)) {}

Result<Done> Operation::wait(std::chrono::milliseconds deadline) { return desk_->wait(*pending_, deadline); }
bool Operation::done() const { return desk_->ended(*pending_); }

Operation Client::pause() { return {desk_, desk_->ask(core::Wanted::pause)}; }
Operation Client::unpause() { return {desk_, desk_->ask(core::Wanted::unpause)}; }
Operation Client::resume() { return {desk_, desk_->ask(core::Wanted::resume)}; }
Operation Client::suspend() { return {desk_, desk_->ask(core::Wanted::suspended)}; }
Operation Client::stop() { return {desk_, desk_->ask(core::Wanted::stopped)}; }
Operation Client::signal(Signal signal) { return {desk_, desk_->ask(static_cast<core::Wanted>(signal))}; }

Result<RequestId> Client::submit(std::span<const std::byte> bytes, std::optional<RequestId> id) {
    return desk_->submit(bytes, {.id = id});
}
Result<RequestId> Client::submit(std::span<const std::byte> bytes, SubmitOptions options) {
    return desk_->submit(bytes, std::move(options));
}
Result<Done> Client::abort(RequestId id) { return desk_->abort(id); }
Result<JobLoads> Client::loads(std::chrono::milliseconds deadline) { return desk_->loads(deadline); }
Result<Reply> Client::wait(RequestId id, std::chrono::milliseconds deadline) { return desk_->wait(id, deadline); }
Result<Reply> Client::next(std::chrono::milliseconds deadline) { return desk_->next(deadline); }
std::size_t Client::open_requests() const { return desk_->open_requests(); }

}  // namespace muster
