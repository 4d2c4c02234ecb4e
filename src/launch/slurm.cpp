// SPDX-License-Identifier: Apache-2.0
#include "launch/slurm.hpp"

#include <cstdio>
#include <cstdlib>
#include <sstream>

#include "launch/child.hpp"

namespace muster::launch {

namespace {

constexpr std::size_t kNodesMax = 100'000;

/// Commas outside brackets part the entries.
std::vector<std::string> entries_of(const std::string& list) {
    std::vector<std::string> entries(1);
    int depth = 0;
    for (const char letter : list) {
        depth += letter == '[' ? 1 : letter == ']' ? -1 : 0;
        if (letter == ',' && depth == 0)
            entries.emplace_back();
        else
            entries.back() += letter;
    }
    return entries;
}

/// "01-03,7" -> 01, 02, 03, 7. Empty where it makes no sense.
std::vector<std::string> numbers_of(const std::string& ranges) {
    std::vector<std::string> numbers;
    std::stringstream stream(ranges);
    for (std::string range; std::getline(stream, range, ',');) {
        const auto dash = range.find('-');
        const auto first = range.substr(0, dash), last = dash == std::string::npos ? first : range.substr(dash + 1);
        const auto is_number = [](const std::string& text) {
            return !text.empty() && text.size() < 10 && text.find_first_not_of("0123456789") == std::string::npos;
        };
        if (!is_number(first) || !is_number(last)) return {};
        const long end = std::atol(last.c_str());
        for (long number = std::atol(first.c_str()); number <= end && numbers.size() < kNodesMax; ++number) {
            auto text = std::to_string(number);
            if (text.size() < first.size()) text.insert(0, first.size() - text.size(), '0');
            numbers.push_back(std::move(text));
        }
    }
    return numbers;
}

/// All names of one entry; empty where it makes no sense.
std::vector<std::string> names_of(const std::string& entry) {
    const auto open = entry.find('['), close = entry.find(']', open);
    if (open == std::string::npos)
        return entry.empty() || entry.find(']') != std::string::npos ? std::vector<std::string>{}
                                                                     : std::vector<std::string>{entry};
    if (close == std::string::npos) return {};
    std::vector<std::string> names;
    const auto rest = entry.substr(close + 1);
    const auto tails = rest.empty() ? std::vector<std::string>{""} : names_of(rest);
    for (const auto& number : numbers_of(entry.substr(open + 1, close - open - 1)))
        for (const auto& tail : tails)
            if (names.size() < kNodesMax) names.push_back(entry.substr(0, open) + number + tail);
    return names;
}

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr ? value : "";
}

}  // namespace

std::vector<std::string> slurm_node_names(const std::string& list) {
    std::vector<std::string> names;
    for (const auto& entry : entries_of(list)) {
        const auto more = names_of(entry);
        if (more.empty()) return {};
        names.insert(names.end(), more.begin(), more.end());
    }
    return names;
}

std::vector<int> slurm_tasks_per_node(const std::string& text) {
    std::vector<int> all;
    std::stringstream stream(text);
    for (std::string part; std::getline(stream, part, ',');) {
        int tasks = 0, nodes = 1;
        if (std::sscanf(part.c_str(), "%d(x%d)", &tasks, &nodes) < 1 || tasks < 1 || nodes < 1) return {};
        if (all.size() + static_cast<std::size_t>(nodes) > kNodesMax) return {};
        all.insert(all.end(), static_cast<std::size_t>(nodes), tasks);
    }
    return all;
}

std::vector<HostSlots> slurm_allocation() {
    const auto names = slurm_node_names(environment("SLURM_JOB_NODELIST"));
    const auto tasks = slurm_tasks_per_node(environment("SLURM_TASKS_PER_NODE"));
    std::vector<HostSlots> hosts;
    for (std::size_t i = 0; i < names.size(); ++i) hosts.push_back({names[i], i < tasks.size() ? tasks[i] : 1});
    return hosts;
}

std::vector<std::string> slurm_question(const std::string& node, const std::string& command) {
    return {"srun",    "--overlap",    "--nodes=1", "--ntasks=1", "--mpi=none", "--nodelist=" + node,
            "--quiet", "--input=none", "bash",      "-c",         command};
}

void cancel_slurm_step(const std::string& step) {
    (void)capture({"scancel", "--signal=KILL", environment("SLURM_JOB_ID") + "." + step}, std::chrono::seconds(5));
}

}  // namespace muster::launch
