// SPDX-License-Identifier: Apache-2.0
#include "agent/client_desk.hpp"

#include <algorithm>

namespace muster::detail {
namespace {

constexpr auto kPumpSlice = std::chrono::milliseconds(1);

Error late(const std::string& what, std::chrono::milliseconds deadline) {
    return {Fault::timed_out, what + " within " + std::to_string(deadline.count()) + " ms"};
}

core::Target target_of(const SubmitOptions& options) {
    if (!options.endpoint.empty()) return {core::Target::endpoint, options.endpoint};
    if (!options.backend.empty()) return {core::Target::backend, options.backend};
    return {};
}

}  // namespace

template <class Ready>
bool Desk::sleep(std::unique_lock<std::mutex>& lock, std::chrono::milliseconds deadline, Ready ready) {
    const auto until = Clock::now() + deadline;
    if (!pump_) return changed_.wait_until(lock, until, ready);
    while (!ready() && Clock::now() < until) {
        lock.unlock();
        pump_();
        lock.lock();
        changed_.wait_for(lock, kPumpSlice, ready);
    }
    return ready();
}

void Desk::put(Out out) {
    const bool first = out_.empty();  // Else the agent has been rung up and has not looked yet.
    out_.push_back(std::move(out));
    if (first) ring_();
}

Result<Done> Desk::connect(std::chrono::milliseconds deadline) {
    std::unique_lock lock(mutex_);
    if (!std::exchange(asked_to_connect_, true)) put(Connect{});
    if (!sleep(lock, deadline, [this] { return connected_ || over_; }))
        return late("the coordinator did not answer this client", deadline);
    if (over_) return *over_;
    return Done{};
}

std::shared_ptr<PendingOperation> Desk::ask(core::Wanted wanted) {
    const std::scoped_lock lock(mutex_);
    auto pending = std::make_shared<PendingOperation>();
    pending->id = core::OperationId{++operations_};
    if (over_) {
        pending->ended = true;
        pending->error = over_;
        return pending;
    }
    pending_[pending->id] = pending;
    put(Ask{pending->id, wanted});
    return pending;
}

Result<Done> Desk::wait(const PendingOperation& pending, std::chrono::milliseconds deadline) {
    std::unique_lock lock(mutex_);
    if (!sleep(lock, deadline, [&pending] { return pending.ended; }))
        return late("not all engines have crossed the barrier", deadline);
    if (pending.error) return *pending.error;
    return Done{};
}

bool Desk::ended(const PendingOperation& pending) const {
    const std::scoped_lock lock(mutex_);
    return pending.ended;
}

Result<RequestId> Desk::submit(std::span<const std::byte> bytes, SubmitOptions options) {
    const std::scoped_lock lock(mutex_);
    if (over_) return *over_;
    if (bytes.size() > core::kRequestMax)
        return Error{Fault::refused, "a request of " + std::to_string(bytes.size()) + " bytes is above the limit of " +
                                         std::to_string(core::kRequestMax)};
    if (options.blocks.size() > core::kBlocksMax)
        return Error{Fault::refused, std::to_string(options.blocks.size()) + " block hashes are more than " +
                                         std::to_string(core::kBlocksMax)};
    if (!options.endpoint.empty() && !options.backend.empty())
        return Error{Fault::refused, "a request names endpoint '" + options.endpoint + "' and backend '" +
                                         options.backend + "': it must be one of the two"};
    const auto id = options.id;
    while (!id && open_.contains(RequestId{requests_ + 1})) ++requests_;
    const RequestId name = id.value_or(RequestId{requests_ + 1});
    if (!id) ++requests_;
    if (open_.contains(name))
        return Error{Fault::refused, "request " + std::to_string(name.value) + " is open already"};
    open_.insert(name);
    put(Submit{
        name, Bytes(bytes.begin(), bytes.end()), {options.engine, std::move(options.blocks), target_of(options)}});
    return name;
}

Result<Done> Desk::abort(RequestId id) {
    const std::scoped_lock lock(mutex_);
    if (!open_.contains(id)) return Error{Fault::refused, "no request " + std::to_string(id.value) + " is open"};
    put(Abort{id});
    return Done{};
}

Result<JobLoads> Desk::loads(std::chrono::milliseconds deadline) {
    std::unique_lock lock(mutex_);
    if (!std::exchange(watches_, true)) put(WatchLoads{});
    if (!sleep(lock, deadline, [this] { return loads_ || over_; }))
        return late("the coordinator published no loads", deadline);
    if (over_) return *over_;
    return *loads_;
}

/// What comes in one message is of one round; a new round begins with all groups.
void Desk::loads_heard(Round round, const core::GroupWords& groups) {
    const std::scoped_lock lock(mutex_);
    if (!loads_ || loads_->round != round) loads_ = JobLoads{round, {}};
    for (const auto& word : groups) {
        GroupLoads group{word.group, static_cast<std::uint64_t>(word.wave.value), word.running, {}};
        for (const auto& engine : word.engines)
            group.engines.push_back({engine.slot,
                                     engine.rank,
                                     {.waiting = static_cast<std::uint64_t>(engine.load.waiting),
                                      .running = static_cast<std::uint64_t>(engine.load.running),
                                      .capacity = engine.capacity,
                                      .gauges = engine.load.gauges}});
        if (loads_->groups.size() <= word.group) loads_->groups.resize(word.group + 1);
        loads_->groups[word.group] = std::move(group);
    }
    changed_.notify_all();
}

Result<Reply> Desk::wait(RequestId id, std::chrono::milliseconds deadline) {
    std::unique_lock lock(mutex_);
    const auto found = [this, id] {
        return std::find_if(answered_.begin(), answered_.end(), [id](const Reply& reply) { return reply.id == id; });
    };
    if (!open_.contains(id) && found() == answered_.end())
        return Error{Fault::refused, "no request " + std::to_string(id.value) + " is open"};
    waited_for_.insert(id);
    const bool here = sleep(lock, deadline, [&] { return found() != answered_.end(); });
    waited_for_.erase(id);
    if (!here) return late("no reply to request " + std::to_string(id.value), deadline);
    const auto reply = found();
    Reply taken = std::move(*reply);
    answered_.erase(reply);
    return taken;
}

Result<Reply> Desk::next(std::chrono::milliseconds deadline) {
    std::unique_lock lock(mutex_);
    const auto free = [this] {
        return std::find_if(answered_.begin(), answered_.end(),
                            [this](const Reply& reply) { return !waited_for_.contains(reply.id); });
    };
    const bool here = sleep(lock, deadline, [&] { return free() != answered_.end() || over_; });
    if (const auto reply = free(); reply != answered_.end()) {
        Reply taken = std::move(*reply);
        answered_.erase(reply);
        return taken;
    }
    return here ? *over_ : late("no reply", deadline);
}

std::size_t Desk::open_requests() const {
    const std::scoped_lock lock(mutex_);
    return open_.size();
}

/// The coordinator ends the call a little earlier than this side would, since it knows which keys were missing.
Result<core::StoreAnswer> Desk::call(core::StoreOperation operation, Round round, std::chrono::milliseconds deadline) {
    std::unique_lock lock(mutex_);
    if (over_) return *over_;
    const core::CallId id{++calls_.value};
    store_calls_[id].may_change = core::may_change(operation);
    core::CallId settled = id;
    for (const auto& [other, open] : store_calls_)
        if (open.may_change && other < settled) settled = other;
    const auto left = static_cast<std::uint64_t>(std::max<std::int64_t>(0, deadline.count()));
    const auto patience = left - std::min<std::uint64_t>(left / 4, 50);
    put(core::StoreCall{id, settled, round, patience, std::move(operation)});
    const auto& open = store_calls_[id];
    const bool here = sleep(lock, deadline, [&open, this] { return open.answer || over_; });
    auto answer = std::move(store_calls_[id].answer);
    store_calls_.erase(id);
    if (!here) return late("the store's coordinator was not heard from", deadline);
    if (!answer) return *over_;
    if (answer->error) return *answer->error;
    return std::move(*answer);
}

Result<core::message::RegistryTold> Desk::look(core::message::RegistryAsk ask, std::chrono::milliseconds deadline) {
    std::unique_lock lock(mutex_);
    if (over_) return *over_;
    if (ask.bytes.size() > core::kRequestMax)
        return Error{Fault::refused, "a version of " + std::to_string(ask.bytes.size()) + " bytes of '" + ask.key +
                                         "' is above the limit of " + std::to_string(core::kRequestMax)};
    const core::CallId id{++calls_.value};
    ask.id = id;
    const auto& open = registry_calls_[id];
    ask.settled = registry_calls_.begin()->first;
    put(std::move(ask));
    const bool here = sleep(lock, deadline, [&open, this] { return open || over_; });
    auto told = std::move(registry_calls_[id]);
    registry_calls_.erase(id);
    if (!here) {
        put(GiveUp{id});
        return late("the registry's coordinator was not heard from", deadline);
    }
    if (!told) return *over_;
    if (told->error) return Error{Fault::refused, std::move(*told->error)};
    return std::move(*told);
}

Result<Bytes> Desk::control(const core::controller::Call& call, std::chrono::milliseconds deadline) {
    std::unique_lock lock(mutex_);
    if (over_) return *over_;
    auto bytes = core::controller::encode(call);
    if (bytes.size() > core::kRequestMax)
        return Error{Fault::refused, "a call of the controller of " + std::to_string(bytes.size()) +
                                         " bytes is above the limit of " + std::to_string(core::kRequestMax)};
    const core::CallId id{++calls_.value};
    auto& open = controller_calls_[id];
    open.changes = std::holds_alternative<core::controller::Command>(call);
    core::CallId settled = id;
    for (const auto& [other, one] : controller_calls_)
        if (one.changes && other < settled) settled = other;
    put(core::message::ControllerAsk{id, std::move(bytes), settled, {}});
    const bool here = sleep(lock, deadline, [&open, this] { return open.ended || over_; });
    auto ended = std::move(open.ended);
    controller_calls_.erase(id);
    if (!here) {
        put(GiveUp{id});
        return late("the controller was not heard from", deadline);
    }
    if (!ended) return *over_;
    if (ended->told.error) return Error{ended->over ? Fault::ended : Fault::refused, std::move(*ended->told.error)};
    return std::move(ended->told.answer);
}

void Desk::controller_call_ended(core::ControllerCallEnded ended) {
    const std::scoped_lock lock(mutex_);
    const auto open = controller_calls_.find(ended.told.id);
    if (open == controller_calls_.end()) return;  // Its caller has gone.
    open->second.ended = std::move(ended);
    changed_.notify_all();
}

void Desk::registry_call_ended(core::message::RegistryTold told) {
    const std::scoped_lock lock(mutex_);
    const auto open = registry_calls_.find(told.id);
    if (open == registry_calls_.end()) return;  // Its caller has gone.
    open->second = std::move(told);
    changed_.notify_all();
}

void Desk::store_call_ended(core::CallId id, core::StoreAnswer answer) {
    const std::scoped_lock lock(mutex_);
    const auto open = store_calls_.find(id);
    if (open == store_calls_.end()) return;  // Its caller has gone.
    open->second.answer = std::move(answer);
    changed_.notify_all();
}

std::vector<Desk::Out> Desk::take_out() {
    const std::scoped_lock lock(mutex_);
    return std::exchange(out_, {});
}

void Desk::connected() {
    const std::scoped_lock lock(mutex_);
    connected_ = true;
    changed_.notify_all();
}

void Desk::operation_ended(core::OperationId operation, std::optional<Error> error) {
    const std::scoped_lock lock(mutex_);
    const auto found = pending_.find(operation);
    if (found == pending_.end()) return;
    found->second->ended = true;
    found->second->error = std::move(error);
    pending_.erase(found);
    changed_.notify_all();
}

void Desk::request_ended(RequestId id, std::optional<Error> error, Bytes bytes) {
    const std::scoped_lock lock(mutex_);
    if (open_.erase(id) == 0) return;
    answered_.push_back({id, std::move(bytes), std::move(error)});
    untold_ = true;
}

void Desk::tell() {
    if (std::exchange(untold_, false)) changed_.notify_all();
}

void Desk::end(const Error& why) {
    const std::scoped_lock lock(mutex_);
    if (over_) return;
    over_ = why;
    for (auto& [id, pending] : pending_) {
        pending->ended = true;
        pending->error = why;
    }
    pending_.clear();
    for (const auto id : std::exchange(open_, {})) answered_.push_back({id, {}, why});
    changed_.notify_all();
}

}  // namespace muster::detail
