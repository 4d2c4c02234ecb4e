// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What passes between the engine thread and the agent: a new round one way; complaints and wishes the other.
/// Intuition: the engine's turn costs one atomic load; everything else here happens once a rebuild.
/// Thread safety: as noted at each call.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "agent/bell.hpp"
#include "agent/crossings.hpp"
#include "agent/ledger.hpp"
#include "core/plan.hpp"
#include "mpi/round_comms.hpp"

namespace muster::agent {

using Clock = std::chrono::steady_clock;

/// When each part of a recovery was done on this member.
struct Timeline {
    Clock::time_point last_commit;  ///< Of the broken round; the epoch where there was none.
    Clock::time_point noticed, shrunk, built;

    /// From the last commit where there was one, else from the notice. Milliseconds, as all that follow.
    [[nodiscard]] double stalled_ms(Clock::time_point until) const {
        return ms(until - (commits() ? last_commit : noticed));
    }
    [[nodiscard]] double detect_ms() const { return commits() ? ms(noticed - last_commit) : 0; }
    [[nodiscard]] double shrink_ms() const { return ms(shrunk - noticed); }
    [[nodiscard]] double build_ms() const { return ms(built - shrunk); }
    [[nodiscard]] double since_noticed_ms(Clock::time_point until) const { return ms(until - noticed); }
    [[nodiscard]] double since_built_ms(Clock::time_point until) const { return ms(until - built); }

private:
    [[nodiscard]] bool commits() const { return last_commit != Clock::time_point(); }
    static double ms(Clock::duration time) { return std::chrono::duration<double, std::milli>(time).count(); }
};

/// A complete round, or the end.
struct Handover {
    core::Plan plan;
    std::shared_ptr<mpi::RoundComms> comms;  ///< Empty communicators on a standby.
    core::Bytes blob;                        ///< Committed with plan.step; on newcomers only.
    std::optional<core::Wish> ending;
    Timeline times;
    std::vector<std::shared_ptr<const Handover>> missed;  ///< Rounds that were broken before the engine took them.
};

class Mailbox {
public:
    explicit Mailbox(const Bell& bell) : bell_(bell) {}

    // Engine thread.
    [[nodiscard]] bool interrupted() const { return interrupted_.load(std::memory_order_acquire); }
    /// The next handover after those taken so far, unless it is broken already, or nullptr after `wait` or a nudge().
    /// Thaws the ledger.
    [[nodiscard]] std::shared_ptr<const Handover> take(std::chrono::milliseconds wait);
    void retire(std::shared_ptr<const Handover> old);  ///< The agent frees its communicators.
    void track(MPI_Comm comm);
    void untrack(MPI_Comm comm);
    void forget_tracked();
    void committed(Step step, Clock::time_point now);  ///< A commit was recorded.

    // Any thread.
    void complain();  ///< Something is wrong with the round that the engine works in.
    /// A wait of the engine's for others is past its deadline: who is it waiting for? `fatal`: the job ends then.
    void look_for_missing(const char* what, std::uint64_t waited_ms, bool fatal);
    void leave();
    void wish(core::Wish wish);  ///< The first one counts.
    void go(std::string why);    ///< Leaves without waiting for anybody, in the middle of its work.
    /// A round after the one that the engine's last turn was in. Where one is waiting for the engine already, that is
    /// it.
    void ask_for_round();
    void park(bool on);
    void close();
    /// A round with these seats beside those that are wanted already. Told by the coordinator only.
    void want_seats(const core::SeatWishes& more);

    // Agent's thread.
    struct Missing {
        std::string what;  ///< What the engine waits for.
        bool fatal = false;
    };
    [[nodiscard]] std::optional<Missing> take_missing();
    [[nodiscard]] bool engine_waits() const { return engine_waits_.load(std::memory_order_acquire); }
    void nudge();      ///< Whoever waits in take() looks around: there is something else to do.
    void interrupt();  ///< From now on the engine's next turn waits for a handover.
    void revoke_tracked();
    void give(std::shared_ptr<Handover> handover);  ///< Also the answer to whoever has asked for a round until now.
    /// What the round's plan did not know of yet, since it came too late, needs another round.
    void ask_again_unless(bool told_parked, bool told_close);
    [[nodiscard]] core::SeatWishes seat_wishes() const;  ///< As many as one round may have.
    /// The round that `told` was gathered for is complete. What has come since needs another one; `drop`: nobody here
    /// is to say it any more.
    void seats_settled(const core::SeatWishes& told, bool drop);
    void free_retired();
    [[nodiscard]] bool take_complaint() { return complaint_.exchange(false); }
    [[nodiscard]] bool leaving() const { return leaving_.load(); }
    [[nodiscard]] bool wished() const { return wished_.load(); }
    [[nodiscard]] bool take_asked() { return asked_.exchange(false); }  ///< The program wants a new round.
    [[nodiscard]] bool parked() const { return parked_.load(); }
    [[nodiscard]] bool closes() const { return closes_.load(); }
    void taken_back() { parked_ = false; }  ///< The others could not do without this member.
    [[nodiscard]] std::optional<core::Wish> wish() const;
    [[nodiscard]] std::string going() const;  ///< Empty unless go() was called.
    [[nodiscard]] Clock::time_point last_commit() const { return Clock::time_point(Clock::duration(last_commit_)); }
    /// When the first commit after the last handover was recorded; the epoch until then.
    [[nodiscard]] Clock::time_point first_commit() const { return Clock::time_point(Clock::duration(first_commit_)); }

    [[nodiscard]] std::optional<Step> last_step() const {  ///< Of the last commit that was recorded. Any thread.
        const auto value = last_step_.load();
        return value == kNoStep ? std::nullopt : std::optional(Step{value});
    }

    Ledger ledger;
    Crossings crossings;

private:
    static constexpr auto kNoStep = std::numeric_limits<decltype(Step::value)>::max();
    const Bell& bell_;
    std::atomic<decltype(Step::value)> last_step_{kNoStep};
    core::SeatWishes seats_;  ///< Oldest first.
    std::atomic<bool> interrupted_{true};
    std::atomic<bool> complaint_{false};
    std::atomic<bool> leaving_{false};
    std::atomic<bool> wished_{false};
    std::atomic<bool> asked_{false};
    std::atomic<bool> parked_{false};
    std::atomic<bool> closes_{false};
    std::atomic<bool> engine_waits_{false};  ///< The engine thread is in take(), and so in no MPI call.
    std::atomic<Clock::rep> last_commit_{0};
    std::atomic<Clock::rep> first_commit_{0};
    mutable std::mutex mutex_;
    bool nudged_ = false;
    bool broken_ = true;  ///< The round that was handed over last cannot be used any more.
    std::condition_variable given_;
    std::shared_ptr<const Handover> next_;
    std::vector<std::shared_ptr<const Handover>> retired_;
    std::vector<MPI_Comm> tracked_;
    std::optional<core::Wish> wish_;
    std::string going_;
    std::optional<Missing> missing_;
};

}  // namespace muster::agent
