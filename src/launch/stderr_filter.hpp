// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Takes mpirun's stderr apart into lines and holds back what only says that a death was survived:
/// libnbc's 'NBC_Progress: an error', libevent's '[warn] Epoll ... failed', and, once the job has joined, PRRTE's note
/// about a process that died.
/// A line of the program is never held back: only lines in the very words of PRRTE, between two of its rulers, are.
/// Pure. An unfinished line waits until it is finished or flush() is called.

#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace muster::launch {

class StderrFilter {
public:
    /// `everything`: hold nothing back (-v).
    explicit StderrFilter(bool everything) : everything_(everything) {}

    /// From now on a process that dies is the job's own business.
    void job_joined() { joined_ = true; }

    /// Takes bytes, returns what to print now.
    [[nodiscard]] std::string take(std::string_view bytes);

    /// What is still held: an unfinished line or block. For the end of the stream, or when nothing came for a while.
    [[nodiscard]] std::string flush();
    [[nodiscard]] bool holds_something() const { return !line_.empty() || !block_.empty(); }

    /// mpirun has said that it ends the job, for it has lost a node: the ranks are sent TERM, and a job that takes TERM
    /// for a stop ends in good order without having finished.
    [[nodiscard]] bool launcher_gave_up() const { return gave_up_; }

    /// What was said last, held back or not: PRRTE's last message (between two rulers) where there was one, in one
    /// line, else the last lines that say something, joined by " | ".
    [[nodiscard]] std::string last_words() const;

private:
    std::string take_line(std::string line);
    std::string close_block();
    void remember(const std::string& line);

    bool everything_;
    bool joined_ = false;
    bool gave_up_ = false;
    std::string line_;                ///< Unfinished.
    std::vector<std::string> block_;  ///< From PRRTE's opening ruler on.
    bool inside_ = false;             ///< Between two rulers, as far as the last words are concerned.
    std::string message_, inside_text_;
    std::deque<std::string> last_;
};

}  // namespace muster::launch
