// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What the agent brings the engine outside a rebuild, and what the engine gives it to carry away.
/// Intuition: in a quiet turn the engine looks at one atomic number; the lock is only taken when something has come.
/// Signals are kept by number until their barrier is crossed: an engine that begins again after a rebuild finds them.
/// Thread safety: as noted at each call.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "agent/bell.hpp"
#include "core/switchboard.hpp"
#include "muster/session.hpp"

namespace muster::agent {

/// Where the engine is, for whoever asks.
struct Whereabouts {
    std::atomic<std::uint32_t> round{0};
    std::atomic<std::uint64_t> crossed{0}, vote{0};
    std::atomic<core::Position::Doing> doing{core::Position::elsewhere};
    std::atomic<std::int64_t> wave{0};  ///< Twice the loop's wave, and one more where the group is awake.
    void show_wave(std::int64_t number, bool awake) {
        wave.store(2 * number + (awake ? 1 : 0), std::memory_order_relaxed);
    }
    [[nodiscard]] core::Position position() const {
        return {Round{round.load()}, crossed.load(), vote.load(), doing.load()};
    }
};

class Inbox {
public:
    explicit Inbox(const Bell& bell) : bell_(bell) {}

    struct Crossed {
        std::uint64_t barrier;
    };
    struct Answer {
        Rank client;
        RequestId id;
        Bytes bytes;
    };
    struct Wake {
        core::WakeScope scope;
        std::uint64_t number;
    };
    struct Prepared {  ///< For a replica, or why not.
        core::SeatId seat;
        std::optional<std::string> error;
    };
    struct Checked {
        core::SeatId seat;
        std::uint64_t number;
        bool well;
    };
    struct Taken {  ///< The engine's turns are in this round.
        Round round;
    };
    using Out = std::variant<Crossed, Answer, Wake, Prepared, Checked, Taken>;
    using Chore = std::variant<core::PrepareEngine, core::CheckEngine>;

    // Engine thread.
    /// Counts everything that has come: unchanged means that nothing is new. One atomic load.
    [[nodiscard]] std::uint64_t news() const { return news_.load(std::memory_order_acquire); }
    [[nodiscard]] std::optional<core::SignalEntry> signal_after(std::uint64_t number) const;
    void forget_signals(std::uint64_t up_to);
    void take_requests(std::vector<Request>& into);  ///< Appends.
    [[nodiscard]] bool has_requests() const;
    [[nodiscard]] std::uint64_t woken(core::WakeScope scope) const;
    [[nodiscard]] bool has_chores() const { return chores_wait_.load(std::memory_order_acquire); }
    [[nodiscard]] std::vector<Chore> take_chores();
    /// Until something has come since `seen`, somebody pokes, or `wait` has passed.
    void wait(std::uint64_t seen, std::chrono::milliseconds wait);
    void give(Out out);        ///< To the agent; rings it.
    void say_load(Load load);  ///< The agent finds it at its next tick.

    // Agent's thread.
    void signal(const core::SignalEntry& entry);
    void request(Request request);  ///< Who waits is woken by tell(): once for many.
    void tell();
    void chore(Chore chore);
    void wake(core::WakeScope scope, std::uint64_t number);
    /// True where the engine has not taken it, and will not. Else it is marked.
    [[nodiscard]] bool call_off(Rank client, RequestId id);
    /// What the engine has said of its load, or what can be counted: `open` requests are the engine's.
    [[nodiscard]] core::EngineSays says(std::uint64_t open) const;
    void poke();  ///< Whatever the engine waits for, let it look again.
    /// A new round: signals and wakes of the old one are gone, and the requests where this is no engine any more.
    void new_round(bool engine);
    [[nodiscard]] std::vector<Out> take_out();

    [[nodiscard]] bool is_called_off(Rank client, RequestId id) const;  ///< Any thread.

    Whereabouts whereabouts;

private:
    template <class Change>
    void bring(Change change);
    const Bell& bell_;
    std::atomic<std::uint64_t> news_{0};
    std::atomic<bool> out_waits_{false};
    std::atomic<bool> chores_wait_{false};
    mutable std::mutex mutex_;
    std::condition_variable came_;
    std::deque<core::SignalEntry> signals_;
    std::vector<Request> requests_;
    bool untold_ = false;                   ///< Agent's thread.
    std::array<std::uint64_t, 2> woken_{};  ///< Per scope: the highest number.
    std::vector<Out> out_;
    std::vector<Chore> chores_;
    struct Said {
        Load load;
        std::uint64_t come = 0;      ///< Requests that the engine had taken by then.
        std::uint64_t answered = 0;  ///< And that it had answered.
    };
    std::optional<Said> said_;
    std::uint64_t taken_ = 0;     ///< Requests that the engine took, or that went before it did.
    std::uint64_t answered_ = 0;  ///< Answers that the agent took.
    std::set<std::pair<Rank, RequestId>> called_off_;
};

}  // namespace muster::agent
