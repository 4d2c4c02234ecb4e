// SPDX-License-Identifier: Apache-2.0
#include "launch/stderr_filter.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace muster::launch {

namespace {

constexpr std::size_t kBlockLinesMax = 30;
constexpr std::size_t kLastLines = 6;
constexpr std::size_t kMessageMax = 600;  ///< Of one message, in letters.

bool is_ruler(std::string_view line) {
    return line.size() >= 70 && line.find_first_not_of('-') == std::string_view::npos;
}

bool has(std::string_view line, std::string_view words) { return line.find(words) != std::string_view::npos; }

bool starts(std::string_view line, std::string_view words) { return line.starts_with(words); }

/// PRRTE's own words about a process that died (help-prun.txt), line by line as they are wrapped there.
bool opens_note_about_a_death(std::string_view line) {
    return has(line, " noticed that process rank ") ||
           has(line, " detected that one or more processes exited with non-zero status,");
}

bool is_about_a_death(std::string_view line) {
    return line.empty() || opens_note_about_a_death(line) || starts(line, "signal ") || starts(line, "on signal ") ||
           starts(line, "thus causing the job to be terminated. The first process to do so was:") ||
           starts(line, "   Process name: [") || starts(line, "   Exit code:    ");
}

/// Harmless: libnbc of a revoked communicator, libevent and PMIx of a closed connection, PRRTE of a child that was
/// quicker.
bool is_noise(std::string_view line) {
    return has(line, "NBC_Progress: an error") ||
           (starts(line, "[warn] Epoll ") && has(line, " failed. Old events were ")) ||
           (starts(line, "[") && has(line, "] pmix_ptl_base: send_msg: write failed: ")) ||
           (starts(line, "[") && has(line, "] plm:ssh: Warning: setpgid("));
}

}  // namespace

std::string StderrFilter::take(std::string_view bytes) {
    std::string out;
    for (const char letter : bytes) {
        if (letter == '\0' && line_.empty() && !everything_) continue;  // PRRTE ends its messages with one
        line_ += letter;
        if (letter == '\n') out += take_line(std::exchange(line_, {}));
    }
    return out;
}

std::string StderrFilter::take_line(std::string line) {
    const std::string_view content(line.data(), line.size() - (line.ends_with('\n') ? 1 : 0));
    if (!is_noise(content)) remember(std::string(content));
    if (everything_) return line;
    if (is_noise(content)) return "";
    if (block_.empty() && !(joined_ && is_ruler(content))) return line;
    const bool closes = !block_.empty() && is_ruler(content);
    block_.push_back(std::move(line));
    return closes || block_.size() >= kBlockLinesMax ? close_block() : "";
}

std::string StderrFilter::close_block() {
    const auto content = [](const std::string& line) { return std::string_view(line).substr(0, line.size() - 1); };
    const bool note = std::any_of(block_.begin(), block_.end(),
                                  [&](const auto& line) { return opens_note_about_a_death(content(line)); });
    std::string out;
    for (const auto& line : block_) {
        const bool theirs = is_ruler(content(line)) || is_about_a_death(content(line));
        if (!note || !theirs) out += line;
    }
    block_.clear();
    return out;
}

std::string StderrFilter::flush() {
    std::string out;
    for (const auto& line : std::exchange(block_, {})) out += line;
    remember(line_);
    return out + std::exchange(line_, {});
}

void StderrFilter::remember(const std::string& line) {
    if (inside_ && line == "therefore will terminate the job.") gave_up_ = true;
    if (is_ruler(line)) {
        if (inside_ && !inside_text_.empty()) message_ = inside_text_;
        inside_ = !inside_;
        inside_text_.clear();
        return;
    }
    const auto begin = line.find_first_not_of(" \t\r");
    if (begin == std::string::npos) return;
    if (inside_ && inside_text_.size() < kMessageMax)
        inside_text_.append(inside_text_.empty() ? "" : " ").append(line, begin);
    last_.push_back(line.substr(begin));
    if (last_.size() > kLastLines) last_.pop_front();
}

std::string StderrFilter::last_words() const {
    if (!message_.empty()) return message_;
    std::string text;
    for (const auto& line : last_) text.append(text.empty() ? "" : " | ").append(line);
    return text;
}

}  // namespace muster::launch
