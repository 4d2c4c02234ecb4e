// SPDX-License-Identifier: Apache-2.0
#include "launch/reception.hpp"

#include <condition_variable>

#include "meet/clock.hpp"

namespace muster::launch {

Reception::Reception(MeetingPlace& place, const meet::Joined& joined, meet::RoundStore& store, const Bootstrap& job)
    : place_(place), joined_(joined), store_(store), job_(job) {
    thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
}

void Reception::serve(const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any wake;
    std::unique_lock lock(mutex);
    const auto span = meet::span_of(place_.meeting().settings.poll_sleep);
    do look();
    while (!wake.wait_for(lock, stop, span, [&] { return stop.stop_requested(); }));
}

void Reception::look() {
    const auto seen = place_.rendezvous().look();
    if (const auto* failure = std::get_if<meet::Failure>(&seen)) {
        if (trouble_ != failure->text) place_.say("cannot see who waits: " + failure->text);
        trouble_ = failure->text;
        return;
    }
    const auto& state = std::get<meet::State>(seen);
    if (!is_present(state, joined_.round, place_.rendezvous().node()))
        given_up_ = true;
    else if (!given_up_)
        answer(state);
}

void Reception::answer(const meet::State& state) {
    for (const auto& node : state.wait_list) {
        if (answered_.contains(node)) continue;
        if (job_.allow_relaunch) {
            if (take_in(node)) answered_.insert(node);
            continue;
        }
        const auto text = as_text(refusal(job_, joined_.round));
        const auto set = store_.try_set("answer." + text_of(node), text);
        if (!set || !*set) return;  // At the next look again.
        answered_.insert(node);
        place_.say(text_of(node) + " asked to be taken in and was refused: the launcher cannot add processes");
    }
}

/// False: it has not said yet what it brings, or cannot be told; at the next look again.
bool Reception::take_in(const meet::Node& node) {
    const auto brought = store_.look("joiner." + text_of(node));
    if (!brought || !*brought) return false;
    const auto host = host_slots_from(**brought);
    if (!host) return true;  // A muster that this one does not understand.
    const auto told = store_.try_set("taken." + text_of(node), host->name + ":" + std::to_string(host->slots));
    if (!told || !*told) return false;
    const std::lock_guard held(mutex_);
    hosts_.push_back(*host);
    growth_ = text_of(node) + " is taken in";
    return true;
}

std::string Reception::growth() const {
    const std::lock_guard held(mutex_);
    return growth_;
}

std::vector<HostSlots> Reception::take_hosts() {
    const std::lock_guard held(mutex_);
    growth_.clear();
    return hosts_;
}

}  // namespace muster::launch
