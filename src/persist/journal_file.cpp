// SPDX-License-Identifier: Apache-2.0
#include "persist/journal_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "persist/files.hpp"
#include "persist/system_failure.hpp"

namespace muster::persist {
namespace {

constexpr std::uint64_t kFileMax = 1ULL << 34;  // It is read as a whole.

Failure corrupt(const std::string& path, const JournalFault& damage, const JournalScan& scan) {
    return {Failure::corrupt_state,
            "the journal '" + path + "' is refused, offset " + std::to_string(damage.offset) + ": " + damage.text +
                "; whole before it: " + std::to_string(scan.records.size()) + " records, up to " +
                core::words_of(scan.position()) + " (look: muster journal verify '" + path + "')"};
}

/// 0 or errno.
int write_at(int file, std::span<const std::byte> bytes, std::uint64_t offset) {
    while (!bytes.empty()) {
        const auto count = ::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return errno;
        bytes = bytes.subspan(static_cast<std::size_t>(count));
        offset += static_cast<std::uint64_t>(count);
    }
    return 0;
}

Or<JournalScan> scan_opened(int file, const std::string& path) {
    auto bytes = read_all(file, "journal", path, kFileMax);
    if (auto* failure = std::get_if<Failure>(&bytes)) return std::move(*failure);
    return scan_journal(std::get<Bytes>(bytes));
}

}  // namespace

JournalFile::JournalFile(const JournalSettings& settings)
    : settings_(settings),
      base_("muster-" + as_file_name(settings.run_id) +
            (settings.holder.empty() ? "" : "." + as_file_name(settings.holder)) + ".journal"),
      path_(settings.directory + "/" + base_) {
    header_.run_id = settings.run_id;
}

Or<JournalFile::Opened> JournalFile::open(const JournalSettings& settings) {
    Opened opened{JournalFile(settings), {}, std::nullopt};
    JournalFile& file = opened.file;
    if (settings.run_id.size() > kJournalRunIdMax)
        return Failure{Failure::bad_value, "the journal '" + file.path_ + "': a run id of " +
                                               std::to_string(settings.run_id.size()) + " bytes is longer than " +
                                               std::to_string(kJournalRunIdMax)};
    if (settings.durability == Durability::memory) return opened;
    if (auto failure = file.take_lock()) return std::move(*failure);
    if (auto failure = file.open_or_begin()) return std::move(*failure);
    if (auto failure = file.recover(opened)) return std::move(*failure);
    return opened;
}

std::optional<Failure> JournalFile::take_lock() {
    auto lock = FileLock::lock(settings_.directory + "/" + base_ + ".lock", settings_.lock_deadline);
    if (auto* failure = std::get_if<Failure>(&lock)) return std::move(*failure);
    lock_.emplace(std::move(std::get<FileLock>(lock)));
    lock_->sign(this_process());
    sweep(settings_.directory, base_ + ".new.");
    return std::nullopt;
}

std::optional<Failure> JournalFile::open_or_begin() {
    // O_NONBLOCK: somebody's FIFO of this name is to be an error and no wait.
    file_ = Descriptor(::open(path_.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK));
    if (file_) return std::nullopt;
    if (errno != ENOENT) return cannot("open the journal", path_, errno);
    return begin_with(nullptr);
}

/// A new file in the place of the one that may be there.
std::optional<Failure> JournalFile::begin_with(const core::JournalRecord* snapshot) {
    const auto salt = random_number();
    if (!salt) return cannot("draw a number for", path_, errno);
    const JournalHeader header{header_.run_id, *salt};
    Bytes bytes = encode(header);
    if (snapshot != nullptr) {
        const Bytes record = encode(*snapshot, bytes.size(), header.salt);
        bytes.insert(bytes.end(), record.begin(), record.end());
    }
    const std::string side =
        settings_.directory + "/" + base_ + ".new." + this_process() + "." + std::to_string(++sides_);
    if (auto failure = replace_file(path_, side, bytes)) return failure;
    // From here on the new file is in place, and the old one's end is nobody's.
    Descriptor file(::open(path_.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK));
    if (!file) return no_longer_known(cannot("open the journal", path_, errno));
    if (auto failure = sync_directory(settings_.directory, path_)) return no_longer_known(std::move(*failure));
    file_ = std::move(file);
    header_ = header;
    end_ = bytes.size();
    snapshot_end_ = end_;
    return std::nullopt;
}

std::optional<Failure> JournalFile::recover(Opened& opened) {
    auto read = scan_opened(file_.get(), path_);
    if (auto* failure = std::get_if<Failure>(&read)) return std::move(*failure);
    auto& scan = std::get<JournalScan>(read);
    if (scan.damaged) return corrupt(path_, *scan.damaged, scan);
    if (scan.header.run_id != settings_.run_id)
        return corrupt(path_, {kJournalHeaderSize, "it is of the run '" + scan.header.run_id + "'"}, scan);
    if (scan.torn && ::ftruncate(file_.get(), static_cast<off_t>(scan.end)) != 0)
        return cannot("cut the torn tail of", path_, errno);
    // The last owner may have been killed between its write and its fsync; what is folded now must be there for good.
    if (settings_.durability == Durability::fsync && ::fsync(file_.get()) != 0)
        return cannot("make durable", path_, errno);
    header_ = scan.header;
    position_ = scan.position();
    end_ = scan.end;
    const bool begins_whole =
        !scan.records.empty() && scan.records.front().record.form == core::JournalRecord::snapshot;
    const auto first = begins_whole ? kJournalHeadSize + scan.records.front().record.bytes.size() : 0;
    snapshot_end_ = kJournalHeaderSize + header_.run_id.size() + first;
    opened.cut = std::move(scan.torn);
    for (auto& located : scan.records) (void)opened.journal.append(std::move(located.record));
    return std::nullopt;
}

std::optional<Failure> JournalFile::append(const core::JournalRecord& record) {
    const auto refuse = [&](Failure::Kind kind, const std::string& why) {
        return Failure{kind, "the journal '" + path_ + "' takes no record: " + why};
    };
    if (lost_) return refuse(Failure::connection, "open it anew, since earlier " + *lost_);
    if (auto why = core::why_not_next(position_, record); !why.empty()) return refuse(Failure::bad_value, why);
    if (record.bytes.size() > kJournalRecordMax)
        return refuse(Failure::bad_value, std::to_string(record.bytes.size()) + " bytes are more than " +
                                              std::to_string(kJournalRecordMax));
    if (settings_.durability != Durability::memory)
        if (auto failure = record.form == core::JournalRecord::snapshot ? begin_with(&record) : add(record))
            return failure;
    position_ = record.at;
    return std::nullopt;
}

std::optional<Failure> JournalFile::add(const core::JournalRecord& record) {
    const Bytes bytes = encode(record, end_, header_.salt);
    if (const int error = write_at(file_.get(), bytes, end_); error != 0) return take_back(error);
    if (settings_.durability == Durability::fsync && ::fdatasync(file_.get()) != 0) {
        // The kernel may have dropped what it could not write and would say yes the next time.
        return no_longer_known(take_back(errno));
    }
    struct stat status {};
    if (::fstat(file_.get(), &status) != 0 || status.st_nlink == 0)
        return no_longer_known({Failure::connection, "the journal '" + path_ + "' was removed by somebody"});
    end_ += bytes.size();
    return std::nullopt;
}

/// What was written of a record goes again.
Failure JournalFile::take_back(int error) {
    Failure failure = cannot("write to the journal", path_, error);
    if (::ftruncate(file_.get(), static_cast<off_t>(end_)) == 0) return failure;
    failure.text += "; what was written of it is still there and may be found after a restart";
    return no_longer_known(std::move(failure));
}

Failure JournalFile::no_longer_known(Failure failure) {
    lost_ = failure.text;
    return failure;
}

bool JournalFile::wants_snapshot() const {
    return end_ - snapshot_end_ > std::max(settings_.compact_bytes_min, snapshot_end_);
}

Or<JournalScan> read_journal(const std::string& path) {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file) return cannot("open the journal", path, errno);
    return scan_opened(file.get(), path);
}

Or<std::vector<std::string>> journals_of(const std::string& directory, const std::string& run_id) {
    std::vector<std::string> paths;
    std::error_code error;
    // A run id has no '.' in a file name: as_file_name() writes it otherwise.
    const std::string base = "muster-" + as_file_name(run_id) + ".";
    for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end;
         entry.increment(error)) {
        const std::string name = entry->path().filename().string();
        if (name.starts_with(base) && name.ends_with(".journal")) paths.push_back(entry->path().string());
    }
    if (error) return cannot("look into the directory", directory, error.value());
    std::ranges::sort(paths);
    return paths;
}

}  // namespace muster::persist
