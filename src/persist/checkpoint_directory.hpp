// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The checkpoints of one name in a directory: one file per slot and step, and no list of them beside it.
/// Intuition: a file's name and head say how many parts the step has and which series they belong to, and a rename puts
/// a file there whole or not at all. So "is this step whole" is answered by looking, and there is no manifest that
/// could be newer or older than what it describes; nobody waits for anybody to write.
/// Shape: DIRECTORY/muster-NAME.STEP.SERIES.SLOT-of-SLOTS.checkpoint; while it is written with .new.HOST.PID behind it.
/// Errors: Failure::connection names the path. What is damaged or incomplete is no error: it is passed over, and `say`
/// gets a line that names the file and the offset. Thread safety: all const calls from any thread; the files' names
/// keep writers apart. Source: issue 8, checkpoint hook; DESIGN.md, "Checkpoints".

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "persist/backend.hpp"
#include "persist/checkpoint_image.hpp"

namespace muster::persist {

/// Parts that belong together. Ordered by step, so that the last one is the newest.
struct CheckpointSet {
    Step step;
    std::uint64_t series = 0;
    std::uint32_t slots = 0;
    auto operator<=>(const CheckpointSet&) const = default;
};

using Say = std::function<void(const std::string& line)>;

class CheckpointDirectory {
public:
    /// The directory must exist and `name` have 1 to kCheckpointNameMax bytes.
    [[nodiscard]] static Or<CheckpointDirectory> open(const std::string& directory, const std::string& name);

    /// Writes a sealed file to the side, durably, and renames it into place.
    [[nodiscard]] std::optional<Failure> write(const CheckpointHead& head, std::span<const std::byte> file) const;
    /// The newest set all parts of which are there and fit their checksums: reads them all, one at a time.
    [[nodiscard]] Or<std::optional<CheckpointSet>> newest(const Say& say) const;
    /// One part, checked again. Failure::corrupt_state: not whole, or another one's; the text names the offset.
    [[nodiscard]] Or<Bytes> load(const CheckpointSet& set, Slot slot) const;
    /// Of what is not newer than `step`, removes all that is older than the `keep` newest whole steps, and what is not
    /// whole and older than the newest whole one: nobody will complete it. What is newer is a future that was lost; it
    /// must not push out what is written now. Whole is judged by names, heads and sizes here, without reading all.
    void prune(Step step, std::uint32_t keep) const;

    [[nodiscard]] std::string path_of(const CheckpointSet& set, Slot slot) const;
    [[nodiscard]] const std::string& name() const { return name_; }

private:
    /// A file of ours: a part, or one that is being written to the side.
    struct Found {
        CheckpointSet set;
        Slot slot;
        bool side = false;
        std::string path;
    };
    CheckpointDirectory(std::string directory, std::string name);
    [[nodiscard]] std::optional<Found> parse(const std::string& file) const;
    [[nodiscard]] Or<std::vector<Found>> list() const;
    [[nodiscard]] bool looks_whole(const Found& part) const;
    /// Nothing: all parts are whole. The text says which is not, and why.
    [[nodiscard]] Or<std::optional<std::string>> fault_of(const CheckpointSet& set) const;

    std::string directory_, name_, prefix_;
};

}  // namespace muster::persist
