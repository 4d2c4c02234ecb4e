// SPDX-License-Identifier: Apache-2.0
#include "launch/reception.hpp"

#include <condition_variable>
#include <mutex>

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
        const auto text = as_text(refusal(job_, joined_.round));
        const auto set = store_.try_set("answer." + text_of(node), text);
        if (!set || !*set) return;  // At the next look again.
        answered_.insert(node);
        place_.say(text_of(node) + " asked to be taken in and was refused: the launcher cannot add processes");
    }
}

}  // namespace muster::launch
