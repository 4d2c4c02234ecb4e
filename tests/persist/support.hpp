// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A directory that is gone after the test, processes of one's own, and bytes as text.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <string>

#include "persist/file_backend.hpp"

namespace muster::persist::testing {

inline Bytes bytes_of(const std::string& text) {
    const auto* begin = reinterpret_cast<const std::byte*>(text.data());
    return {begin, begin + text.size()};
}
inline std::string text_of(const Bytes& bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

/// What was read or written, or the failure, in one line.
inline std::string words(const Or<std::optional<Stored>>& got) {
    if (const auto* failure = std::get_if<Failure>(&got))
        return (failure->kind == Failure::connection ? "connection: " : "corrupt: ") + failure->text;
    const auto& stored = std::get<std::optional<Stored>>(got);
    return stored ? text_of(stored->state) : "(none)";
}
inline std::string words(const Or<std::optional<Written>>& done) {
    if (const auto* failure = std::get_if<Failure>(&done))
        return (failure->kind == Failure::connection ? "connection: " : "corrupt: ") + failure->text;
    const auto& written = std::get<std::optional<Written>>(done);
    if (!written) return "(none)";
    return (written->accepted ? "accepted " : "found ") + text_of(written->state);
}
inline Token token_of(const Or<std::optional<Written>>& done) { return std::get<std::optional<Written>>(done)->token; }
inline Token token_of(const Or<std::optional<Stored>>& got) { return std::get<std::optional<Stored>>(got)->token; }

class Directory : public ::testing::Test {
protected:
    Directory() {
        std::string form = (std::filesystem::temp_directory_path() / "muster-persist-XXXXXX").string();
        path = ::mkdtemp(form.data());
    }
    ~Directory() override { std::filesystem::remove_all(path); }

    [[nodiscard]] FileBackendSettings settings() const { return {.directory = path, .run_id = "job"}; }
    [[nodiscard]] std::string state_path() const { return path + "/muster-job.state"; }
    [[nodiscard]] std::set<std::string> files() const {
        std::set<std::string> names;
        for (const auto& entry : std::filesystem::directory_iterator(path)) names.insert(entry.path().filename());
        return names;
    }
    [[nodiscard]] std::string content(const std::string& file) const {
        std::ifstream in(file, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    void put(const std::string& file, const std::string& bytes) const {
        std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
    }
    std::string path;
};

/// What `work` says, carried out in a process of its own; "died" where it did not live to say it.
inline std::string in_child(const std::function<std::string()>& work) {
    int ends[2] = {-1, -1};
    if (::pipe(ends) != 0) return "no pipe";
    const pid_t child = ::fork();
    if (child == 0) {
        const std::string text = work();
        const auto written = ::write(ends[1], text.data(), text.size());
        ::_exit(written == static_cast<ssize_t>(text.size()) ? 0 : 1);
    }
    ::close(ends[1]);
    std::string text;
    char buffer[256];
    for (ssize_t count = 0; (count = ::read(ends[0], buffer, sizeof buffer)) > 0;)
        text.append(buffer, static_cast<std::size_t>(count));
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? text : "died";
}

}  // namespace muster::persist::testing
