// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What `muster journal` says of a journal's file, for people and as JSON. Pure but for the stream it writes to.
/// Shape: fields in DESIGN.md, "Journal". Thread safety: none needed.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>
#include <span>
#include <string>

#include "persist/journal_image.hpp"

namespace muster::cli {

/// How the bytes of one kind of record are read. Nothing where they are none: then they are shown as they lie there.
struct JournalDecoder {
    core::JournalKind kind;
    const char* name;
    std::optional<nlohmann::json> (*decode)(core::JournalRecord::Form form, std::span<const std::byte> bytes);
};
using JournalDecoders = std::span<const JournalDecoder>;

/// Those that this program knows: whoever writes records of a kind adds a row.
[[nodiscard]] JournalDecoders journal_decoders();

struct JournalShow {
    std::uint64_t from = 0;  ///< The lowest index that is shown.
    std::uint64_t limit = ~0ULL;
    bool json = false;
};

/// The whole records, one a line.
void show_journal(std::ostream& out, const persist::JournalScan& scan, const JournalShow& what,
                  JournalDecoders decoders);
/// Whether it is whole; where it is not, what is kept.
void show_verdict(std::ostream& out, const std::string& path, const persist::JournalScan& scan, bool json);

}  // namespace muster::cli
