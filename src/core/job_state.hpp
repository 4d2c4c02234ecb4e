// SPDX-License-Identifier: Apache-2.0
#pragma once
/// All that must outlive the coordinator, as one fold: the registry, the controller's state, whose calls were done, and
/// the numbers that go on counting when the whole job is started again.
/// Intuition: one state, one list of entries, so one mirror and one journal; an entry's first byte says what it is
/// about. What a call has led to and that it was made are one entry: a successor knows both or neither.
/// Shape: rounds are not among the counters, since a position's term is one (core/mirror). Errors: bytes that are no
/// entry or no snapshot are refused, and nothing has changed. Thread safety: none. Source: design.md sections 5 to 7.

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/controller_folded.hpp"
#include "core/registry.hpp"
#include "muster/lifecycle.hpp"

namespace muster::core {

/// An entry's first byte, and the kind of its record in a journal.
enum class JobEntry : std::uint8_t { registry = 1, controller = 2, counters = 3, whole = 4 };
[[nodiscard]] const char* name_of(JobEntry kind);

struct Counters {
    std::int64_t wave = 0;             ///< Above every wave that there can have been: reserved ahead, block by block.
    std::uint64_t signals = 0;         ///< Accepted so far.
    State lifecycle = State::running;  ///< Where they lead: a stable state.
    bool operator==(const Counters&) const = default;
};

/// Who has called the controller, and what was answered. Refusals are not here: they have changed nothing.
class CallBook {
public:
    struct Call {
        Rank author;
        CallId id, settled;  ///< It waits for no answer to its calls below `settled`.
        std::optional<controller::GoalId> goal{};
        bool operator==(const Call&) const = default;
    };
    void add(const Call& call);
    /// Nothing: it was not done, as far as is known here.
    [[nodiscard]] std::optional<Call> find(Rank author, CallId id) const;
    [[nodiscard]] CallId settled(Rank author) const;
    [[nodiscard]] std::size_t unsettled(Rank author, CallId settled) const;  ///< Remembered from `settled` on.

    void put(Writer& out) const;
    [[nodiscard]] static CallBook take(Reader& in);

private:
    struct Author {
        CallId settled;
        std::map<CallId, std::optional<controller::GoalId>> done;
    };
    std::map<Rank, Author> authors_;
};

class JobState : public Mirrored {
public:
    /// A step of the controller: all its events at once, and the call that it came of, if any.
    struct ControllerStep {
        std::optional<CallBook::Call> call{};
        std::vector<Bytes> events{};
    };
    [[nodiscard]] static Bytes entry(const Registry::Change& change);
    [[nodiscard]] static Bytes entry(const ControllerStep& step);
    [[nodiscard]] static Bytes entry(const Counters& counters);

    [[nodiscard]] bool apply(std::span<const std::byte> entry) override;
    [[nodiscard]] Bytes snapshot() const override;
    [[nodiscard]] bool load(std::span<const std::byte> snapshot) override;

    /// The job was started anew: its members are others under the old ranks, who have never called.
    void forget_callers();

    [[nodiscard]] const Registry& registry() const { return registry_; }
    /// For a Controller, which folds nothing itself: its records are entries of this state.
    [[nodiscard]] controller::FoldedState& controller() { return controller_; }
    [[nodiscard]] const controller::FoldedState& controller() const { return controller_; }
    [[nodiscard]] const CallBook& calls() const { return calls_; }
    [[nodiscard]] const Counters& counters() const { return counters_; }

private:
    [[nodiscard]] bool fold_step(Reader& in);
    Registry registry_;
    controller::FoldedState controller_;
    CallBook calls_;
    Counters counters_;
};

[[nodiscard]] std::optional<JobEntry> kind_of(std::span<const std::byte> entry);
/// For people: what `muster journal show` prints of an entry. One line; nothing where the bytes are none.
[[nodiscard]] std::optional<std::string> describe_entry(std::span<const std::byte> entry);
/// The same for a snapshot: how much of what is in it.
[[nodiscard]] std::optional<std::string> describe_snapshot(std::span<const std::byte> snapshot);

}  // namespace muster::core
