// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Where one `muster run` meets others: a rendezvous in the shared directory, this machine's part in it, and the
/// signals that end the waiting.
/// Intuition: meet() comes back with a round that this one is in, or with how this `muster run` ends instead: a spare
/// that was not needed, a late one that was answered, a deadline, a signal. Thread safety: one thread.

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "launch/meeting_words.hpp"
#include "launch/signals.hpp"
#include "meet/rendezvous.hpp"
#include "meet/round_store.hpp"

namespace muster::launch {

class MeetingPlace {
public:
    /// `joins`: only for a running job, never for one that begins. Errors: directory or settings that cannot be.
    [[nodiscard]] static std::variant<std::unique_ptr<MeetingPlace>, Outcome> open(const Meeting& meeting,
                                                                                   const JobOptions& options,
                                                                                   bool joins);

    [[nodiscard]] std::variant<meet::Joined, Outcome> meet();
    [[nodiscard]] meet::RoundStore store(const meet::Joined& joined) const;

    /// The time between two looks; false: INT, TERM or HUP came.
    [[nodiscard]] bool pause();
    /// Off all lists, and out, with that outcome. Nothing else after it.
    [[nodiscard]] Outcome leave(const Outcome& why);
    void say(const std::string& text) const;  ///< A line for people.

    [[nodiscard]] meet::Rendezvous& rendezvous() { return *rendezvous_; }
    [[nodiscard]] const Meeting& meeting() const { return meeting_; }
    [[nodiscard]] std::chrono::milliseconds join_limit() const;

private:
    MeetingPlace(const Meeting& meeting, const JobOptions& options, bool joins)
        : meeting_(meeting), options_(options), joins_(joins) {}
    [[nodiscard]] std::optional<Outcome> look_around();
    [[nodiscard]] bool is_unasked(Round round) const;
    [[nodiscard]] Outcome gone(Round round) const;
    [[nodiscard]] std::optional<Outcome> beside(const meet::State& state);
    [[nodiscard]] Outcome ended(const meet::Failure& failure) const;
    void offer(meet::RoundStore& there, const meet::RoundKeys& keys);
    [[nodiscard]] Outcome see_it_through();
    [[nodiscard]] std::string late() const;
    void say_once(const std::string& text);

    Meeting meeting_;
    JobOptions options_;
    bool joins_;
    SignalBox signals_;
    Descriptor bell_;  ///< An eventfd: next_rendezvous() has returned.
    std::unique_ptr<meet::Rendezvous> rendezvous_;
    std::optional<Round> running_;          ///< The round of a job that was seen to run without us.
    std::optional<meet::Joined> taken_in_;  ///< The round whose launcher has taken this machine into its job.
    std::string said_;
};

/// What comes of pause() saying false.
[[nodiscard]] Outcome asked_to_stop();

/// Whether `node` is still in that very round.
[[nodiscard]] bool is_present(const meet::State& state, Round round, const meet::Node& node);

}  // namespace muster::launch
