// SPDX-License-Identifier: Apache-2.0
#include "agent/inject.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "agent/fault_deeds.hpp"
#include "agent/log.hpp"
#include "agent/node_faults.hpp"
#include "core/fault_draw.hpp"
#include "core/fault_order.hpp"
#include "core/overloaded.hpp"
#include "persist/file_lock.hpp"

namespace muster::agent {
namespace {

using core::FaultKind;
using core::FaultOrder;
using Clock = std::chrono::steady_clock;

/// An order that waits for a place, and how often that must still be reached.
struct Waiting {
    const FaultOrder* order = nullptr;
    std::uint32_t left = 1;
};

/// An order that waits for a time.
struct Timed {
    const FaultOrder* order = nullptr;
    std::optional<core::FaultDraw> draw{};
    std::optional<std::uint64_t> due_us{};
    std::uint32_t done = 0;
};

struct Injector {
    std::atomic<bool> any{false};
    std::atomic<bool> exit_due{false};
    std::atomic<std::uint64_t> slow_us{0};
    std::mutex mutex;  ///< Guards what follows; never held while a fault is carried out.
    std::condition_variable changed;
    std::vector<FaultOrder> orders;  ///< Everybody's. Stays as it is while a session lives.
    std::vector<Waiting> waiting;
    std::vector<Timed> timed;  ///< The thread's own while that runs.
    std::optional<State> state;
    const FaultOrder* crash = nullptr;  ///< Of the coordinator, after a checkpoint.
    bool over = true;
    std::thread thread;
    std::vector<std::thread> holders;  ///< Of the rendezvous' lock.
    std::vector<ProcessId> on_this_node;
    Rank self;
};

/// Never destroyed: an exit() while the thread waits must find everything in place.
Injector& injector() {
    static auto* const one = new Injector;
    return *one;
}

/// As any process may that changes the rendezvous' state, but for a while; gives it back earlier where the session
/// ends.
void hold_lock(const std::string& path, std::chrono::microseconds span) {
    constexpr std::chrono::seconds kPatience{2};
    auto& injector = agent::injector();
    const auto lock = persist::FileLock::lock(path, kPatience);
    if (const auto* failure = std::get_if<persist::Failure>(&lock)) return say("no lock is held: " + failure->text);
    std::get<0>(lock).sign("rank " + std::to_string(injector.self.value) + ", ordered to by --inject");
    say("holds the lock " + path);
    std::unique_lock guard(injector.mutex);
    injector.changed.wait_for(guard, span, [&] { return injector.over; });
}

void hold_lock(const FaultOrder& order) {
    const char* path = std::getenv("MUSTER_STATE_LOCK");
    if (path == nullptr || *path == '\0')
        return say("no lock is held: this job has none, it has not met in a directory (muster run --rendezvous DIR)");
    injector().holders.emplace_back([path = std::string(path), span = std::chrono::microseconds(order.amount_us)] {
        hold_lock(path, span);
        say("holds no lock any more");
    });
}

/// `nth` time that it is carried out.
void carry_out(const FaultOrder& order, std::uint32_t nth) {
    if (core::is_of_a_node(order.kind)) {
        const auto index = static_cast<std::uint64_t>(&order - injector().orders.data());
        return carry_out_on_node(order, {index, nth}, injector().self, injector().on_this_node);
    }
    say("a fault to order: " + order.text);
    switch (order.kind) {
        case FaultKind::exit0: injector().exit_due = true; return;
        case FaultKind::slow: injector().slow_us = order.amount_us; return;
        case FaultKind::stop:
            if (!stop_this_process(order.amount_us)) say("no timer would let it go on, so it has not been stopped");
            return;
        case FaultKind::hold_lock: return hold_lock(order);
        default: end_this_process(order.kind);
    }
}

/// Something was reached. `is_it` says whether this order waits for that.
template <class IsIt>
void reach(IsIt is_it) {
    auto& injector = agent::injector();
    if (!injector.any.load(std::memory_order_relaxed)) return;
    std::vector<const FaultOrder*> due;
    {
        const std::scoped_lock lock(injector.mutex);
        for (auto& one : injector.waiting)
            if (one.left > 0 && is_it(*one.order) && --one.left == 0) due.push_back(one.order);
    }
    for (const auto* order : due) carry_out(*order, 1);
}

void exit_where_due() {
    if (injector().exit_due.load(std::memory_order_relaxed) && injector().exit_due.exchange(false)) std::exit(0);
}

void arm(const FaultOrder& order, Rank self, std::uint32_t ranks) {
    auto& injector = agent::injector();
    if (order.rank && *order.rank != self) return;
    if (core::is_of_a_node(order.kind) && !core::is_same_node(order.node, host_name())) return;
    std::visit(
        core::Overloaded{
            [&](const core::AtStep&) {
                injector.waiting.push_back({&order, 1});
            },
            [&](const core::AtState& state) {
                injector.waiting.push_back({&order, state.nth});
            },
            [&](const core::AtPoint& point) {
                injector.waiting.push_back({&order, point.nth});
            },
            [&](const core::AtCheckpoint& at) {
                if (!at.most || self.value < *at.most) injector.crash = &order;
            },
            [&](const core::AtTime& time) { injector.timed.push_back({.order = &order, .due_us = time.after_us}); },
            [&](const core::AtRandom&) {
                injector.timed.push_back({.order = &order, .draw = core::FaultDraw(order, ranks)});
            },
        },
        order.when);
    injector.any = true;
}

void draw_next(Timed& timed, Rank self) {
    timed.due_us.reset();
    if (!timed.draw) return;
    const Rank drawn_as = core::is_of_a_node(timed.order->kind) ? Rank{0} : self;
    if (const auto drawn = timed.draw->next_of(drawn_as)) timed.due_us = drawn->after_us;
}

Timed* earliest(std::vector<Timed>& all) {
    Timed* first = nullptr;
    for (auto& one : all)
        if (one.due_us && (first == nullptr || *one.due_us < *first->due_us)) first = &one;
    return first;
}

void keep_time(Clock::time_point begun) {
    auto& injector = agent::injector();
    for (auto& one : injector.timed)
        if (one.draw) draw_next(one, injector.self);
    while (auto* next = earliest(injector.timed)) {
        {
            std::unique_lock lock(injector.mutex);
            const auto until = begun + std::chrono::microseconds(*next->due_us);
            if (injector.changed.wait_until(lock, until, [&] { return injector.over; })) return;
        }
        carry_out(*next->order, ++next->done);
        draw_next(*next, injector.self);
    }
}

}  // namespace

Result<Done> order_faults(const char* orders, Rank self, std::uint32_t ranks) {
    end_timed_faults();
    auto& injector = agent::injector();
    const std::scoped_lock lock(injector.mutex);
    injector.waiting.clear();
    injector.timed.clear();
    injector.orders.clear();
    injector.state.reset();
    injector.crash = nullptr;
    injector.any = injector.exit_due = false;
    injector.slow_us = 0;
    injector.self = self;
    injector.over = false;
    injector.on_this_node = {this_process()};
    auto parsed = core::parse_fault_orders(orders == nullptr ? "" : orders);
    if (!parsed) return Error{Fault::bad_setup, "MUSTER_INJECT: " + parsed.error().text};
    if (const auto wrong = core::complaint_about_ranks(*parsed, ranks); !wrong.empty())
        return Error{Fault::bad_setup, "MUSTER_INJECT: " + wrong};
    injector.orders = std::move(*parsed);
    for (const auto& order : injector.orders) arm(order, self, ranks);
    return Done{};
}

Result<Done> know_the_nodes(const std::vector<RosterEntry>& roster) {
    auto& injector = agent::injector();
    const auto self = roster.at(injector.self.value);
    std::vector<std::string> nodes;
    injector.on_this_node.clear();
    for (const auto& entry : roster) {
        if (entry.process.pid == 0) return Done{};  // Died before it could say where it lives.
        if (std::find(nodes.begin(), nodes.end(), entry.member.node) == nodes.end()) nodes.push_back(entry.member.node);
        if (entry.member.node == self.member.node && entry.process.space == self.process.space)
            injector.on_this_node.push_back(entry.process);
    }
    if (const auto wrong = core::complaint_about_nodes(injector.orders, nodes); !wrong.empty())
        return Error{Fault::bad_setup, "MUSTER_INJECT: " + wrong};
    return Done{};
}

void begin_timed_faults() {
    auto& injector = agent::injector();
    if (injector.timed.empty() || injector.thread.joinable()) return;
    injector.thread = std::thread(keep_time, Clock::now());
}

void end_timed_faults() {
    auto& injector = agent::injector();
    {
        const std::scoped_lock lock(injector.mutex);
        injector.over = true;
    }
    injector.changed.notify_all();
    if (injector.thread.joinable()) injector.thread.join();
    for (auto& holder : injector.holders) holder.join();
    injector.holders.clear();
}

bool faults_ordered() { return injector().any.load(std::memory_order_relaxed); }

double crash_after_checkpoint() {
    const std::scoped_lock lock(injector().mutex);
    const auto* order = injector().crash;
    return order == nullptr ? 0 : std::get<core::AtCheckpoint>(order->when).chance;
}

void crash_as_ordered() {
    const FaultOrder* order = nullptr;
    {
        const std::scoped_lock lock(injector().mutex);
        order = injector().crash;
    }
    if (order != nullptr) carry_out(*order, 1);
}

void reach_point(const char* name) {
    reach([&](const FaultOrder& order) {
        const auto* point = std::get_if<core::AtPoint>(&order.when);
        return point != nullptr && point->point == name;
    });
}

void reach_point(const char* where, const char* what) {
    if (faults_ordered()) reach_point((std::string(where) + '.' + what).c_str());
}

void reach_step(Step now) {
    reach([&](const FaultOrder& order) {
        const auto* step = std::get_if<core::AtStep>(&order.when);
        return step != nullptr && step->step == now.value;
    });
    exit_where_due();
}

void reach_state(State now) {
    if (!faults_ordered()) return;
    {
        const std::scoped_lock lock(injector().mutex);
        if (std::exchange(injector().state, now) == now) return;
    }
    reach([&](const FaultOrder& order) {
        const auto* state = std::get_if<core::AtState>(&order.when);
        return state != nullptr && state->state == now;
    });
    exit_where_due();
}

void reach_turn() {
    exit_where_due();
    if (const auto longer = injector().slow_us.load(std::memory_order_relaxed); longer > 0)
        std::this_thread::sleep_for(std::chrono::microseconds(longer));
}

void reach_pause() { exit_where_due(); }

}  // namespace muster::agent
