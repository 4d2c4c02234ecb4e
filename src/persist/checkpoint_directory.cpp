// SPDX-License-Identifier: Apache-2.0
#include "persist/checkpoint_directory.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <map>
#include <set>
#include <system_error>

#include "persist/descriptor.hpp"
#include "persist/files.hpp"
#include "persist/system_failure.hpp"

namespace muster::persist {
namespace {

constexpr const char* kSide = ".new.";

std::string name_of_file(const CheckpointSet& set, Slot slot) {
    std::array<char, 96> text{};
    std::snprintf(text.data(), text.size(), "%llu.%016llx.%u-of-%u.checkpoint",
                  static_cast<unsigned long long>(set.step.value), static_cast<unsigned long long>(set.series),
                  slot.value, set.slots);
    return text.data();
}

CheckpointSet set_of(const CheckpointHead& head) { return {head.step, head.series, head.slots}; }

std::string step_text(const CheckpointSet& set) { return "the checkpoint of step " + std::to_string(set.step.value); }

Failure broken(const std::string& path, const CheckpointFault& fault) {
    return {Failure::corrupt_state,
            "'" + path + "' is not whole at byte " + std::to_string(fault.offset) + ": " + fault.text};
}

/// Which slots have no part, at most three by number.
std::string missing_text(const std::set<Slot>& there, std::uint32_t slots) {
    std::string text;
    for (std::uint32_t slot = 0, named = 0; slot < slots && named < 3; ++slot)
        if (!there.contains({slot})) text += (named++ == 0 ? "" : ", ") + std::to_string(slot);
    const auto count = slots - there.size();
    return std::to_string(count) + " of its " + std::to_string(slots) + " parts are missing, of slot " + text +
           (count > 3 ? " and more" : "");
}

}  // namespace

CheckpointDirectory::CheckpointDirectory(std::string directory, std::string name)
    : directory_(std::move(directory)), name_(std::move(name)), prefix_("muster-" + as_file_name(name_) + ".") {}

Or<CheckpointDirectory> CheckpointDirectory::open(const std::string& directory, const std::string& name) {
    if (name.empty() || name.size() > kCheckpointNameMax)
        return Failure{Failure::connection, "the name of checkpoints has 1 to " + std::to_string(kCheckpointNameMax) +
                                                " bytes, '" + name + "' has " + std::to_string(name.size())};
    const Descriptor opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!opened) return cannot("keep checkpoints in", directory, errno);
    return CheckpointDirectory(directory, name);
}

std::string CheckpointDirectory::path_of(const CheckpointSet& set, Slot slot) const {
    return directory_ + "/" + prefix_ + name_of_file(set, slot);
}

std::optional<Failure> CheckpointDirectory::write(const CheckpointHead& head, std::span<const std::byte> file) const {
    const auto path = path_of(set_of(head), head.slot);
    const auto side = path + kSide + this_process();
    (void)::unlink(side.c_str());  // Of an earlier process with this number on this host.
    if (auto failure = replace_file(path, side, file)) return failure;
    return sync_directory(directory_, path);
}

/// What was read is written again and compared, so no second spelling of a number counts.
auto CheckpointDirectory::parse(const std::string& file) const -> std::optional<Found> {
    if (!file.starts_with(prefix_)) return std::nullopt;
    unsigned long long step = 0, series = 0;
    unsigned slot = 0, slots = 0;
    const auto rest = file.substr(prefix_.size());
    if (std::sscanf(rest.c_str(), "%20llu.%16llx.%10u-of-%10u.", &step, &series, &slot, &slots) != 4)
        return std::nullopt;
    Found found{.set = {{step}, series, slots}, .slot = {slot}, .path = directory_ + "/" + file};
    const auto name = name_of_file(found.set, found.slot);
    found.side = rest.starts_with(name + kSide);
    if ((rest != name && !found.side) || slot >= slots) return std::nullopt;
    return found;
}

auto CheckpointDirectory::list() const -> Or<std::vector<Found>> {
    std::vector<Found> all;
    std::error_code error;
    std::filesystem::directory_iterator entry(directory_, error);
    for (const std::filesystem::directory_iterator end; !error && entry != end; entry.increment(error))
        if (auto found = parse(entry->path().filename().string())) all.push_back(std::move(*found));
    if (error) return cannot("list the checkpoints in", directory_, error.value());
    return all;
}

Or<Bytes> CheckpointDirectory::load(const CheckpointSet& set, Slot slot) const {
    const auto path = path_of(set, slot);
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file && errno == ENOENT) return broken(path, {0, "it is not there"});
    if (!file) return cannot("open", path, errno);
    auto read = read_all(file.get(), "checkpoint", path, 2 * kCheckpointPartMax);
    if (auto* failure = std::get_if<Failure>(&read)) return std::move(*failure);
    auto part = read_checkpoint(std::get<Bytes>(read));
    if (const auto* fault = std::get_if<CheckpointFault>(&part)) return broken(path, *fault);
    auto& whole = std::get<CheckpointPart>(part);
    if (set_of(whole.head) != set || whole.head.slot != slot || whole.head.name != name_)
        return broken(path, {16, "it holds another part than its name says"});
    return std::move(whole.bytes);
}

Or<std::optional<std::string>> CheckpointDirectory::fault_of(const CheckpointSet& set) const {
    for (std::uint32_t slot = 0; slot < set.slots; ++slot) {
        const auto part = load(set, {slot});
        const auto* failure = std::get_if<Failure>(&part);
        if (failure == nullptr) continue;
        if (failure->kind == Failure::corrupt_state) return std::optional(failure->text);
        return *failure;
    }
    return std::optional<std::string>();
}

Or<std::optional<CheckpointSet>> CheckpointDirectory::newest(const Say& say) const {
    const auto listed = list();
    if (const auto* failure = std::get_if<Failure>(&listed)) return *failure;
    std::map<CheckpointSet, std::set<Slot>> sets;
    for (const auto& found : std::get<std::vector<Found>>(listed))
        if (!found.side) sets[found.set].insert(found.slot);
    for (auto set = sets.rbegin(); set != sets.rend(); ++set) {
        std::optional<std::string> why;
        if (set->second.size() < set->first.slots) {
            why = missing_text(set->second, set->first.slots);
        } else {
            auto fault = fault_of(set->first);
            if (auto* failure = std::get_if<Failure>(&fault)) return std::move(*failure);
            why = std::move(std::get<std::optional<std::string>>(fault));
        }
        if (!why) return std::optional(set->first);
        say(step_text(set->first) + " is passed over: " + *why);
    }
    return std::optional<CheckpointSet>();
}

bool CheckpointDirectory::looks_whole(const Found& part) const {
    const Descriptor file(::open(part.path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat status {};
    if (!file || ::fstat(file.get(), &status) != 0) return false;
    std::array<std::byte, kCheckpointHeadSize + kCheckpointNameMax> begin{};
    const auto count = ::pread(file.get(), begin.data(), begin.size(), 0);
    if (count < 0) return false;
    const auto head = read_checkpoint_head(std::span(begin).first(static_cast<std::size_t>(count)));
    const auto* whole = std::get_if<CheckpointHead>(&head);
    return whole != nullptr && set_of(*whole) == part.set && whole->slot == part.slot &&
           static_cast<std::uint64_t>(status.st_size) == checkpoint_file_size(*whole);
}

void CheckpointDirectory::prune(Step step, std::uint32_t keep) const {
    const auto listed = list();
    const auto* all = std::get_if<std::vector<Found>>(&listed);
    if (all == nullptr) return;
    std::map<CheckpointSet, std::uint32_t> whole_parts;
    for (const auto& found : *all)
        if (!found.side && found.set.step <= step && looks_whole(found)) ++whole_parts[found.set];
    std::erase_if(whole_parts, [](const auto& entry) { return entry.second < entry.first.slots; });
    std::set<Step> whole_steps;
    for (const auto& [set, parts] : whole_parts) whole_steps.insert(set.step);
    if (whole_steps.empty()) return;
    auto oldest_kept = whole_steps.rbegin();
    for (std::uint32_t kept = 1; kept < keep && std::next(oldest_kept) != whole_steps.rend(); ++kept) ++oldest_kept;
    for (const auto& found : *all) {
        const bool incomplete = found.side || !whole_parts.contains(found.set);
        if (found.set.step < (incomplete ? *whole_steps.rbegin() : *oldest_kept)) (void)::unlink(found.path.c_str());
    }
}

}  // namespace muster::persist
