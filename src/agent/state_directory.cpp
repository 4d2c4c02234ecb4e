// SPDX-License-Identifier: Apache-2.0
#include "agent/state_directory.hpp"

#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

namespace muster::agent {
namespace {

Error unusable(const std::string& text) { return {Fault::bad_setup, "the state directory: " + text}; }

/// One file's state. A torn tail is what its owner's death has left.
Result<core::RestoredJob> restored_from(const std::string& path, const std::string& run_id) {
    const auto read = persist::read_journal(path);
    if (const auto* failure = std::get_if<persist::Failure>(&read)) return unusable(failure->text);
    const auto& scan = std::get<persist::JournalScan>(read);
    const std::string advice = " (look: muster journal verify '" + path +
                               "'; without this file the job begins from "
                               "what its other holders have written)";
    if (scan.damaged)
        return unusable("'" + path + "' is damaged at offset " + std::to_string(scan.damaged->offset) + ": " +
                        scan.damaged->text + advice);
    if (scan.header.run_id != run_id) return unusable("'" + path + "' is of the run '" + scan.header.run_id + "'");
    core::Journal journal;
    for (const auto& located : scan.records) (void)journal.append(located.record);
    core::JobState state;
    if (!journal.restore(state)) return unusable("'" + path + "' holds records of another kind" + advice);
    return core::RestoredJob{journal.position(), state.snapshot()};
}

}  // namespace

Result<std::optional<core::RestoredJob>> read_state(const Config& config) {
    if (config.state_directory.empty()) return std::optional<core::RestoredJob>();
    std::error_code error;
    std::filesystem::create_directories(config.state_directory, error);
    if (error) return unusable("cannot make '" + config.state_directory + "': " + error.message());
    const auto paths = persist::journals_of(config.state_directory, config.run_id);
    if (const auto* failure = std::get_if<persist::Failure>(&paths)) return unusable(failure->text);
    std::optional<core::RestoredJob> best;
    for (const auto& path : std::get<std::vector<std::string>>(paths)) {
        auto restored = restored_from(path, config.run_id);
        if (!restored) return restored.error();
        if (restored->position.term == Round{}) continue;  // Begun, and nothing in it.
        if (!best || restored->position > best->position) best = std::move(*restored);
    }
    return best;
}

StateJournal::StateJournal(const Config& config, Rank self)
    : settings_{.directory = config.state_directory,
                .run_id = config.run_id,
                .holder = std::to_string(self.value),
                .durability =
                    config.durability == Durability::fsync ? persist::Durability::fsync : persist::Durability::file} {}

std::optional<std::string> StateJournal::open() {
    if (file_) return std::nullopt;
    auto opened = persist::JournalFile::open(settings_);
    if (auto* failure = std::get_if<persist::Failure>(&opened)) return std::move(failure->text);
    file_.emplace(std::move(std::get<persist::JournalFile::Opened>(opened).file));
    return std::nullopt;
}

/// A file that nobody knows any more (an fsync failed, it was removed) is opened anew with the next record.
std::optional<std::string> StateJournal::append(const core::JournalRecord& record) {
    if (auto why = open()) return why;
    auto failure = file_->append(record);
    if (!failure) return std::nullopt;
    if (failure->kind == persist::Failure::connection) file_.reset();
    return std::move(failure->text);
}

core::MirrorPosition StateJournal::position() {
    (void)open();  // Where that does not work, append() says why.
    return file_ ? file_->position() : core::MirrorPosition{};
}

}  // namespace muster::agent
