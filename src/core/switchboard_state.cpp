// SPDX-License-Identifier: Apache-2.0
/// What goes on when the whole job is started again: the wanted lifecycle, signals and waves, written down where there
/// is a journal. Nothing of it is sent or kept in a job without one.
#include <utility>

#include "core/switchboard.hpp"

namespace muster::core {
namespace {

/// Waves are reserved so many at a time, so that one is no entry; the next are when half of them are used.
constexpr std::int64_t kWaves = std::int64_t{1} << 20;
constexpr std::uint64_t kAgainMs = 1'000;  ///< After a failure.

}  // namespace

bool Switchboard::restore(const RestoredJob& restored) {
    if (!keeper_->restore(restored)) return false;
    const auto& counters = keeper_->state().counters();
    LifecycleFacts facts;
    facts.crossed = counters.signals;
    facts.wave = counters.wave;
    // A job that was stopped and is started again is to run.
    facts.state = counters.lifecycle == State::stopped ? State::running : counters.lifecycle;
    log_.adopt(facts);
    return true;
}

/// Why it cannot be written. Before the state is whole count_on() makes up for it.
std::optional<std::string> Switchboard::write_counters(std::uint64_t signals, State wanted, SwitchEffects& out) {
    if (!keeper_->writes() || !keeper_->serving()) return std::nullopt;
    const auto& now = keeper_->state().counters();
    Counters next{now.wave, signals, wanted};
    if (facts().wave + kWaves / 2 > now.wave) next.wave = facts().wave + kWaves;
    if (next == now) return std::nullopt;
    MirrorEffects mirrored;
    auto why = keeper_->append(JobState::entry(next), mirrored);
    carry_out(std::move(mirrored), out);
    return why;
}

void Switchboard::count_on(SwitchEffects& out) {
    if (!coordinates() || interrupted_ || now_ms_ < count_again_ms_) return;
    auto why = write_counters(log_.last(), wanted_state(facts()), out);
    if (!why) return;
    if (count_again_ms_ == 0) out.emplace_back(Note{"the job's counters cannot be written down: " + *why});
    count_again_ms_ = now_ms_ + kAgainMs;
}

}  // namespace muster::core
