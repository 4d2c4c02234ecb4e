// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A journal in a file of a state directory: a record that append() has taken is there after a restart.
/// Intuition: one process owns the file by a lock for as long as the object lives, and adds records to its end. A
/// snapshot does not go to the end: it is written to the side and renamed into place, so it takes the place of all that
/// went before it, and whoever is killed in the middle leaves the old file or the new one.
/// Shape: DIRECTORY/muster-RUN_ID[.HOLDER].journal, .lock (stays, names the owner), .new.HOST.PID.N (short-lived).
/// Errors: each names the path. Failure::bad_value: the record does not follow or is too large, and nothing has
/// changed. Failure::connection: no directory, no space, an I/O error, another owner; file and position are as they
/// were. Where that cannot be known (fsync itself failed, a piece could not be taken back) every later append is
/// refused too, until the journal is opened anew. Failure::corrupt_state: damaged, another run's, another format; names
/// the offset and is left as it is. A limit on the size of files (RLIMIT_FSIZE) kills a process that does not ignore
/// SIGXFSZ. Thread safety: none. File systems: as for file_backend.hpp. Source: design.md section 7.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/journal.hpp"
#include "persist/descriptor.hpp"
#include "persist/file_lock.hpp"
#include "persist/journal_image.hpp"

namespace muster::persist {

/// What a record that append() has taken survives.
enum class Durability : std::uint8_t {
    memory,  ///< Nothing: there is no file, and records are only looked at.
    file,    ///< The death of all processes.
    fsync,   ///< A crash of the machine, too.
};

struct JournalSettings {
    std::string directory;  ///< Must exist, writable.
    std::string run_id;     ///< At most kJournalRunIdMax bytes.
    std::string holder{};   ///< Who of those that keep one, where they share a directory; may be empty.
    Durability durability = Durability::fsync;
    std::uint64_t compact_bytes_min = 1U << 20;  ///< Behind the snapshot, before a new one is worth its writing.
    std::chrono::milliseconds lock_deadline{2'000};
};

class JournalFile {
public:
    struct Opened;
    /// Begins one where there is none. A torn tail is cut off, and `Opened::cut` says so.
    [[nodiscard]] static Or<Opened> open(const JournalSettings& settings);

    /// Nothing: it is in, as safe as the settings say.
    [[nodiscard]] std::optional<Failure> append(const core::JournalRecord& record);

    [[nodiscard]] const core::MirrorPosition& position() const { return position_; }
    [[nodiscard]] std::uint64_t size() const { return end_; }  ///< Bytes.
    /// What stands behind the snapshot is more than it and more than compact_bytes_min: append one at position().
    [[nodiscard]] bool wants_snapshot() const;
    [[nodiscard]] const std::string& path() const { return path_; }

private:
    explicit JournalFile(const JournalSettings& settings);
    [[nodiscard]] std::optional<Failure> take_lock();
    [[nodiscard]] std::optional<Failure> open_or_begin();
    [[nodiscard]] std::optional<Failure> begin_with(const core::JournalRecord* snapshot);
    [[nodiscard]] std::optional<Failure> recover(Opened& opened);
    [[nodiscard]] std::optional<Failure> add(const core::JournalRecord& record);
    [[nodiscard]] Failure take_back(int error);
    [[nodiscard]] Failure no_longer_known(Failure failure);

    JournalSettings settings_;
    std::string base_, path_;
    std::optional<FileLock> lock_;
    Descriptor file_;
    JournalHeader header_;
    core::MirrorPosition position_;
    std::uint64_t end_ = 0;            ///< Of the last whole record, and of the file.
    std::uint64_t snapshot_end_ = 0;   ///< Of the snapshot at its begin.
    std::uint64_t sides_ = 0;          ///< Files written to the side by this object.
    std::optional<std::string> lost_;  ///< Why nobody can say what the file holds.
};

struct JournalFile::Opened {
    JournalFile file;
    core::Journal journal;            ///< What was there, to be folded.
    std::optional<JournalFault> cut;  ///< A torn tail.
};

/// Reads a journal that others may own: takes no lock, changes nothing. While its owner writes, the last record may
/// look torn. Damage is in the scan; a failure means that it could not be read at all.
[[nodiscard]] Or<JournalScan> read_journal(const std::string& path);

/// The paths of all holders' journals of a run, in order: whoever starts the job anew may not be all who kept one.
[[nodiscard]] Or<std::vector<std::string>> journals_of(const std::string& directory, const std::string& run_id);

}  // namespace muster::persist
