// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What a job that has died as a whole begins again from: each slot's part of the state, in files.
///
/// Intuition: after a commit each engine hands its part over and works on; a thread of its own writes it to the side,
/// durably, and renames it. A step counts once the parts of all slots are whole. A job that starts looks for the newest
/// such step. A Vault keeps state alive over single deaths, this over the death of everybody.
///
///     auto checkpoints = muster::Checkpoints::open(session, {.directory = dir, .name = "train"});
///     ... session.commit(step);  if (step.value % 100 == 0) (void)checkpoints->save(step, part);
///     ... on Turn::rebuilt where World::step is nothing:
///         if (auto found = checkpoints->newest(); found && *found)  // then for each part that is needed:
///             auto part = checkpoints->load(**found, slot);         // and commit() goes on with found.step + 1
///
/// Shape: as many parts as the world had slots, which need not be this world's size: whether state can be dealt anew is
/// the program's to know. The directory must be there and be the same for all members.
/// Units: bytes, milliseconds. Errors: values; a part that cannot be written is told by a line and by the next save().
/// Thread safety: engine thread only. Lifetime: shorter than the session's. Source: DESIGN.md, "Checkpoints".

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "muster/session.hpp"

namespace muster {

struct CheckpointSettings {
    std::string directory;
    std::string name = "job";  ///< At most 64 bytes. Jobs of one name go on from each other; not two at a time.
    std::uint32_t keep = 2;    ///< Whole steps that are kept, at least 1; one of them may be found damaged.
    std::chrono::milliseconds newest_deadline{300'000};  ///< For slot 0 to read and check all parts of the newest.
    std::chrono::milliseconds close_deadline{10'000};    ///< For the last part to be written when this is destroyed.
    /// Where lines for people go, also from the writing thread; empty: standard error.
    std::function<void(const std::string& line)> say{};
};

/// A step whose parts are all whole.
struct Checkpoint {
    Step step;
    std::uint64_t series = 0;  ///< Keeps the parts of two attempts at the same step apart.
    std::uint32_t slots = 0;   ///< How many parts it has.
};

class Checkpoints {
public:
    /// Errors: bad_setup (no such directory, name too long, keep is 0). The session may not have had a turn yet.
    [[nodiscard]] static Result<Checkpoints> open(Session& session, CheckpointSettings settings);
    Checkpoints(Checkpoints&&) noexcept;
    Checkpoints& operator=(Checkpoints&&) noexcept;
    ~Checkpoints();

    /// Copies this slot's part of the last committed step and returns. The first call in a round asks the coordinator
    /// once which series the round's parts are of. A part that still waits for an earlier one gives way to this.
    /// Every slot of the world must save the step, else it is never whole.
    /// Errors: refused (not the last committed step, not an engine of the world: nothing is saved), peer_lost (the
    /// round is broken: go to next()), internal (an earlier part was not written, the text says why; this one is
    /// taken all the same), timed_out, ended.
    Result<Done> save(Step step, std::span<const std::byte> part);

    /// The newest step that is whole; nothing where there is none. What is damaged or incomplete is passed over with a
    /// line that names file and offset. Slot 0 looks, all others have its answer, which stands for the round: every
    /// engine of the world calls it. Errors: peer_lost, timed_out, ended; state_lost (the directory cannot be read).
    [[nodiscard]] Result<std::optional<Checkpoint>> newest();

    /// One slot's part of it. Errors: state_lost (not whole any more, or not to be seen from this node; the text names
    /// the file).
    [[nodiscard]] Result<Bytes> load(const Checkpoint& checkpoint, Slot slot) const;

    /// Until what was saved is written. Errors: timed_out; internal (as save()).
    Result<Done> flush(std::chrono::milliseconds deadline);

private:
    class Impl;
    explicit Checkpoints(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace muster
