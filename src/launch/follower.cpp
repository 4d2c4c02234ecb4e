// SPDX-License-Identifier: Apache-2.0
// Another rank of a round: says what it brings, and waits until the launcher says how the job ended.
#include "launch/roles.hpp"
#include "meet/settings.hpp"

namespace muster::launch {

namespace {

using meet::Joined;
using meet::RoundKeys;

class Follower {
public:
    Follower(MeetingPlace& place, const Joined& joined, const JobSpec& spec)
        : place_(place),
          joined_(joined),
          store_(place.store(joined)),
          guest_(as_text(guest_of(spec, place.meeting()))),
          launcher_("rank 0 of round " + std::to_string(joined.round.value) + " (" + text_of(joined.world[0]) + ")") {}

    std::optional<Outcome> follow() {
        Patience patience(place_.meeting().settings);
        const auto end = Patience::Clock::now() + place_.join_limit();
        while (true) {
            // In this order: a launcher that has gone has told its verdict before.
            const auto seen = place_.rendezvous().look();
            const auto told = tell();
            const auto keys = store_.contents();
            if (keys)
                if (auto ended = verdict(*keys)) return ended;
            const auto* failure = std::get_if<meet::Failure>(&seen);
            const auto trouble = failure != nullptr ? failure->text
                                 : !told            ? told.error().text
                                 : !keys            ? keys.error().text
                                                    : "";
            if (const auto why = patience.after(trouble); !why.empty())
                return outcome_of(ExitCode::launcher_failed, why);
            if (again_) return std::nullopt;
            if (failure == nullptr && !is_present(std::get<meet::State>(seen), joined_.round, joined_.world[0]))
                return lost();
            if (!running_ && Patience::Clock::now() >= end) return late();
            if (!place_.pause()) return stopped();
        }
    }

private:
    Result<Done> tell() {
        if (told_) return Done{};
        const auto set = store_.try_set("guest." + std::to_string(joined_.rank.value), guest_);
        if (!set) return set.error();
        told_ = *set;
        return Done{};
    }

    std::optional<Outcome> verdict(const RoundKeys& keys) {
        if (const auto found = keys.find("verdict"); found != keys.end()) {
            const auto told = verdict_from(found->second);
            if (!told)
                return outcome_of(ExitCode::internal, launcher_ +
                                                          " says how it ended in words that this muster does "
                                                          "not know: " +
                                                          found->second);
            const auto text = told->text.empty() ? "" : told->text + " [told by " + launcher_ + "]";
            return Outcome{.code = told->code, .text = text, .detail = told->detail};
        }
        if (const auto found = keys.find("again"); found != keys.end()) {
            place_.say(found->second + "; meeting again");
            again_ = true;
        }
        if (!running_ && keys.contains("bootstrap")) {
            running_ = true;
            place_.say(launcher_ + " has launched the job; waiting for its end");
        }
        return std::nullopt;
    }

    std::optional<Outcome> lost() {
        const auto silence = meet::seconds_text(meet::silence_max(place_.meeting().settings));
        if (running_)
            return place_.leave(outcome_of(ExitCode::launcher_failed,
                                           launcher_ + ", which launched the job, has not been heard of for " +
                                               silence + "; a job dies with its launcher"));
        place_.say(launcher_ + " has gone, or was not heard of for " + silence +
                   ", before the job began; meeting again");
        return std::nullopt;
    }

    Outcome late() {
        return place_.leave(
            outcome_of(ExitCode::timed_out, launcher_ + " did not launch the job (key 'bootstrap') within " +
                                                std::to_string(place_.join_limit().count() / 1000) + " s"));
    }

    Outcome stopped() {
        if (running_) place_.say("the job goes on without this muster run; to stop it, stop " + launcher_);
        return place_.leave(asked_to_stop());
    }

    MeetingPlace& place_;
    const Joined& joined_;
    meet::RoundStore store_;
    std::string guest_;
    std::string launcher_;
    bool told_ = false, running_ = false, again_ = false;
};

}  // namespace

std::optional<Outcome> follow(MeetingPlace& place, const Joined& joined, const JobSpec& spec) {
    return Follower(place, joined, spec).follow();
}

}  // namespace muster::launch
