// SPDX-License-Identifier: Apache-2.0
/// A rendezvous that a program asks for: meet::Rendezvous over the job's registry, or over a file.
#include "muster/rendezvous.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <nlohmann/json.hpp>

#include "meet/event_line.hpp"
#include "meet/rendezvous.hpp"
#include "meet/round_store.hpp"
#include "persist/file_backend.hpp"
#include "session/impl.hpp"
#include "session/registry_backend.hpp"

namespace muster {
namespace {

namespace rdzv = core::rendezvous;
using std::chrono::milliseconds;

const char* const kBootstrap = "muster.bootstrap";
constexpr milliseconds kSlice{1'000};

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

/// The rendezvous, and where the store of each of its rounds is.
class Rendezvous::Impl {
public:
    using Place = std::function<meet::RoundStore(meet::RoundStorePlace)>;
    using Discard = std::function<void(const std::string& prefix)>;

    static Result<Rendezvous> create(const RendezvousOptions& options, std::unique_ptr<rdzv::Backend> backend,
                                     std::string address, Place place, Discard discard) {
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
        impl->options = options;
        impl->place = std::move(place);
        impl->discard = std::move(discard);
        return Rendezvous(std::move(impl));
    }

    Result<RendezvousRound> next();
    Result<std::string> get(const std::string& key, milliseconds deadline);
    std::shared_ptr<meet::RoundStore> last_store() {
        const std::scoped_lock lock(mutex);
        return store;
    }

    std::unique_ptr<meet::Rendezvous> meeting;

private:
    std::optional<Result<std::string>> bootstrap_of(const meet::Joined& joined);
    Error over(const std::string& key) const {
        return {Fault::refused, "key '" + key + "' is of round " + std::to_string(store->place().round.value) +
                                    " of the rendezvous '" + options.run_id + "', which is over"};
    }

    RendezvousOptions options;
    Place place;
    Discard discard;
    std::mutex mutex;
    std::shared_ptr<meet::RoundStore> store;  ///< Of the round that was joined last.
};

/// Nothing: the round is over before its rank 0 has told.
std::optional<Result<std::string>> Rendezvous::Impl::bootstrap_of(const meet::Joined& joined) {
    if (joined.rank == Slot{0}) {
        if (auto opened = store->open(); !opened) return Result<std::string>(opened.error());
        if (auto told = store->set(kBootstrap, options.bootstrap, kSlice); !told)
            return Result<std::string>(told.error());
        if (joined.round > Round{0}) discard(rdzv::store_prefix(meeting->settings(), Round{joined.round.value - 1}));
        return Result<std::string>(options.bootstrap);
    }
    auto told = get(kBootstrap, milliseconds(static_cast<std::int64_t>(options.times.join * 1000)));
    if (!told && told.error().fault == Fault::refused) return std::nullopt;
    return told;
}

Result<RendezvousRound> Rendezvous::Impl::next() {
    while (true) {
        auto answer = meeting->next_rendezvous();
        if (const auto* failure = std::get_if<rdzv::Failure>(&answer)) return error_of(*failure);
        auto& joined = std::get<std::optional<meet::Joined>>(answer);
        if (!joined) return Error{Fault::refused, "interrupted while it waited for the next round"};
        {
            const std::scoped_lock lock(mutex);
            store = std::make_shared<meet::RoundStore>(
                place({.prefix = joined->store_prefix,
                       .round = joined->round,
                       .owner = joined->world.front(),
                       .poll = milliseconds(std::max<std::int64_t>(1, std::llround(options.times.poll * 1000)))}));
        }
        const auto bootstrap = bootstrap_of(*joined);
        if (!bootstrap) continue;
        if (!*bootstrap) return bootstrap->error();
        RendezvousRound round{joined->round, joined->rank, {}, std::move(joined->store_prefix), **bootstrap};
        for (const auto& node : joined->world) round.nodes.push_back(rdzv::text_of(node));
        return round;
    }
}

/// In slices, so that the end of the round is noticed.
Result<std::string> Rendezvous::Impl::get(const std::string& key, milliseconds deadline) {
    const auto from = last_store();
    for (const auto until = std::chrono::steady_clock::now() + deadline;;) {
        const auto left = std::chrono::duration_cast<milliseconds>(until - std::chrono::steady_clock::now());
        auto found = from->get(key, std::clamp(left, milliseconds(0), kSlice));
        if (found || found.error().fault != Fault::timed_out) return found;
        const auto gone = result_of(meeting->is_round_over());
        if (!gone) return gone.error();
        if (*gone) return over(key);
        if (left <= kSlice) return found;
    }
}

Rendezvous::Rendezvous(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Rendezvous::Rendezvous(Rendezvous&&) noexcept = default;
Rendezvous& Rendezvous::operator=(Rendezvous&&) noexcept = default;
Rendezvous::~Rendezvous() = default;

Result<Rendezvous> Rendezvous::in_job(const Session& session, const RendezvousOptions& options) {
    const auto deadline = std::chrono::milliseconds(static_cast<std::int64_t>(options.times.heartbeat * 1000));
    const auto backend_of = [desk = session.impl().desk, deadline](const std::string& key) {
        return std::make_unique<RegistryBackend>(desk, key, deadline);
    };
    return Impl::create(
        options, backend_of("muster.rendezvous." + options.run_id), session.impl().launch[session.rank().value].node,
        [backend_of](meet::RoundStorePlace place) {
            auto backend = backend_of(place.prefix);
            return meet::RoundStore(std::move(place), std::move(backend));
        },
        [backend_of](const std::string& prefix) { backend_of(prefix)->erase(); });
}

Result<Rendezvous> Rendezvous::in_directory(const std::string& directory, const RendezvousOptions& options) {
    return Impl::create(
        options,
        std::make_unique<persist::FileBackend>(
            persist::FileBackendSettings{.directory = directory, .run_id = options.run_id}),
        "",
        [directory](meet::RoundStorePlace place) {
            place.directory = directory;
            return meet::RoundStore(std::move(place));
        },
        [directory](const std::string& prefix) {
            meet::RoundStore({.directory = directory, .prefix = prefix}).discard();
        });
}

Result<RendezvousRound> Rendezvous::next_rendezvous() { return impl_->next(); }
Result<Done> Rendezvous::set(const std::string& key, const std::string& value) {
    const auto store = impl_->last_store();
    if (store == nullptr) return Error{Fault::refused, "key '" + key + "': no round was joined yet"};
    return store->set(key, value, kSlice);
}
Result<std::string> Rendezvous::get(const std::string& key, milliseconds deadline) {
    if (impl_->last_store() == nullptr) return Error{Fault::refused, "key '" + key + "': no round was joined yet"};
    return impl_->get(key, deadline);
}
Result<bool> Rendezvous::is_round_over() { return result_of(impl_->meeting->is_round_over()); }
Result<bool> Rendezvous::is_closed() { return result_of(impl_->meeting->is_closed()); }
Result<std::size_t> Rendezvous::num_nodes_waiting() { return result_of(impl_->meeting->num_nodes_waiting()); }
Result<Done> Rendezvous::set_closed() { return result_of(impl_->meeting->set_closed()); }
bool Rendezvous::shutdown() { return impl_->meeting->shutdown(); }
void Rendezvous::interrupt() { impl_->meeting->interrupt(); }
Result<Done> Rendezvous::leave() { return result_of(impl_->meeting->leave()); }

}  // namespace muster
