// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The job's state where it is kept: folded, copied to followers, and written down where there is a journal.
/// Intuition: on the coordinator an entry is written to its journal, then folded and copied; a follower folds and
/// writes a copy before its Kept leaves. Where the coordinator cannot write it, nothing has happened and its caller is
/// refused. A follower that cannot write says so and keeps the copy in memory; its file catches up with a snapshot.
/// Shape: registry and controller append through the same keeper. What a restart has found is there from restore() on.
/// Errors: as texts. Thread safety: none.

#include <memory>
#include <optional>
#include <string>

#include "core/job_state.hpp"
#include "core/journal.hpp"
#include "core/mirror.hpp"

namespace muster::core {

/// Where this member writes its records: the driver's, a file. The core calls it in the middle of a step, since
/// whether a call is refused depends on its outcome.
class JobJournal {
public:
    virtual ~JobJournal() = default;
    /// Why not; nothing: it is in, as safe as its owner wants it.
    [[nodiscard]] virtual std::optional<std::string> append(const JournalRecord& record) = 0;
    [[nodiscard]] virtual MirrorPosition position() = 0;
    [[nodiscard]] virtual bool wants_snapshot() = 0;  ///< What stands behind the last one is long.
};

/// What a restart of the whole job has found.
struct RestoredJob {
    MirrorPosition position;
    Bytes snapshot;  ///< Of a JobState.
};

class JobKeeper {
public:
    explicit JobKeeper(Rank self) : self_(self), mirror_(std::in_place, self, state_) {}
    JobKeeper(const JobKeeper&) = delete;  // The mirror refers to the state.
    JobKeeper& operator=(const JobKeeper&) = delete;

    void write_to(JobJournal& journal) { journal_ = &journal; }  ///< Must outlive it.
    /// Before the first round. False: that is no state.
    [[nodiscard]] bool restore(const RestoredJob& restored);

    [[nodiscard]] MirrorEffects complete(Round round, Rank coordinator, const std::vector<Rank>& followers,
                                         std::optional<Rank> source);
    [[nodiscard]] MirrorEffects received(Rank from, message::Copy copy);
    [[nodiscard]] MirrorEffects received(Rank from, message::Kept kept) { return mirror_->received(from, kept); }
    /// Only while serving(). Why it cannot be written, and then nothing has changed; else it is folded.
    [[nodiscard]] std::optional<std::string> append(Bytes entry, MirrorEffects& out);
    /// The journal begins anew with the state as it is: what was deleted is gone from it, too.
    void compact();

    [[nodiscard]] JobState& state() { return state_; }
    [[nodiscard]] const JobState& state() const { return state_; }
    [[nodiscard]] const MirrorPosition& position() const { return mirror_->position(); }
    [[nodiscard]] bool serving() const { return mirror_->serving(); }
    [[nodiscard]] std::uint64_t safe() const { return mirror_->safe(); }
    [[nodiscard]] bool writes() const { return journal_ != nullptr; }
    /// A failure of the journal that no caller has heard of; once.
    [[nodiscard]] std::optional<std::string> take_complaint() { return std::exchange(complaint_, std::nullopt); }

private:
    void catch_up(const message::Copy* copy);
    [[nodiscard]] std::optional<std::string> write_snapshot();
    void complain(std::optional<std::string> why);

    Rank self_;
    JobState state_;
    std::optional<Mirror> mirror_;  ///< Always there.
    JobJournal* journal_ = nullptr;
    bool differs_ = false;  ///< The restored state is not what the journals fold to: callers are forgotten.
    std::optional<std::string> complaint_;
    bool complained_ = false;  ///< Since the journal last took a record.
};

}  // namespace muster::core
