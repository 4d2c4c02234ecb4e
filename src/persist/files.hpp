// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What everything in here does with files: names, whole reads, and a new version put in the old one's place so that a
/// reader finds one of the two and never half of one.
/// Errors: Failure::connection with the path; Failure::corrupt_state for what cannot be a file of muster's.
/// Thread safety: pure, but for the files themselves.

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "persist/backend.hpp"

namespace muster::persist {

/// What a file name cannot hold is written as %XX.
[[nodiscard]] std::string as_file_name(const std::string& text);
/// "HOST.PID", as a file name.
[[nodiscard]] std::string this_process();
/// By chance, so that it never comes again, also where a file was removed and a new one begins. Nothing: errno says
/// why.
[[nodiscard]] std::optional<std::uint64_t> random_number();

/// `what` names the file in texts: "state file". Larger than `size_max`, or no regular file: none of muster's.
[[nodiscard]] Or<Bytes> read_all(int file, const std::string& what, const std::string& path, std::uint64_t size_max);

/// Writes to `side`, durably, and renames it to `path`. On a failure nothing has changed and nothing is left lying.
[[nodiscard]] std::optional<Failure> replace_file(const std::string& path, const std::string& side,
                                                  std::span<const std::byte> bytes);
/// So that a rename to `path` outlives a crash of the machine.
[[nodiscard]] std::optional<Failure> sync_directory(const std::string& directory, const std::string& path);
/// Removes what the dead have left. Only under the lock: nobody else writes to the side then.
void sweep(const std::string& directory, const std::string& prefix);

}  // namespace muster::persist
