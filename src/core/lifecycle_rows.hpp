// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The two tables of the lifecycle, to be read like a picture, and the checks that they are sane, made by the compiler.
/// Intuition: in a stable state (RUNNING, PAUSED, SUSPENDED, STOPPED) a signal is judged at once. In between, whatever
/// the coordinator may already have let pass is held, and so is all that comes behind something held: order is kept.
/// Source: acceptance M1 to M24; why START is held in STOPPING and PAUSE in UNPAUSING: DESIGN.md, "Lifecycle".

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/lifecycle.hpp"

namespace muster::core {

// clang-format off
constexpr auto kEngineRows = std::to_array<Row>({
    // from             event                   guard                  to                 act
    {State::running,    Event::pause,           Guard::always,         State::pausing,    Act::start_vote},
    {State::running,    Event::votes_counted,   Guard::work_here,      State::running,    Act::forward},
    {State::running,    Event::votes_counted,   Guard::work_there,     State::running,    Act::dummy_forward},
    {State::running,    Event::votes_counted,   Guard::no_work,        State::running,    Act::rest},

    {State::pausing,    Event::pause,           Guard::nothing_held,   State::pausing,    Act::none},
    {State::pausing,    Event::pause,           Guard::something_held, State::pausing,    Act::hold},
    {State::pausing,    Event::unpause,         Guard::always,         State::pausing,    Act::hold},
    {State::pausing,    Event::suspend,         Guard::always,         State::pausing,    Act::hold},
    {State::pausing,    Event::resume,          Guard::something_held, State::pausing,    Act::hold},
    {State::pausing,    Event::stop,            Guard::always,         State::pausing,    Act::hold},
    {State::pausing,    Event::start,           Guard::something_held, State::pausing,    Act::hold},
    {State::pausing,    Event::votes_counted,   Guard::work_here,      State::pausing,    Act::forward},
    {State::pausing,    Event::votes_counted,   Guard::work_there,     State::pausing,    Act::dummy_forward},
    {State::pausing,    Event::votes_counted,   Guard::no_work,        State::pausing,    Act::rest},
    {State::pausing,    Event::votes_counted,   Guard::all_pause,      State::pausing,    Act::cross_barrier},
    {State::pausing,    Event::barrier_crossed, Guard::in_barrier,     State::paused,     Act::none},

    {State::paused,     Event::pause,           Guard::always,         State::paused,     Act::none},
    {State::paused,     Event::unpause,         Guard::always,         State::unpausing,  Act::cross_barrier},
    {State::paused,     Event::suspend,         Guard::always,         State::suspending, Act::release_and_cross},
    {State::paused,     Event::stop,            Guard::always,         State::stopping,   Act::cross_barrier},

    {State::unpausing,  Event::pause,           Guard::always,         State::unpausing,  Act::hold},
    {State::unpausing,  Event::unpause,         Guard::nothing_held,   State::unpausing,  Act::none},
    {State::unpausing,  Event::unpause,         Guard::something_held, State::unpausing,  Act::hold},
    {State::unpausing,  Event::suspend,         Guard::something_held, State::unpausing,  Act::hold},
    {State::unpausing,  Event::resume,          Guard::something_held, State::unpausing,  Act::hold},
    {State::unpausing,  Event::stop,            Guard::something_held, State::unpausing,  Act::hold},
    {State::unpausing,  Event::start,           Guard::something_held, State::unpausing,  Act::hold},
    {State::unpausing,  Event::barrier_crossed, Guard::in_barrier,     State::running,    Act::none},

    {State::suspending, Event::pause,           Guard::nothing_held,   State::suspending, Act::none},
    {State::suspending, Event::pause,           Guard::something_held, State::suspending, Act::hold},
    {State::suspending, Event::unpause,         Guard::something_held, State::suspending, Act::hold},
    {State::suspending, Event::suspend,         Guard::nothing_held,   State::suspending, Act::none},
    {State::suspending, Event::suspend,         Guard::something_held, State::suspending, Act::hold},
    {State::suspending, Event::resume,          Guard::always,         State::suspending, Act::hold},
    {State::suspending, Event::stop,            Guard::always,         State::suspending, Act::hold},
    {State::suspending, Event::start,           Guard::something_held, State::suspending, Act::hold},
    {State::suspending, Event::barrier_crossed, Guard::in_barrier,     State::suspended,  Act::none},

    {State::suspended,  Event::pause,           Guard::always,         State::suspended,  Act::none},
    {State::suspended,  Event::suspend,         Guard::always,         State::suspended,  Act::none},
    {State::suspended,  Event::resume,          Guard::always,         State::resuming,   Act::restore_and_cross},
    {State::suspended,  Event::stop,            Guard::always,         State::stopping,   Act::cross_barrier},

    {State::resuming,   Event::pause,           Guard::nothing_held,   State::resuming,   Act::none},
    {State::resuming,   Event::pause,           Guard::something_held, State::resuming,   Act::hold},
    {State::resuming,   Event::unpause,         Guard::always,         State::resuming,   Act::hold},
    {State::resuming,   Event::suspend,         Guard::always,         State::resuming,   Act::hold},
    {State::resuming,   Event::resume,          Guard::nothing_held,   State::resuming,   Act::none},
    {State::resuming,   Event::resume,          Guard::something_held, State::resuming,   Act::hold},
    {State::resuming,   Event::stop,            Guard::always,         State::resuming,   Act::hold},
    {State::resuming,   Event::start,           Guard::something_held, State::resuming,   Act::hold},
    {State::resuming,   Event::barrier_crossed, Guard::in_barrier,     State::paused,     Act::none},

    {State::stopping,   Event::pause,           Guard::something_held, State::stopping,   Act::hold},
    {State::stopping,   Event::unpause,         Guard::something_held, State::stopping,   Act::hold},
    {State::stopping,   Event::suspend,         Guard::something_held, State::stopping,   Act::hold},
    {State::stopping,   Event::resume,          Guard::something_held, State::stopping,   Act::hold},
    {State::stopping,   Event::stop,            Guard::nothing_held,   State::stopping,   Act::none},
    {State::stopping,   Event::stop,            Guard::something_held, State::stopping,   Act::hold},
    {State::stopping,   Event::start,           Guard::always,         State::stopping,   Act::hold},
    {State::stopping,   Event::barrier_crossed, Guard::in_barrier,     State::stopped,    Act::finish},

    {State::stopped,    Event::stop,            Guard::always,         State::stopped,    Act::none},
    {State::stopped,    Event::start,           Guard::always,         State::unpausing,  Act::cross_barrier},
});

/// A state that passes has a row of the same event that leads on at once (M24: STOPPING -> RUNNING).
constexpr auto kCoordinatorRows = std::to_array<Row>({
    {State::running,    Event::pause,           Guard::engines_there,  State::paused,     Act::broadcast},
    {State::running,    Event::start,           Guard::engines_gone,   State::running,    Act::broadcast},

    {State::paused,     Event::pause,           Guard::always,         State::paused,     Act::none},
    {State::paused,     Event::unpause,         Guard::always,         State::running,    Act::broadcast},
    {State::paused,     Event::suspend,         Guard::always,         State::suspended,  Act::broadcast},
    {State::paused,     Event::stop,            Guard::always,         State::stopping,   Act::broadcast},

    {State::suspended,  Event::pause,           Guard::always,         State::suspended,  Act::none},
    {State::suspended,  Event::resume,          Guard::always,         State::paused,     Act::broadcast},
    {State::suspended,  Event::stop,            Guard::always,         State::stopping,   Act::broadcast},

    {State::stopping,   Event::stop,            Guard::always,         State::running,    Act::none},
});
// clang-format on

/// Where the rows of one (state, event) are; they stand together.
struct RowSpan {
    std::uint8_t first = 0, count = 0;
};
using RowIndex = std::array<std::array<RowSpan, kEvents>, kStates>;

/// What a guard looks at: two guards of one kind exclude each other, two of different kinds may both hold.
constexpr int kind_of(Guard guard) {
    switch (guard) {
        case Guard::always: return 0;
        case Guard::nothing_held:
        case Guard::something_held: return 1;
        case Guard::in_barrier: return 2;
        case Guard::engines_there:
        case Guard::engines_gone: return 3;
        default: return 4;
    }
}

constexpr bool exclude_each_other(Guard one, Guard other) {
    return one != other && kind_of(one) == kind_of(other) && one != Guard::always;
}

/// Two open rows for one event would make the order of the table part of its meaning.
template <std::size_t N>
constexpr bool at_most_one_is_open(const std::array<Row, N>& rows) {
    for (std::size_t i = 0; i < N; ++i)
        for (std::size_t j = i + 1; j < N; ++j)
            if (rows[i].from == rows[j].from && rows[i].event == rows[j].event &&
                !exclude_each_other(rows[i].guard, rows[j].guard))
                return false;
    return true;
}

template <std::size_t N>
constexpr RowIndex index_of(const std::array<Row, N>& rows) {
    RowIndex index{};
    for (std::size_t i = 0; i < N; ++i) {
        auto& span = index[static_cast<std::size_t>(rows[i].from)][static_cast<std::size_t>(rows[i].event)];
        if (span.count == 0) span.first = static_cast<std::uint8_t>(i);
        ++span.count;
    }
    return index;
}

/// The rows of one (state, event) stand together, so that a span describes them.
template <std::size_t N>
constexpr bool stand_together(const std::array<Row, N>& rows) {
    const auto index = index_of(rows);
    for (std::size_t i = 0; i < N; ++i) {
        const auto span = index[static_cast<std::size_t>(rows[i].from)][static_cast<std::size_t>(rows[i].event)];
        if (i < span.first || i >= std::size_t{span.first} + span.count) return false;
    }
    return true;
}

/// No signal is refused behind a held one, and a state that passes is left by its barrier and by nothing else.
constexpr bool engines_keep_order() {
    const auto index = index_of(kEngineRows);
    for (const auto& row : kEngineRows) {
        const bool leaves = row.to != row.from;
        if (!is_stable(row.from) && leaves != (row.event == Event::barrier_crossed)) return false;
        if (is_stable(row.from) && row.act == Act::hold) return false;
    }
    for (std::size_t state = 0; state < kStates; ++state)
        for (std::size_t event = 0; event < kSignals; ++event) {
            if (is_stable(static_cast<State>(state))) continue;
            const auto span = index[state][event];
            if (span.count == 0) return false;
            const Row& last = kEngineRows[std::size_t{span.first} + span.count - 1];
            if (last.act != Act::hold) return false;
        }
    return true;
}

static_assert(at_most_one_is_open(kEngineRows) && at_most_one_is_open(kCoordinatorRows));
static_assert(stand_together(kEngineRows) && stand_together(kCoordinatorRows));
static_assert(engines_keep_order());

}  // namespace muster::core
