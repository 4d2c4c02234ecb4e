// SPDX-License-Identifier: Apache-2.0
// Rank 0 of a round: hears what the others bring, launches the job on all hosts, tells all how it ended.
#include <filesystem>
#include <nlohmann/json.hpp>

#include "launch/reception.hpp"
#include "launch/roles.hpp"
#include "meet/settings.hpp"
#include "persist/file_backend.hpp"

namespace muster::launch {

namespace {

using meet::Joined;
using meet::RoundKeys;

std::string guest_key(std::size_t rank) { return "guest." + std::to_string(rank); }

/// Of the state in which the job has met.
std::string lock_of(const Meeting& meeting) {
    const persist::FileBackend file(
        {.directory = std::filesystem::absolute(meeting.directory), .run_id = meeting.settings.run_id});
    return file.lock_path();
}

class Leader {
public:
    Leader(MeetingPlace& place, const Joined& joined, const JobSpec& spec, const JobOptions& options)
        : place_(place), joined_(joined), spec_(spec), options_(options), store_(place.store(joined)) {}

    std::optional<Outcome> lead() {
        if (const auto opened = store_.open(); !opened)
            return finish(outcome_of(ExitCode::launcher_failed, opened.error().text));
        discard_last();
        if (auto ended = gather()) return finish(*ended);
        if (!again_.empty()) return meet_again();
        spec_ = spec_for(spec_, guests_);
        spec_.state_lock = lock_of(place_.meeting());
        const auto flight = look_before_launch(spec_);
        if (!flight.complaints.empty()) return finish(outcome_of(flight));
        return launch(flight);
    }

private:
    /// Nobody is in the last round any more, else this one would not be complete.
    void discard_last() const {
        if (joined_.round == Round{0}) return;
        Joined last = joined_;
        last.round = Round{joined_.round.value - 1};
        last.store_prefix = store_prefix(place_.meeting().settings, last.round);
        place_.store(last).discard();
    }

    /// Until every rank has said what it brings. An outcome: the job cannot begin. again_: somebody has gone.
    std::optional<Outcome> gather() {
        guests_ = {guest_of(spec_, place_.meeting())};
        Patience patience(place_.meeting().settings);
        const auto end = Patience::Clock::now() + place_.join_limit();
        while (true) {
            const auto seen = place_.rendezvous().look();
            const auto keys = store_.contents();
            const auto* failure = std::get_if<meet::Failure>(&seen);
            const auto trouble = failure != nullptr ? failure->text : keys ? "" : keys.error().text;
            if (const auto why = patience.after(trouble); !why.empty())
                return outcome_of(ExitCode::launcher_failed, why);
            if (keys)
                if (auto ended = take(*keys)) return ended;
            if (guests_.size() == joined_.world.size()) return std::nullopt;
            if (failure == nullptr && is_broken(std::get<meet::State>(seen))) return std::nullopt;
            if (Patience::Clock::now() >= end) return late();
            if (!place_.pause()) return asked_to_stop();
        }
    }

    /// In the order of ranks, as far as they are there.
    std::optional<Outcome> take(const RoundKeys& keys) {
        for (auto rank = guests_.size(); rank < joined_.world.size(); ++rank) {
            const auto found = keys.find(guest_key(rank));
            if (found == keys.end()) return std::nullopt;
            auto guest = guest_from(found->second);
            const auto what = guest ? difference(guests_[0], *guest) : "it says " + found->second;
            if (!what.empty())
                return outcome_of(ExitCode::bad_usage,
                                  "rank " + std::to_string(rank) + " (" + text_of(joined_.world[rank]) +
                                      ") wants another job: " + what + " (rank 0, " + text_of(joined_.world[0]) +
                                      "); start all with the same command");
            guests_.push_back(std::move(*guest));
        }
        return std::nullopt;
    }

    bool is_broken(const meet::State& state) {
        for (std::size_t rank = 0; rank < joined_.world.size(); ++rank) {
            if (is_present(state, joined_.round, joined_.world[rank])) continue;
            again_ = "rank " + std::to_string(rank) + " (" + text_of(joined_.world[rank]) +
                     ") has gone, or was not heard of for " +
                     meet::seconds_text(meet::silence_max(place_.meeting().settings)) + ", before the job began";
            return true;
        }
        return false;
    }

    Outcome late() const {
        const auto rank = guests_.size();
        return outcome_of(ExitCode::timed_out, "rank " + std::to_string(rank) + " (" + text_of(joined_.world[rank]) +
                                                   ") did not say what it brings (key '" + guest_key(rank) +
                                                   "' of round " + std::to_string(joined_.round.value) + ") within " +
                                                   std::to_string(place_.join_limit().count() / 1000) + " s");
    }

    std::optional<Outcome> meet_again() {
        place_.say(again_ + "; meeting again");
        (void)store_.try_set("again", again_);  // For those who don't see it by themselves.
        return std::nullopt;
    }

    Outcome launch(const Preflight& flight) {
        const Bootstrap bootstrap{.launcher = text_of(joined_.world[0]),
                                  .hosts = spec_.hosts,
                                  .engines = spec_.engines,
                                  .settings = place_.meeting().settings,
                                  .allow_relaunch = place_.meeting().allow_relaunch};
        if (const auto told = store_.try_set("bootstrap", as_text(bootstrap)); !told)
            return finish(outcome_of(ExitCode::launcher_failed, told.error().text));
        place_.say("round " + std::to_string(joined_.round.value) + ", " + std::to_string(joined_.world.size()) +
                   " nodes: launching " + std::to_string(spec_.engines) + " engines on " + hosts_text(spec_.hosts));
        std::optional<Reception> reception(std::in_place, place_, joined_, store_, bootstrap);
        JobOptions options = options_;
        options.keeper = true;
        options.stop_when = [&] { return reception->is_given_up(); };
        if (bootstrap.allow_relaunch) {
            options.wind_down_when = [&] { return reception->growth(); };
            options.relaunching.more_hosts = [&] { return reception->take_hosts(); };
        }
        auto outcome = run_job(spec_, flight, options);
        const bool given_up = reception->is_given_up();
        reception.reset();
        return given_up ? abandoned() : finish(outcome);
    }

    /// The others are gone and may have met again: what is in the rendezvous now is none of ours.
    Outcome abandoned() {
        return place_.leave(outcome_of(
            ExitCode::launcher_failed,
            "the others have not heard of this muster run for " +
                meet::seconds_text(meet::silence_max(place_.meeting().settings)) +
                " (was it stopped, or the directory out of reach?) and have given it up; its job was stopped"));
    }

    Outcome finish(const Outcome& outcome) {
        const auto told = store_.try_set(
            "verdict", as_text(Verdict{.code = outcome.code, .text = outcome.text, .detail = outcome.detail}));
        if (!told) place_.say("the others cannot be told how it ended: " + told.error().text);
        if (!place_.rendezvous().shutdown()) place_.say("it could not be closed; see --json for why");
        return outcome;
    }

    MeetingPlace& place_;
    const Joined& joined_;
    JobSpec spec_;
    const JobOptions& options_;
    meet::RoundStore store_;
    std::vector<Guest> guests_;
    std::string again_;
};

}  // namespace

std::optional<Outcome> lead(MeetingPlace& place, const Joined& joined, const JobSpec& spec, const JobOptions& options) {
    return Leader(place, joined, spec, options).lead();
}

}  // namespace muster::launch
