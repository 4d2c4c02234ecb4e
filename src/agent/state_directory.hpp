// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The job's state in files: what an earlier launch has left, and where this member writes.
/// Intuition: whoever keeps a copy of the state writes a journal of its own (persist/journal_file), so several lie in
/// the directory; the furthest of them is the state (core::best_of). It is read once, by the first rank of each node,
/// and comes to the coordinator like any member's copy.
/// Shape: DIRECTORY/muster-RUN_ID.RANK.journal. Errors: texts that name the file. Thread safety: none; the agent owns
/// the journal.

#include <optional>
#include <string>

#include "core/job_keeper.hpp"
#include "muster/config.hpp"
#include "persist/journal_file.hpp"

namespace muster::agent {

/// The furthest state of this run in Config::state_directory, which is made where it is not there; nothing: it has
/// never run, or there is no such directory in the settings. Errors: bad_setup: a journal is damaged (where, and what
/// to do), or the directory cannot be used.
[[nodiscard]] Result<std::optional<core::RestoredJob>> read_state(const Config& config);

/// This member's journal, opened when it has something to keep.
class StateJournal : public core::JobJournal {
public:
    StateJournal(const Config& config, Rank self);
    [[nodiscard]] std::optional<std::string> append(const core::JournalRecord& record) override;
    [[nodiscard]] core::MirrorPosition position() override;
    [[nodiscard]] bool wants_snapshot() override { return file_ && file_->wants_snapshot(); }

private:
    [[nodiscard]] std::optional<std::string> open();
    persist::JournalSettings settings_;
    std::optional<persist::JournalFile> file_;
};

}  // namespace muster::agent
