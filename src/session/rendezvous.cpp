// SPDX-License-Identifier: Apache-2.0
/// A rendezvous that a program asks for: meet::Rendezvous over the job's registry, or over a file.
#include "muster/rendezvous.hpp"

#include <nlohmann/json.hpp>

#include "meet/event_line.hpp"
#include "meet/rendezvous.hpp"
#include "persist/file_backend.hpp"
#include "session/impl.hpp"
#include "session/registry_backend.hpp"

namespace muster {
namespace {

namespace rdzv = core::rendezvous;

rdzv::Time time_of(double seconds) { return {static_cast<std::int64_t>(seconds * 1e6)}; }

rdzv::Settings settings_of(const RendezvousOptions& options) {
    rdzv::Settings settings;
    const auto& times = options.times;
    settings.run_id = options.run_id;
    settings.min_nodes = options.min_nodes;
    settings.max_nodes = options.max_nodes;
    settings.timeouts = {time_of(times.join), time_of(times.last_call), time_of(times.close), time_of(times.heartbeat)};
    settings.keep_alive_interval = time_of(times.keep_alive_interval);
    settings.keep_alive_max_attempt = times.keep_alive_max_attempt;
    settings.cache = time_of(times.cache);
    settings.poll_sleep = time_of(times.poll);
    settings.join_delay = time_of(times.join_delay);
    settings.replace_dead_participants = options.replace_dead_participants;
    settings.slot_order = options.slot_order;
    return settings;
}

Error error_of(const rdzv::Failure& failure) {
    const auto fault = failure.kind == rdzv::Failure::timed_out   ? Fault::timed_out
                       : failure.kind == rdzv::Failure::bad_value ? Fault::refused
                       : failure.kind == rdzv::Failure::closed || failure.kind == rdzv::Failure::graceful_exit
                           ? Fault::ended
                           : Fault::internal;
    const std::string name = rdzv::name_of(failure.kind);
    return {fault, failure.text.empty() ? name : name + ": " + failure.text};
}

template <class T>
Result<T> result_of(rdzv::Or<T> answer) {
    if (const auto* failure = std::get_if<rdzv::Failure>(&answer)) return error_of(*failure);
    return std::move(std::get<T>(answer));
}

Result<Done> result_of(const std::optional<rdzv::Failure>& failure) {
    if (failure) return error_of(*failure);
    return Done{};
}

}  // namespace

class Rendezvous::Impl {
public:
    static Result<Rendezvous> create(const RendezvousOptions& options, std::unique_ptr<rdzv::Backend> backend,
                                     std::string address) {
        meet::RendezvousOptions settings{
            .settings = settings_of(options), .backend = std::move(backend), .address = std::move(address)};
        if (options.on_event)
            settings.on_event = [tell = options.on_event](const rdzv::Event& event, rdzv::Time when) {
                tell(meet::as_json(event, when).dump());
            };
        auto made = meet::Rendezvous::create(std::move(settings));
        if (const auto* failure = std::get_if<rdzv::Failure>(&made)) return error_of(*failure);
        auto impl = std::make_unique<Impl>();
        impl->meeting = std::move(std::get<0>(made));
        return Rendezvous(std::move(impl));
    }
    std::unique_ptr<meet::Rendezvous> meeting;
};

Rendezvous::Rendezvous(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Rendezvous::Rendezvous(Rendezvous&&) noexcept = default;
Rendezvous& Rendezvous::operator=(Rendezvous&&) noexcept = default;
Rendezvous::~Rendezvous() = default;

Result<Rendezvous> Rendezvous::in_job(const Session& session, const RendezvousOptions& options) {
    const auto deadline = std::chrono::milliseconds(static_cast<std::int64_t>(options.times.heartbeat * 1000));
    return Impl::create(
        options,
        std::make_unique<RegistryBackend>(session.impl().desk, "muster.rendezvous." + options.run_id, deadline),
        session.impl().launch[session.rank().value].node);
}

Result<Rendezvous> Rendezvous::in_directory(const std::string& directory, const RendezvousOptions& options) {
    return Impl::create(options,
                        std::make_unique<persist::FileBackend>(
                            persist::FileBackendSettings{.directory = directory, .run_id = options.run_id}),
                        "");
}

Result<RendezvousRound> Rendezvous::next_rendezvous() {
    auto answer = impl_->meeting->next_rendezvous();
    if (const auto* failure = std::get_if<rdzv::Failure>(&answer)) return error_of(*failure);
    auto& joined = std::get<std::optional<meet::Joined>>(answer);
    if (!joined) return Error{Fault::refused, "interrupted while it waited for the next round"};
    RendezvousRound round{joined->round, joined->rank, {}, std::move(joined->store_prefix)};
    for (const auto& node : joined->world) round.nodes.push_back(rdzv::text_of(node));
    return round;
}

Result<bool> Rendezvous::is_round_over() { return result_of(impl_->meeting->is_round_over()); }
Result<bool> Rendezvous::is_closed() { return result_of(impl_->meeting->is_closed()); }
Result<std::size_t> Rendezvous::num_nodes_waiting() { return result_of(impl_->meeting->num_nodes_waiting()); }
Result<Done> Rendezvous::set_closed() { return result_of(impl_->meeting->set_closed()); }
bool Rendezvous::shutdown() { return impl_->meeting->shutdown(); }
void Rendezvous::interrupt() { impl_->meeting->interrupt(); }
Result<Done> Rendezvous::leave() { return result_of(impl_->meeting->leave()); }

}  // namespace muster
