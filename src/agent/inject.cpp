// SPDX-License-Identifier: Apache-2.0
#include "agent/inject.hpp"

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "agent/fault_deeds.hpp"
#include "agent/log.hpp"
#include "core/fault_draw.hpp"
#include "core/fault_order.hpp"
#include "core/overloaded.hpp"

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
    Rank self;
};

/// Never destroyed: an exit() while the thread waits must find everything in place.
Injector& injector() {
    static auto* const one = new Injector;
    return *one;
}

void carry_out(const FaultOrder& order) {
    say("a fault to order: " + order.text);
    switch (order.kind) {
        case FaultKind::exit0: injector().exit_due = true; return;
        case FaultKind::slow: injector().slow_us = order.amount_us; return;
        case FaultKind::stop:
            if (!stop_this_process(order.amount_us)) say("no timer would let it go on, so it has not been stopped");
            return;
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
    for (const auto* order : due) carry_out(*order);
}

void exit_where_due() {
    if (injector().exit_due.load(std::memory_order_relaxed) && injector().exit_due.exchange(false)) std::exit(0);
}

void arm(const FaultOrder& order, Rank self, std::uint32_t ranks) {
    auto& injector = agent::injector();
    if (order.rank && *order.rank != self) return;
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
    if (const auto drawn = timed.draw->next_of(self)) timed.due_us = drawn->after_us;
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
        carry_out(*next->order);
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
    auto parsed = core::parse_fault_orders(orders == nullptr ? "" : orders);
    if (!parsed) return Error{Fault::bad_setup, "MUSTER_INJECT: " + parsed.error().text};
    if (const auto wrong = core::complaint_about_ranks(*parsed, ranks); !wrong.empty())
        return Error{Fault::bad_setup, "MUSTER_INJECT: " + wrong};
    injector.orders = std::move(*parsed);
    for (const auto& order : injector.orders) arm(order, self, ranks);
    return Done{};
}

void begin_timed_faults() {
    auto& injector = agent::injector();
    if (injector.timed.empty() || injector.thread.joinable()) return;
    injector.over = false;
    injector.thread = std::thread(keep_time, Clock::now());
}

void end_timed_faults() {
    auto& injector = agent::injector();
    if (!injector.thread.joinable()) return;
    {
        const std::scoped_lock lock(injector.mutex);
        injector.over = true;
    }
    injector.changed.notify_all();
    injector.thread.join();
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
    if (order != nullptr) carry_out(*order);
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
