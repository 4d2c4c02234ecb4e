// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Tells, while a job runs under a launcher, whether it is lost: long before the launcher says so, if ever it does.
/// Intuition: lost is a job whose members are all gone without an ending, or one of whose nodes is gone under a
/// launcher that kills the job for it (Watching::node_loss_is_fatal). A node whose members are silent is asked first:
/// where it answers, its processes have died or hang, which is the job's own business.
/// Also winds a job down: suspends it, so that programs save, and ends it where it stands.
/// Thread safety: one thread; a node is asked in another one.

#include <future>
#include <memory>

#include "launch/heart.hpp"
#include "launch/job.hpp"
#include "launch/link_server.hpp"
#include "launch/pulses.hpp"

namespace muster::launch {

class JobWatch {
public:
    using Clock = std::chrono::steady_clock;

    /// Where `watching` is off nothing is ever lost. `link` outlives it.
    JobWatch(Watching watching, LinkServer& link);

    /// `ended`: the job has told its ending. True where the job is found lost now, once.
    bool finds_loss(bool ended);
    [[nodiscard]] Clock::time_point next_look() const;
    [[nodiscard]] const std::optional<JobLoss>& loss() const { return loss_; }
    /// The job's own word that it cannot get rid of a silent member: it waits for it for ever.
    void cannot_evict(int rank, const std::string& node);
    /// Mpirun's own word, where that comes first.
    void lost_by_launcher(const std::string& how);

    /// After a loss: some process of the job may still be alive.
    [[nodiscard]] bool may_live() const;

    /// Asks the job to save and end with `code`. False where nobody of it listens.
    bool wind_down(ExitCode code, const std::string& reason);
    /// Asks again whoever is the lowest now; `state`: the job's, "SUSPENDED" where it may end.
    void push_wind_down(const std::string& state);
    [[nodiscard]] bool winding_down() const { return winding_down_.has_value(); }

    [[nodiscard]] const Pulses& pulses() const { return pulses_; }

private:
    void lose(std::string how, std::set<std::string> nodes);
    bool ask_silent_nodes(Clock::time_point now);

    Watching watching_;
    Pulses pulses_;
    std::unique_ptr<Heart> heart_;
    std::optional<JobLoss> loss_;
    std::string beyond_reach_;  ///< Who is silent and cannot be ended; empty: nobody.
    std::map<std::string, std::future<bool>> asked_;  ///< By node.
    struct WindDown {
        ExitCode code;
        std::string reason;
    };
    std::optional<WindDown> winding_down_;
    Clock::time_point push_again_ = Clock::time_point::max();
};

}  // namespace muster::launch
