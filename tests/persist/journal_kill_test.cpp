// SPDX-License-Identifier: Apache-2.0
/// A writer that is killed at any moment, again and again: what it has acknowledged is there, and nothing else is.
#include <gtest/gtest.h>

#include <csignal>
#include <random>
#include <thread>

#include "journal_support.hpp"

namespace muster::persist {
namespace {

using testing::complaint;
using testing::entry;
using testing::fold_of;
using testing::JournalRecord;
using testing::term;

constexpr int kKills = 50;
constexpr std::uint64_t kEntriesPerSnapshot = 25;

/// Of different lengths, so that records end anywhere in a sector.
std::string word(std::uint64_t index) {
    return std::to_string(index) + std::string(static_cast<std::size_t>(index * 37 % 900), '.');
}
std::string words_up_to(std::uint64_t index) {
    std::string text;
    for (std::uint64_t i = 1; i <= index; ++i) text += word(i) + ";";
    return text;
}

class JournalKill : public testing::JournalDirectory {
protected:
    /// A process that takes the chair and appends for ever; each index that is safe goes into the pipe.
    pid_t writer(int acknowledged) {
        const pid_t child = ::fork();
        if (child != 0) return child;
        auto settings = journal_settings();
        settings.lock_deadline = std::chrono::seconds(10);
        auto found = JournalFile::open(settings);
        auto* opened = std::get_if<JournalFile::Opened>(&found);
        core::testing::Words state;
        if (opened == nullptr || !opened->journal.restore(state)) ::_exit(1);
        auto& file = opened->file;
        if (file.append(term(file.position().term.value + 1, file.position().index))) ::_exit(2);
        while (true) {
            const auto at = file.position();
            const auto record = entry(at.term.value, at.index + 1, word(at.index + 1));
            if (file.append(record) || !state.apply(record.bytes)) ::_exit(3);
            if (::write(acknowledged, &record.at.index, sizeof record.at.index) != sizeof record.at.index) ::_exit(4);
            if (record.at.index % kEntriesPerSnapshot == 0 &&
                file.append({JournalRecord::snapshot, file.position(), {}, state.snapshot()}))
                ::_exit(5);
        }
    }
    /// The next acknowledged index; 0: the writer is dead and there is none.
    static std::uint64_t next(int pipe) {
        std::uint64_t index = 0;
        return ::read(pipe, &index, sizeof index) == sizeof index ? index : 0;
    }
};

TEST_F(JournalKill, WhatWasAcknowledgedIsThere) {
    const std::uint64_t seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 dice(seed);
    std::uint64_t safe = 0, terms = 0;
    for (int kill = 0; kill < kKills && !HasFailure(); ++kill) {
        int ends[2] = {-1, -1};
        ASSERT_EQ(::pipe(ends), 0);
        const pid_t child = writer(ends[1]);
        ::close(ends[1]);
        for (auto wait = 1 + dice() % 15; wait > 0; --wait) {
            const auto index = next(ends[0]);
            ASSERT_GT(index, safe) << "the writer has stopped by itself";
            safe = index;
        }
        std::this_thread::sleep_for(std::chrono::microseconds(dice() % 3'000));  // Any moment of an append.
        ::kill(child, SIGKILL);
        int status = 0;
        ::waitpid(child, &status, 0);
        EXPECT_TRUE(WIFSIGNALED(status)) << "status " << status;
        while (const auto index = next(ends[0])) safe = index;
        ::close(ends[0]);

        const auto opened = must_open();
        const auto at = opened.journal.position();
        EXPECT_GE(at.index, safe) << "acknowledged and lost";
        EXPECT_LE(at.index, safe + 1) << "one may have been safe and not yet acknowledged";
        EXPECT_EQ(at.term.value, ++terms);
        EXPECT_EQ(fold_of(opened.journal), words_up_to(at.index));
        safe = at.index;
    }
    EXPECT_EQ(files(), (std::set<std::string>{"muster-job.journal", "muster-job.journal.lock"}));
    RecordProperty("entries", static_cast<int>(safe));
}

}  // namespace
}  // namespace muster::persist
