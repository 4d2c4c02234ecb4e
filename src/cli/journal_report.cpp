// SPDX-License-Identifier: Apache-2.0
#include "cli/journal_report.hpp"

#include <algorithm>
#include <array>
#include <iomanip>

#include "core/job_state.hpp"

namespace muster::cli {
namespace {

using core::JournalRecord;
using Json = nlohmann::ordered_json;

constexpr std::size_t kHeadShown = 16;  ///< Bytes.

std::string hex(std::span<const std::byte> bytes) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    for (const auto b : bytes) {
        const auto value = std::to_integer<unsigned>(b);
        text += {kDigits[value >> 4U], kDigits[value & 15U]};
    }
    return text;
}

/// One line; what is no UTF-8 (a run id may be anything) is replaced.
std::string line_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

const JournalDecoder* find(JournalDecoders decoders, core::JournalKind kind) {
    const auto row = std::ranges::find(decoders, kind, &JournalDecoder::kind);
    return row == decoders.end() ? nullptr : &*row;
}

Json as_json(const persist::JournalScan::Located& located, JournalDecoders decoders) {
    const auto& record = located.record;
    Json json{{"offset", located.offset},
              {"form", core::name_of(record.form)},
              {"term", record.at.term.value},
              {"index", record.at.index},
              {"kind", record.kind.value},
              {"bytes", record.bytes.size()},
              {"head", hex(std::span(record.bytes).first(std::min(kHeadShown, record.bytes.size())))}};
    if (const auto* decoder = find(decoders, record.kind)) {
        json["name"] = decoder->name;
        if (const auto value = decoder->decode(record.form, record.bytes)) json["value"] = *value;
    }
    return json;
}

void print(std::ostream& out, const Json& record) {
    const auto column = [&](const std::string& text, int width) {
        out << std::left << std::setw(width) << text << ' ';
    };
    for (const char* name : {"offset", "term", "index"}) column(std::to_string(record[name].get<std::uint64_t>()), 8);
    column(record["form"], 8);
    column(record.contains("name") ? record["name"].get<std::string>() : std::to_string(record["kind"].get<int>()), 10);
    column(std::to_string(record["bytes"].get<std::uint64_t>()), 8);
    if (record.contains("value"))
        out << line_of(record["value"]);
    else
        out << record["head"].get<std::string>() << (record["bytes"] > kHeadShown ? "..." : "");
    out << '\n';
}

const persist::JournalFault* fault_of(const persist::JournalScan& scan) {
    if (scan.damaged) return &*scan.damaged;
    return scan.torn ? &*scan.torn : nullptr;
}

std::string result_of(const persist::JournalScan& scan) {
    if (scan.damaged) return "damaged";
    return scan.torn ? "torn" : "whole";
}

/// What a job writes (core/job_keeper): a line for people.
std::optional<nlohmann::json> decode_job(JournalRecord::Form form, std::span<const std::byte> bytes) {
    const auto text = form == JournalRecord::snapshot ? core::describe_snapshot(bytes) : core::describe_entry(bytes);
    return text ? std::optional<nlohmann::json>(*text) : std::nullopt;
}

JournalDecoder row_of(core::JobEntry kind) {
    return {core::JournalKind{static_cast<std::uint16_t>(kind)}, core::name_of(kind), decode_job};
}

}  // namespace

JournalDecoders journal_decoders() {
    static const std::array<JournalDecoder, 4> rows = {row_of(core::JobEntry::registry),
                                                       row_of(core::JobEntry::controller),
                                                       row_of(core::JobEntry::counters), row_of(core::JobEntry::whole)};
    return rows;
}

void show_journal(std::ostream& out, const persist::JournalScan& scan, const JournalShow& what,
                  JournalDecoders decoders) {
    if (!what.json) out << "offset   term     index    form     kind       bytes\n";
    std::uint64_t shown = 0;
    for (const auto& located : scan.records) {
        if (located.record.at.index < what.from) continue;
        if (shown++ == what.limit) break;
        const Json json = as_json(located, decoders);
        if (what.json)
            out << line_of(json) << '\n';
        else
            print(out, json);
    }
}

void show_verdict(std::ostream& out, const std::string& path, const persist::JournalScan& scan, bool json) {
    const auto at = scan.position();
    const auto* fault = fault_of(scan);
    if (json) {
        Json object{{"file", path}, {"result", result_of(scan)}, {"run_id", scan.header.run_id}, {"bytes", scan.size}};
        if (fault != nullptr) object["offset"] = fault->offset, object["text"] = fault->text;
        object["kept"] = {
            {"records", scan.records.size()}, {"bytes", scan.end}, {"term", at.term.value}, {"index", at.index}};
        out << line_of(object) << '\n';
        return;
    }
    const std::string kept = std::to_string(scan.records.size()) + " records, up to " + core::words_of(at) + ", " +
                             std::to_string(scan.end) + " of " + std::to_string(scan.size) + " bytes";
    if (fault == nullptr) out << "whole: run '" << scan.header.run_id << "', " << kept << '\n';
    if (fault != nullptr) out << result_of(scan) << " at offset " << fault->offset << ": " << fault->text << '\n';
    if (scan.torn) out << "its next owner cuts it there and keeps " << kept << '\n';
    if (!scan.damaged) return;
    out << "muster does not use it; whole before the damage: " << kept << '\n';
    if (scan.end > 0) out << "to go on without what is behind it: truncate -s " << scan.end << " '" << path << "'\n";
}

}  // namespace muster::cli
