// SPDX-License-Identifier: Apache-2.0
#include "meet/rendezvous.hpp"

#include <netdb.h>
#include <unistd.h>

#include <array>
#include <random>

#include "core/overloaded.hpp"
#include "meet/clock.hpp"

namespace muster::meet {

using namespace core::rendezvous;
using core::rendezvous::State;  // Not the lifecycle's.

namespace {

/// As torch's socket.getfqdn(): the full name where the system knows one. May ask a name server.
std::string full_host_name() {
    std::array<char, 256> name{};
    (void)::gethostname(name.data(), name.size() - 1);
    addrinfo hints{};
    hints.ai_flags = AI_CANONNAME;
    addrinfo* found = nullptr;
    if (::getaddrinfo(name.data(), nullptr, &hints, &found) != 0) return name.data();
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
    return found->ai_canonname != nullptr ? found->ai_canonname : name.data();
}

Node new_node(const std::string& address) {
    static NodeNames names;
    const Host host{address.empty() ? full_host_name() : address, ::getpid()};
    return names.next(host, address);
}

double roll() {
    std::random_device dice;
    return std::uniform_real_distribution<double>(0, 1)(dice);
}

/// What takes `node` off the list that it is on; nothing where it is on none.
std::optional<Action> removal(const State& state, const Node& node) {
    if (state.participants.contains(node)) return Action::remove_from_participants;
    if (state.wait_list.contains(node)) return Action::remove_from_wait_list;
    if (state.redundancy_list.contains(node)) return Action::remove_from_redundancy_list;
    return std::nullopt;
}

}  // namespace

/// What a call's effects come to.
struct Rendezvous::Result {
    std::optional<Time> wait{};
    std::optional<Joined> joined{};
    std::optional<Failure> raised{};
    bool returned = true;
};

Or<std::unique_ptr<Rendezvous>> Rendezvous::create(RendezvousOptions options) {
    std::unique_ptr<Rendezvous> made(new Rendezvous(std::move(options)));
    const auto& given = made->options_;
    const auto raise = [&](const Failure& failure) {
        made->record({"create_handler", given.settings.run_id, std::nullopt,
                      std::string(name_of(failure.kind)) + ": " + failure.text, Outlook::failed});
        return failure;
    };
    auto handler = Handler::create(new_node(given.address), given.settings, *given.backend);
    if (const auto* failure = std::get_if<Failure>(&handler)) return raise(*failure);
    if (const Time interval = given.settings.keep_alive_interval; interval <= Time{0})
        return raise({Failure::bad_value, "The keep-alive interval (" + text_of(interval) + ") must be positive."});
    made->handler_ = std::move(std::get<0>(handler));
    return made;
}

Rendezvous::Rendezvous(RendezvousOptions options) : options_(std::move(options)) {
    if (!options_.chance) options_.chance = roll;
}

Rendezvous::~Rendezvous() { stop_timer(); }

void Rendezvous::record(const Event& event) {
    const std::lock_guard lock(recording_);
    if (options_.on_event) options_.on_event(event, now());
}

void Rendezvous::carry_out(const effect::StartHeartbeats& start) {
    auto timer = std::make_unique<Timer>(start.name, span_of(start.every), [this] { (void)run(Call::heartbeat); });
    const std::lock_guard lock(timing_);
    std::swap(timer_, timer);
}

void Rendezvous::stop_timer() {
    std::unique_ptr<Timer> stopped;
    const std::lock_guard lock(timing_);
    stopped.swap(timer_);
}

/// Without the lock, in order. A timer that is started here while another thread stops it goes on for nothing: the
/// handler knows that its ticks are void.
Rendezvous::Result Rendezvous::perform(const Progress& progress) {
    Result result;
    for (const auto& effect : progress.effects)
        std::visit(core::Overloaded{
                       [&](const effect::Wait& wait) { result.wait = wait.span; },
                       [&](const effect::StartHeartbeats& start) { carry_out(start); },
                       [&](const effect::StopHeartbeats&) { stop_timer(); },
                       [&](const effect::Record& one) { record(one.event); },
                       [&](const effect::Joined& in) {
                           result.joined = {in.round, in.rank, in.world, in.store_prefix};
                       },
                       [&](const effect::Returned& returned) { result.returned = returned.value; },
                       [&](const effect::Raised& raised) { result.raised = raised.failure; },
                   },
                   effect);
    return result;
}

Or<std::optional<Joined>> Rendezvous::next_rendezvous() {
    bool begun = false;
    while (true) {
        const auto before = closings();  // A closing after the step's look at the state must cut the pause short.
        std::unique_lock lock(mutex_);
        const auto progress = begun ? handler_->step(Call::next_rendezvous, now())
                                    : handler_->begin(Call::next_rendezvous, now(), options_.chance());
        lock.unlock();
        begun = true;
        auto result = perform(progress);
        if (result.raised) return *result.raised;
        if (progress.finished) return std::move(result.joined);
        if (!pause(result.wait.value_or(Time{0}), before)) return std::nullopt;
    }
}

std::uint64_t Rendezvous::closings() {
    const std::lock_guard lock(waiting_);
    return closings_;
}

/// False: interrupted. Shorter where somebody here closes it meanwhile: the next look will see that.
bool Rendezvous::pause(Time span, std::uint64_t before) {
    std::unique_lock lock(waiting_);
    wake_.wait_for(lock, span_of(span), [&] { return interrupted_ || closings_ != before; });
    return !interrupted_;
}

void Rendezvous::interrupt() {
    const std::lock_guard lock(waiting_);
    interrupted_ = true;
    wake_.notify_all();
}

/// A call that never waits, from its beginning to its end.
Rendezvous::Result Rendezvous::run(Call call) {
    Progress all;
    {
        const std::lock_guard lock(mutex_);
        all = handler_->begin(call, now());
        while (!all.finished) {
            auto next = handler_->step(call, now());
            all.effects.insert(all.effects.end(), next.effects.begin(), next.effects.end());
            all.finished = next.finished;
        }
    }
    return perform(all);
}

Rendezvous::Result Rendezvous::close(Call call) {
    auto result = run(call);
    const std::lock_guard lock(waiting_);
    ++closings_;
    wake_.notify_all();
    return result;
}

std::optional<Failure> Rendezvous::set_closed() { return close(Call::set_closed).raised; }
bool Rendezvous::shutdown() { return close(Call::shutdown).returned; }

template <class T>
Or<T> Rendezvous::ask(Answer<T> (Handler::*question)(Time)) {
    std::unique_lock lock(mutex_);
    auto answer = (handler_.get()->*question)(now());
    lock.unlock();
    for (const auto& event : answer.events) record(event);
    return std::move(answer.value);
}

Or<bool> Rendezvous::is_closed() { return ask(&Handler::is_closed); }
Or<std::size_t> Rendezvous::num_nodes_waiting() { return ask(&Handler::num_nodes_waiting); }
Or<bool> Rendezvous::is_round_over() { return ask(&Handler::is_round_over); }

Or<State> Rendezvous::look() {
    auto waiting = num_nodes_waiting();
    if (auto* failure = std::get_if<Failure>(&waiting)) return std::move(*failure);
    return seen();
}

State Rendezvous::seen() const {
    const std::lock_guard lock(mutex_);
    return handler_->state();
}

std::optional<Failure> Rendezvous::leave() {
    stop_timer();
    Settings settings = handler_->settings();
    settings.cache = Time{0};
    Events events;
    std::optional<Failure> failure;
    {
        const std::lock_guard lock(mutex_);
        StateHolder holder(*options_.backend, settings);
        const Time deadline = now() + settings.timeouts.close;
        while (true) {
            auto synced = holder.sync(now());
            if (auto* why = std::get_if<Failure>(&synced)) failure = std::move(*why);
            const auto action = removal(holder.state(), node());
            if (failure || !action) break;
            if (now() > deadline) failure = Failure{Failure::timed_out, ""};
            if (failure) break;
            apply(*action, {node(), settings, now()}, holder.change(), &events);
        }
    }
    for (const auto& event : events) record(event);
    return failure;
}

}  // namespace muster::meet
