// SPDX-License-Identifier: Apache-2.0
#include "launch/meeting_place.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <filesystem>
#include <future>
#include <nlohmann/json.hpp>

#include "meet/clock.hpp"
#include "meet/event_line.hpp"
#include "meet/settings.hpp"

namespace muster::launch {

namespace {

using core::rendezvous::name_of;
using meet::Failure;
using meet::Node;
using meet::State;
using Millis = std::chrono::milliseconds;

Millis millis_of(core::rendezvous::Time span) {
    return std::chrono::ceil<Millis>(meet::span_of(std::min(span, core::rendezvous::seconds(10'000'000))));
}

std::optional<Node> rank_zero(const State& state) {
    for (const auto& [node, rank] : state.participants)
        if (rank == Slot{0}) return node;
    return std::nullopt;
}

std::string names(const State& state) {
    std::string text;
    for (const auto& [node, rank] : state.participants) text += (text.empty() ? "" : ", ") + text_of(node);
    return text.empty() ? "nobody" : text;
}

std::string round_text(Round round) { return "round " + std::to_string(round.value); }

}  // namespace

bool is_present(const State& state, Round round, const Node& node) {
    return state.round == round && state.complete && state.participants.contains(node);
}

Outcome asked_to_stop() { return outcome_of(ExitCode::stopped, "a signal asked muster run to stop"); }

std::variant<std::unique_ptr<MeetingPlace>, Outcome> MeetingPlace::open(const Meeting& meeting,
                                                                        const JobOptions& options, bool joins) {
    std::error_code fault;
    if (!std::filesystem::is_directory(meeting.directory, fault))
        return outcome_of(ExitCode::bad_usage, "--rendezvous " + meeting.directory +
                                                   ": there is no such directory; make one that all nodes share");
    std::unique_ptr<MeetingPlace> place(new MeetingPlace(meeting, options, joins));
    auto& settings = place->meeting_.settings;
    settings.cache = core::rendezvous::Time{0};  // Every look is worth a read: there are few, and somebody waits.
    // The death of a `muster run` that only waits does not end the job, so the round stays; whether to meet again is
    // decided in here.
    settings.replace_dead_participants = false;
    meet::RendezvousOptions wanted{
        .settings = settings, .backend = {}, .address = meeting.host.name, .on_event = {}, .chance = {}};
    wanted.backend = std::make_unique<persist::FileBackend>(persist::FileBackendSettings{
        .directory = meeting.directory,
        .run_id = settings.run_id,
        .lock_deadline = std::min(Millis(10'000), millis_of(settings.timeouts.heartbeat))});
    if (options.on_event)
        wanted.on_event = [tell = options.on_event](const auto& event, auto at) { tell(meet::as_json(event, at)); };
    auto made = meet::Rendezvous::create(std::move(wanted));
    if (const auto* failure = std::get_if<Failure>(&made)) return outcome_of(ExitCode::bad_usage, failure->text);
    place->rendezvous_ = std::move(std::get<0>(made));
    place->bell_ = Descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    return place;
}

void MeetingPlace::say(const std::string& text) const {
    options_.on_line("rendezvous '" + meeting_.settings.run_id + "': " + text);
}

void MeetingPlace::say_once(const std::string& text) {
    if (said_ != text) say(text);
    said_ = text;
}

Millis MeetingPlace::join_limit() const { return millis_of(meeting_.settings.timeouts.join); }

bool MeetingPlace::pause() {
    std::array<pollfd, 2> waits{pollfd{signals_.descriptor(), POLLIN, 0}, pollfd{bell_.get(), POLLIN, 0}};
    const auto span = std::max(Millis(1), millis_of(meeting_.settings.poll_sleep));
    (void)::poll(waits.data(), waits.size(), static_cast<int>(span.count()));
    const auto came = signals_.take();
    return std::none_of(came.begin(), came.end(),
                        [](int signal) { return signal == SIGINT || signal == SIGTERM || signal == SIGHUP; });
}

std::variant<meet::Joined, Outcome> MeetingPlace::meet() {
    const auto least = std::to_string(meeting_.settings.min_nodes), most = std::to_string(meeting_.settings.max_nodes);
    if (!joins_)
        say("waiting in " + meeting_.directory + " for " + (least == most ? "" : least + " to ") + most +
            " nodes, as " + text_of(rendezvous_->node()));
    // With our signal mask: the signals are taken in pause().
    auto joining = std::async(std::launch::async, [this] {
        auto met = rendezvous_->next_rendezvous();
        const std::uint64_t one = 1;
        [[maybe_unused]] const auto rung = ::write(bell_.get(), &one, sizeof one);
        return met;
    });
    std::optional<Outcome> instead;
    while (!instead && !taken_in_ && joining.wait_for(Millis(0)) != std::future_status::ready)
        instead = pause() ? look_around() : asked_to_stop();
    if (instead || taken_in_) rendezvous_->interrupt();
    auto met = joining.get();
    std::uint64_t rung = 0;
    [[maybe_unused]] const auto emptied = ::read(bell_.get(), &rung, sizeof rung);
    if (instead) return leave(*instead);
    if (taken_in_) return see_it_through();
    if (const auto* failure = std::get_if<Failure>(&met)) return ended(*failure);
    auto joined = std::get<0>(std::move(met)).value();
    if (is_unasked(joined.round)) return leave(gone(joined.round));
    return joined;
}

/// Whoever has waited beside a running job does not begin it anew: nobody has asked for that.
bool MeetingPlace::is_unasked(Round round) const { return joins_ || (running_ && *running_ < round); }

Outcome MeetingPlace::gone(Round round) const {
    return outcome_of(ExitCode::launcher_failed,
                      "the job that ran in " + round_text(running_.value_or(round)) +
                          " is gone, and this node does not begin it again; see what its launcher said");
}

/// What the others' state means for one who waits; an outcome where it need not wait any longer.
std::optional<Outcome> MeetingPlace::look_around() {
    const auto state = rendezvous_->seen();
    const auto& me = rendezvous_->node();
    if (state.participants.contains(me) && is_unasked(state.round)) return gone(state.round);
    if (state.redundancy_list.contains(me))
        say_once("the " + std::to_string(state.participants.size()) + " places of " + round_text(state.round) +
                 " are taken; waiting as a warm spare until one is free or the job is over");
    else if (state.wait_list.contains(me))
        say_once(round_text(state.round) + " has begun without this node; its launcher is asked to take it in");
    else
        return std::nullopt;
    return state.complete ? beside(state) : std::nullopt;
}

/// Looks into the store of a round that others are in.
std::optional<Outcome> MeetingPlace::beside(const State& state) {
    const auto owner = rank_zero(state);
    if (!owner) return std::nullopt;
    auto there = store({state.round, Slot{}, {*owner}, store_prefix(meeting_.settings, state.round)});
    const auto keys = there.contents();
    if (!keys) return std::nullopt;  // The handler's own next look says what is wrong.
    if (keys->contains("bootstrap")) running_ = state.round;
    offer(there, *keys);
    if (keys->contains("taken." + text_of(rendezvous_->node()))) {
        taken_in_ = meet::Joined{state.round, Slot{}, {*owner}, store_prefix(meeting_.settings, state.round)};
        return std::nullopt;
    }
    const auto answer = keys->find("answer." + text_of(rendezvous_->node()));
    if (answer == keys->end()) return std::nullopt;
    const auto verdict = verdict_from(answer->second);
    if (verdict) return Outcome{.code = verdict->code, .text = verdict->text};
    return outcome_of(ExitCode::refused, "the job's launcher, " + text_of(*owner) +
                                             ", answers in words that this muster does not know: " + answer->second);
}

/// Says what this machine brings, once, where the running job may be launched again larger.
void MeetingPlace::offer(meet::RoundStore& there, const meet::RoundKeys& keys) {
    const auto bootstrap = keys.find("bootstrap");
    const auto key = "joiner." + text_of(rendezvous_->node());
    if (bootstrap == keys.end() || keys.contains(key)) return;
    if (const auto job = bootstrap_from(bootstrap->second); job && job->allow_relaunch)
        (void)there.try_set(key, as_text(meeting_.host));  // Else at the next look.
}

/// Taken in: off the lists, for the join timeout is not the job's, and until the launcher says how the job ended.
Outcome MeetingPlace::see_it_through() {
    const auto round = round_text(taken_in_->round);
    const auto& launcher = taken_in_->world.at(0);
    auto there = store(*taken_in_);
    (void)rendezvous_->leave();
    say("taken in by " + text_of(launcher) + ", which launches the job again with this machine; waiting for its end");
    while (true) {
        const auto seen = rendezvous_->look();
        if (const auto keys = there.contents())
            if (const auto found = keys->find("verdict"); found != keys->end())
                if (const auto told = verdict_from(found->second))
                    return {.code = told->code, .text = told->text, .detail = told->detail};
        if (const auto* state = std::get_if<State>(&seen)) {
            const auto dead = dead_nodes(*state, meeting_.settings, meet::now());
            if (!is_present(*state, taken_in_->round, launcher) ||
                std::find(dead.begin(), dead.end(), launcher) != dead.end())
                return outcome_of(ExitCode::launcher_failed,
                                  "the launcher of " + round + ", " + text_of(launcher) +
                                      ", has not been heard of for " +
                                      meet::seconds_text(meet::silence_max(meeting_.settings)));
        }
        if (!pause()) return asked_to_stop();
    }
}

meet::RoundStore MeetingPlace::store(const meet::Joined& joined) const {
    return meet::RoundStore({.directory = meeting_.directory,
                             .prefix = joined.store_prefix,
                             .round = joined.round,
                             .owner = joined.world.at(0),
                             .poll = millis_of(meeting_.settings.poll_sleep)});
}

Outcome MeetingPlace::leave(const Outcome& why) {
    const auto failure = rendezvous_->leave();
    if (failure)
        say(std::string("could not take itself off the lists (") + name_of(failure->kind) + ": " + failure->text +
            "); the others will miss it after " + meet::seconds_text(meet::silence_max(meeting_.settings)));
    return why;
}

/// What next_rendezvous() raised, as an exit code and a sentence.
Outcome MeetingPlace::ended(const Failure& failure) const {
    const std::string where = "the rendezvous '" + meeting_.settings.run_id + "' in " + meeting_.directory;
    const std::string raised = std::string(name_of(failure.kind)) + (failure.text.empty() ? "" : ": " + failure.text);
    switch (failure.kind) {
        case Failure::graceful_exit: return {.code = 0, .text = failure.text};
        case Failure::closed:
            return outcome_of(ExitCode::refused,
                              where + " is closed: its job is over, take another --run-id (" + raised + ")");
        case Failure::timed_out: return outcome_of(ExitCode::timed_out, where + " " + late() + " (" + raised + ")");
        case Failure::bad_value: return outcome_of(ExitCode::bad_usage, failure.text);
        case Failure::connection:
        case Failure::corrupt_state: break;
    }
    return outcome_of(ExitCode::launcher_failed, where + ": " + raised);
}

/// What was missing when the time was over; the state has this node taken off already.
std::string MeetingPlace::late() const {
    const auto state = rendezvous_->seen();
    const auto within = " within " + meet::seconds_text(meeting_.settings.timeouts.join);
    if (state.complete)
        return "was in " + round_text(state.round) + ", whose launcher, rank 0 of " + names(state) +
               ", did not answer" + within;
    return "was not complete" + within + ": beside this node " + names(state) + " had come, of at least " +
           std::to_string(meeting_.settings.min_nodes) + " nodes";
}

}  // namespace muster::launch
