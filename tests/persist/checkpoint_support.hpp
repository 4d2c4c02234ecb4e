// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Checkpoints of two slots in a directory of the test's own.

#include <algorithm>
#include <vector>

#include "persist/checkpoint_directory.hpp"
#include "support.hpp"

namespace muster::persist::testing {

constexpr std::uint64_t kSeries = 0xabc;

inline CheckpointHead head_of(std::uint64_t step, std::uint32_t slot, std::uint64_t series = kSeries) {
    return {.step = {step}, .series = series, .slot = {slot}, .slots = 2, .round = {3}, .name = "job"};
}
inline std::string text_of_part(std::uint64_t step, std::uint32_t slot) {
    return "part " + std::to_string(slot) + " of " + std::to_string(step);
}
inline Bytes sealed(const CheckpointHead& head, const std::string& part) {
    Bytes file = lay_out(head, bytes_of(part));
    seal(file);
    return file;
}

class CheckpointTest : public Directory {
protected:
    [[nodiscard]] CheckpointDirectory directory() const {
        return std::get<CheckpointDirectory>(CheckpointDirectory::open(path, "job"));
    }
    void save(std::uint64_t step, std::uint32_t slot, std::uint64_t series = kSeries) const {
        const auto head = head_of(step, slot, series);
        EXPECT_FALSE(directory().write(head, sealed(head, text_of_part(step, slot))));
    }
    void save_all(std::uint64_t step, std::uint64_t series = kSeries) const {
        save(step, 0, series);
        save(step, 1, series);
    }
    [[nodiscard]] std::string path_of(std::uint64_t step, std::uint32_t slot, std::uint64_t series = kSeries) const {
        return directory().path_of({{step}, series, 2}, {slot});
    }
    /// "STEP: first part, second part", read anew; "none"; or the failure. The lines are in `lines`.
    std::string newest() {
        lines.clear();
        const auto found = directory().newest([this](const std::string& line) { lines.push_back(line); });
        if (const auto* failure = std::get_if<Failure>(&found)) return failure->text;
        const auto& set = std::get<std::optional<CheckpointSet>>(found);
        if (!set) return "none";
        std::string text = std::to_string(set->step.value) + ":";
        for (std::uint32_t slot = 0; slot < set->slots; ++slot)
            text += " " + text_of(std::get<Bytes>(directory().load(*set, {slot})));
        return text;
    }
    /// The steps there is a file of, once for each.
    [[nodiscard]] std::vector<std::uint64_t> steps_there() const {
        std::vector<std::uint64_t> steps;
        for (const auto& file : files()) steps.push_back(std::stoull(file.substr(std::string("muster-job.").size())));
        std::sort(steps.begin(), steps.end());
        return steps;
    }
    std::vector<std::string> lines;
};

}  // namespace muster::persist::testing
