// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The training loop of examples/plain_train, embedded in muster. What muster adds:
///   - two generations of the state: a step computes into the older one, so that a step can be repeated;
///   - keep(): experts' copies to the partner (Vault), then commit();
///   - rewire(): the new world's communicator, the dense state from World::source, experts from the Vault; where
///   nothing
///     is committed yet, all of it from the newest checkpoint, if there is one (Saver).
/// Each call returns false where somebody died meanwhile: go back to next(), which says rebuilt.
/// Thread safety: engine thread only. Lifetime: shorter than the session's and the data set's.

#include <array>
#include <optional>
#include <string>

#include "moe/dataset.hpp"
#include "moe/model.hpp"
#include "muster/mpi.hpp"
#include "muster/vault.hpp"
#include "train/exchange.hpp"
#include "train/kill_plan.hpp"
#include "train/options.hpp"
#include "train/saver.hpp"

namespace train {

/// Equal on all engines.
struct Outcome {
    double accuracy = 0;
    std::string weights;               ///< Fingerprint of all weights.
    std::uint64_t steps_repeated = 0;  ///< Steps that were begun and not committed.
};

class Trainer {
public:
    /// `saver`: nullptr where there are no checkpoints.
    Trainer(muster::Session& session, const moe::Dataset& data, const Options& options, Saver* saver);

    [[nodiscard]] bool wired() const { return wired_; }  ///< False until rewire() has succeeded in this round.
    [[nodiscard]] bool finished() const { return committed_ && *committed_ >= options_.steps; }
    bool rewire();  ///< Once per round.
    bool train();   ///< One step. Step 0 makes the initial model.
    [[nodiscard]] std::optional<Outcome> evaluate();
    void save();   ///< The last committed step, whole when it returns; nothing where there are no checkpoints.
    void close();  ///< Before the session is left: gives back what the program made itself.

private:
    bool compute(std::uint64_t step);
    bool compute_next(const moe::Model& from, std::uint64_t step, moe::Model& to);
    bool keep(std::uint64_t step);
    bool take_over(std::uint64_t step);
    bool begin();
    bool connect();
    void count_repeated();
    void show_progress(std::uint64_t step, float loss) const;
    [[nodiscard]] bool went_well(const muster::Error& error);
    template <class T>
    [[nodiscard]] bool went_well(const muster::Result<T>& result) {
        return result ? true : went_well(result.error());
    }

    /// The state after `step`, where it is complete.
    struct Generation {
        std::optional<std::uint64_t> step;
        moe::Model model;
    };
    /// The state of step s lies at s % 2: computing s + 1 leaves s as it is.
    Generation& generation(std::uint64_t step) { return generations_.at(step % generations_.size()); }

    muster::Session& session_;
    const moe::Dataset& data_;
    const Options& options_;
    Saver* saver_;
    KillPlan kills_;
    muster::Vault vault_;
    Exchange exchange_;
    MPI_Comm own_comm_ = MPI_COMM_NULL;  ///< With --track.
    moe::Place place_;
    bool wired_ = false;
    std::array<Generation, 2> generations_;
    std::optional<std::uint64_t> committed_;
    std::optional<std::uint64_t> begun_;  ///< A step that was begun and not seen committed.
    std::uint64_t steps_repeated_ = 0;
};

/// What a parked standby does beforehand, so that its first step is as quick as the others': a step of its own.
void warm_up(const moe::Dataset& data);

}  // namespace train
