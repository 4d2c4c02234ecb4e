// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The model in checkpoints: each slot saves its experts, slot 0 the dense state too. Since all results depend on the
/// model and the step, never on the number of ranks, a job of any size goes on from the parts of any other.
/// Errors: refused (of another model, or beyond the last step), and those of muster::Checkpoints.
/// Thread safety: engine thread only. Lifetime: shorter than the session's.

#include <cstdint>
#include <memory>
#include <optional>

#include "moe/model.hpp"
#include "muster/checkpoint.hpp"
#include "train/options.hpp"

namespace train {

/// Where a job begins that has found a checkpoint.
struct Start {
    std::uint64_t step = 0;  ///< Committed by an earlier job.
    moe::Model model;
};

class Saver {
public:
    Saver(muster::Checkpoints checkpoints, const Options& options);
    /// Holds nullptr where no checkpoints are wanted.
    [[nodiscard]] static muster::Result<std::unique_ptr<Saver>> open(muster::Session& session, const Options& options);

    /// After commit(step). A disk that is full harms nobody but the checkpoint: muster has a line for it.
    void save_if_due(std::uint64_t step, const moe::Model& model, moe::Place place);
    void save(std::uint64_t step, const moe::Model& model, moe::Place place);
    /// This slot's model after the newest whole step; nothing where there is none. By all engines of the world.
    [[nodiscard]] muster::Result<std::optional<Start>> newest(moe::Place place);
    void flush();  ///< Before the session is left, so that the last one is whole.

private:
    [[nodiscard]] muster::Result<muster::Done> read_part(const muster::Checkpoint& from, muster::Slot slot,
                                                         moe::Model& into) const;
    muster::Checkpoints checkpoints_;
    const Options& options_;
};

}  // namespace train
