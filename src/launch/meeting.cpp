// SPDX-License-Identifier: Apache-2.0
#include "launch/meeting.hpp"

#include <mutex>
#include <nlohmann/json.hpp>

#include "core/rendezvous_state.hpp"
#include "launch/roles.hpp"
#include "meet/clock.hpp"
#include "meet/settings.hpp"

namespace muster::launch {

namespace {

using Opened = std::variant<std::unique_ptr<MeetingPlace>, Outcome>;

/// Events come from the job's thread and from keep-alives: one at a time all the same.
JobOptions one_at_a_time(JobOptions options) {
    if (options.on_event)
        options.on_event = [tell = options.on_event, lock = std::make_shared<std::mutex>()](const nlohmann::json& one) {
            const std::lock_guard held(*lock);
            tell(one);
        };
    return with_defaults(options);
}

Outcome no_job(const Meeting& meeting, const std::string& why) {
    return outcome_of(ExitCode::refused, "--join " + meeting.settings.run_id + ": " + why +
                                             "; see that the run id and --rendezvous " + meeting.directory +
                                             " are those of `muster run --rendezvous`");
}

/// Waits until the job runs: until a round is complete and its launcher has told how it begins.
class Search {
public:
    explicit Search(const Meeting& meeting)
        : meeting_(meeting), file_({.directory = meeting.directory, .run_id = meeting.settings.run_id}) {}

    /// The job's own settings, or why it cannot be joined.
    std::variant<Bootstrap, Outcome> find(const std::function<bool()>& pause) {
        const auto end = std::chrono::steady_clock::now() + meet::span_of(meeting_.settings.timeouts.join);
        while (true) {
            auto state = read();
            if (auto* outcome = std::get_if<Outcome>(&state)) return std::move(*outcome);
            if (auto found = look(std::get<meet::State>(state))) return std::move(*found);
            if (std::chrono::steady_clock::now() >= end) return late(std::get<meet::State>(state));
            if (!pause()) return asked_to_stop();
        }
    }

private:
    std::variant<meet::State, Outcome> read() {
        const auto got = file_.get();
        if (const auto* failure = std::get_if<meet::Failure>(&got))
            return outcome_of(ExitCode::launcher_failed, failure->text);
        const auto& stored = std::get<std::optional<persist::Stored>>(got);
        if (!stored) return no_job(meeting_, "nobody has met there under this run id");
        auto state = core::rendezvous::decode_state(stored->state);
        if (!state)
            return outcome_of(ExitCode::launcher_failed, "'" + file_.path() + "': " + core::rendezvous::kCorruptState);
        if (state->closed) return no_job(meeting_, "that job is over");
        return std::move(*state);
    }

    std::optional<std::variant<Bootstrap, Outcome>> look(const meet::State& state) {
        if (!state.complete || state.participants.empty()) return std::nullopt;
        const auto world = core::rendezvous::world_of(state);
        meet::RoundStore store({.directory = meeting_.directory,
                                .prefix = store_prefix(meeting_.settings, state.round),
                                .round = state.round,
                                .owner = world.at(0)});
        const auto told = store.look("bootstrap");
        if (!told) return outcome_of(ExitCode::launcher_failed, told.error().text);
        if (!*told) return std::nullopt;
        auto job = bootstrap_from(**told);
        if (!job)
            return outcome_of(ExitCode::refused,
                              "the job was launched by a muster that this one does not understand: " + **told);
        for (const auto& dead : dead_nodes(state, job->settings, meet::now()))
            if (dead == world.at(0))
                return no_job(meeting_, "its launcher, " + job->launcher + ", has not been heard of for " +
                                            meet::seconds_text(meet::silence_max(job->settings)));
        return std::move(*job);
    }

    Outcome late(const meet::State& state) const {
        return outcome_of(
            ExitCode::timed_out,
            "--join " + meeting_.settings.run_id + ": its job did not begin within " +
                meet::seconds_text(meeting_.settings.timeouts.join) + ": round " + std::to_string(state.round.value) +
                (state.complete
                     ? " is complete, but its rank 0 has launched nothing"
                     : " is not complete, " + std::to_string(state.participants.size()) + " nodes have come"));
    }

    const Meeting& meeting_;
    persist::FileBackend file_;
};

}  // namespace

Outcome run_together(const JobSpec& spec, const Meeting& meeting, const JobOptions& options) {
    const auto own = one_at_a_time(options);
    auto opened = MeetingPlace::open(meeting, own, false);
    if (const auto* outcome = std::get_if<Outcome>(&opened)) return *outcome;
    auto& place = *std::get<std::unique_ptr<MeetingPlace>>(opened);
    while (true) {
        auto met = place.meet();
        if (auto* outcome = std::get_if<Outcome>(&met)) return std::move(*outcome);
        const auto& joined = std::get<meet::Joined>(met);
        auto outcome = joined.rank == Slot{0} ? lead(place, joined, spec, own) : follow(place, joined, spec);
        if (outcome) return std::move(*outcome);
    }
}

Outcome run_join(const Meeting& meeting, const JobOptions& options) {
    const auto own = one_at_a_time(options);
    Meeting like_the_job = meeting;
    {
        auto opened = MeetingPlace::open(meeting, own, true);  // For its pause, which signals end.
        if (const auto* outcome = std::get_if<Outcome>(&opened)) return *outcome;
        auto found = Search(meeting).find([&] { return std::get<0>(opened)->pause(); });
        if (auto* outcome = std::get_if<Outcome>(&found)) return std::move(*outcome);
        const auto join = meeting.settings.timeouts.join;
        like_the_job.settings = std::get<Bootstrap>(found).settings;
        like_the_job.settings.timeouts.join = join;
    }
    auto opened = MeetingPlace::open(like_the_job, own, true);
    if (const auto* outcome = std::get_if<Outcome>(&opened)) return *outcome;
    return std::get<Outcome>(std::get<0>(opened)->meet());
}

}  // namespace muster::launch
