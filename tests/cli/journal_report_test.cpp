// SPDX-License-Identifier: Apache-2.0
/// What is said of a journal: records by their decoder or as they lie there, and what is kept of one that is not whole.
#include "cli/journal_report.hpp"

#include <gtest/gtest.h>

#include <array>
#include <sstream>

#include "../core/journal_support.hpp"

namespace muster::cli {
namespace {

using core::JournalRecord;
using core::testing::entry;
using core::testing::snapshot;
using core::testing::term;
using core::testing::text_of;
using Json = nlohmann::json;

/// Counts "apple pear" as 2 fruits; a snapshot is its own thing; what begins with '?' is none.
std::optional<Json> fruits(JournalRecord::Form form, std::span<const std::byte> bytes) {
    const std::string text = text_of(bytes);
    if (text.starts_with("?")) return std::nullopt;
    if (form == JournalRecord::snapshot) return Json{{"basket", text}};
    return Json{{"fruit", text}};
}
constexpr std::array kFruits{JournalDecoder{core::JournalKind{7}, "fruits", fruits}};

persist::JournalScan sample() {
    core::Bytes file = persist::encode(persist::JournalHeader{"job", 5});
    for (const auto& record :
         {snapshot(2, 4, "apple"), term(3, 4), entry(3, 5, "pear"), entry(3, 6, "?what is this?!")}) {
        const auto more = persist::encode(record, file.size(), 5);
        file.insert(file.end(), more.begin(), more.end());
    }
    return persist::scan_journal(file);
}
std::string shown(const JournalShow& what, JournalDecoders decoders = kFruits) {
    std::ostringstream out;
    show_journal(out, sample(), what, decoders);
    return out.str();
}
std::string verdict(const persist::JournalScan& scan, bool json = false) {
    std::ostringstream out;
    show_verdict(out, "/d/f", scan, json);
    return out.str();
}

TEST(JournalReport, ARecordIsReadByItsKindsDecoder) {
    EXPECT_EQ(shown({}),
              "offset   term     index    form     kind       bytes\n"
              "31       2        4        snapshot fruits     5        {\"basket\":\"apple\"}\n"
              "68       3        4        term     0          0        \n"
              "100      3        5        entry    fruits     4        {\"fruit\":\"pear\"}\n"
              "136      3        6        entry    fruits     15       3f7768617420697320746869733f21\n");
}

TEST(JournalReport, WithoutADecoderItsFirstBytesAreShown) {
    const auto text = shown({.from = 6}, {});
    EXPECT_NE(text.find("entry    7          15       3f7768617420697320746869733f21\n"), std::string::npos) << text;
}

TEST(JournalReport, FromAndLimit) {
    EXPECT_EQ(shown({.from = 5, .limit = 1, .json = true}),
              "{\"offset\":100,\"form\":\"entry\",\"term\":3,\"index\":5,\"kind\":7,\"bytes\":4,\"head\":\"70656172\","
              "\"name\":\"fruits\",\"value\":{\"fruit\":\"pear\"}}\n");
    const auto lines = [](const std::string& text) { return std::count(text.begin(), text.end(), '\n'); };
    EXPECT_EQ(lines(shown({.json = true})), 4);
    EXPECT_EQ(lines(shown({.limit = 2, .json = true})), 2);
    EXPECT_EQ(lines(shown({.from = 7, .json = true})), 0);
}

TEST(JournalReport, AVerdictSaysWhatIsKept) {
    auto scan = sample();
    EXPECT_EQ(verdict(scan), "whole: run 'job', 4 records, up to term 3, index 6, 183 of 183 bytes\n");
    scan.size += 9;
    scan.torn = persist::JournalFault{183, "why"};
    EXPECT_EQ(verdict(scan),
              "torn at offset 183: why\n"
              "its next owner cuts it there and keeps 4 records, up to term 3, index 6, 183 of 192 bytes\n");
    scan.damaged = std::exchange(scan.torn, std::nullopt);
    EXPECT_EQ(verdict(scan),
              "damaged at offset 183: why\n"
              "muster does not use it; whole before the damage: 4 records, up to term 3, index 6, 183 of "
              "192 bytes\nto go on without what is behind it: truncate -s 183 '/d/f'\n");
    EXPECT_EQ(Json::parse(verdict(scan, true)),
              (Json{{"file", "/d/f"},
                    {"result", "damaged"},
                    {"run_id", "job"},
                    {"bytes", 192},
                    {"offset", 183},
                    {"text", "why"},
                    {"kept", {{"records", 4}, {"bytes", 183}, {"term", 3}, {"index", 6}}}}));
    persist::JournalScan nothing;
    nothing.damaged = persist::JournalFault{0, "why"};
    EXPECT_EQ(verdict(nothing).find("truncate"), std::string::npos) << "an empty file is no journal either";
}

TEST(JournalReport, AnyRunIdIsJson) {
    auto scan = sample();
    scan.header.run_id = "\xff\"";
    EXPECT_EQ(Json::parse(verdict(scan, true))["run_id"], "\xef\xbf\xbd\"");
}

}  // namespace
}  // namespace muster::cli
