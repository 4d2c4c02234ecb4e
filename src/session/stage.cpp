// SPDX-License-Identifier: Apache-2.0
#include "session/stage.hpp"

namespace muster {
namespace {

unsigned bits_of(const core::EngineLifecycle& lifecycle) {
    unsigned bits = 0;
    for (unsigned m = 0; m < kMilestones; ++m)
        if (lifecycle.reached(static_cast<Milestone>(m))) bits |= 1U << m;
    return bits;
}

}  // namespace

void Stage::show(const core::EngineLifecycle& lifecycle) {
    const unsigned bits = bits_of(lifecycle);
    const std::scoped_lock lock(mutex_);
    if (state_ == lifecycle.state() && milestones_ == bits) return;
    state_ = lifecycle.state();
    milestones_ = bits;
    changed_.notify_all();
}

void Stage::close() {
    const std::scoped_lock lock(mutex_);
    over_ = true;
    changed_.notify_all();
}

State Stage::state() const {
    const std::scoped_lock lock(mutex_);
    return state_;
}

bool Stage::reached(Milestone milestone) const {
    const std::scoped_lock lock(mutex_);
    return ((milestones_ >> static_cast<unsigned>(milestone)) & 1U) != 0;
}

Result<Done> Stage::wait_for(Milestone milestone, std::chrono::milliseconds deadline) const {
    std::unique_lock lock(mutex_);
    const auto there = [&] { return ((milestones_ >> static_cast<unsigned>(milestone)) & 1U) != 0; };
    changed_.wait_for(lock, deadline, [&] { return there() || over_; });
    if (there()) return Done{};
    if (over_) return Error{Fault::ended, "the session is over"};
    return Error{Fault::timed_out, std::string("not ") + name_of(milestone) + " within " +
                                       std::to_string(deadline.count()) + " ms: the engine is " + name_of(state_)};
}

}  // namespace muster
