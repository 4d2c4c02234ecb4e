// SPDX-License-Identifier: Apache-2.0
#include "bench/rendezvous.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <functional>
#include <optional>
#include <thread>
#include <utility>

#include "bench/bare_rounds.hpp"
#include "bench/board.hpp"
#include "muster/mpi.hpp"
#include "session/impl.hpp"

namespace muster::bench {
namespace {

constexpr std::int64_t kRestNs = 25'000'000;  ///< Long after all agents have freed and acknowledged: two ticks.
constexpr std::int64_t kRestStepNs = 370'000, kRestSteps = 31;  ///< At ever other moments of what ticks in them.

/// What rank 0 tells the engines of a round to do next.
enum Next : int { leave, one_asks, all_ask, park, unpark };
constexpr std::array<const char*, 5> kRows{"", "regroup", "all_ask", "park", "unpark"};

void sleep_until(std::int64_t when) {
    constexpr std::int64_t kNsPerSecond = 1'000'000'000;
    timespec time{};
    time.tv_sec = static_cast<time_t>(when / kNsPerSecond);
    time.tv_nsec = static_cast<long>(when % kNsPerSecond);
    while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nullptr) == EINTR) {
    }
}

double us_between(std::int64_t from, std::int64_t to) { return static_cast<double>(to - from) / 1e3; }

void note_call(RoundBoard& board) {
    std::int64_t none = 0;
    board.first_call.compare_exchange_strong(none, now_ns());
}

void note_return(RoundBoard& board, std::int64_t now) {
    auto last = board.last_return.load();
    while (last < now && !board.last_return.compare_exchange_weak(last, now)) {
    }
}

/// Rank 0's part: decides what comes next, and keeps the times of each round.
class Director {
public:
    Director(const RendezvousSettings& settings, RoundBoard& board) : settings_(settings), board_(board) {}

    /// All engines have noted their return from next(); `here`: this one's.
    void rebuilt(const Session& session, std::int64_t here) {
        const auto call = board_.first_call.exchange(0), last = board_.last_return.exchange(0);
        if (asked_ == all_ask) ++rounds_;
        if (asked_ == leave || rounds_ > 1) return;  // The first round of all; one too many.
        samples_[kRows[asked_]].push_back(us_between(call, last));
        if (asked_ == one_asks) parts(session.rounds().back(), call, here, last);
    }

    Next next(const World& world) {
        if (asked_ == all_ask) samples_["rounds_of_all_ask"].push_back(rounds_);
        rounds_ = 0;
        const bool standbys = !world.standbys.empty();
        const bool second = asked_ == one_asks || asked_ == park;
        if (asked_ != leave && !second && ++done_ == settings_.rounds) return leave;
        asked_ = standbys ? (second ? unpark : park) : (second ? all_ask : one_asks);
        return asked_;
    }

    [[nodiscard]] int done() const { return done_; }
    Samples& samples() { return samples_; }

private:
    void parts(const RoundReport& report, std::int64_t call, std::int64_t here, std::int64_t last) {
        constexpr double kUsPerMs = 1e3;
        const double since_noticed = report.shrink_ms + report.build_ms + report.hand_over_ms;
        samples_["notice"].push_back(us_between(call, here) - since_noticed * kUsPerMs);
        samples_["shrink"].push_back(report.shrink_ms * kUsPerMs);
        samples_["build"].push_back(report.build_ms * kUsPerMs);
        samples_["hand_over"].push_back(report.hand_over_ms * kUsPerMs);
        samples_["last"].push_back(us_between(here, last));
    }

    const RendezvousSettings& settings_;
    RoundBoard& board_;
    Samples samples_;
    Next asked_ = leave;  ///< leave: nothing yet.
    int done_ = 0;        ///< Pairs of rounds.
    int rounds_ = 0;      ///< Since all asked at once.
};

/// One member of the job.
class Player {
public:
    Player(const RendezvousSettings& settings, RoundBoard& board) : board_(board), director_(settings, board) {}

    Samples play(Config config) {
        config.work = Work::requests;  // Engines rest.
        config.hooks.world_changed = [this](const World& world) { parked(world); };
        auto session = Session::join(std::move(config));
        if (!session) {
            std::fprintf(stderr, "muster-bench: %s\n", session.error().text.c_str());
            return {};
        }
        session_ = &*session;
        while (const auto turn = session->next())
            if (turn.kind == Turn::rebuilt) take_round(now_ns());
        asked();
        if (session->ending().code == ExitCode::finished) return std::move(director_.samples());
        std::fprintf(stderr, "muster-bench: %s\n", session->ending().reason.c_str());
        return {};
    }

private:
    /// Errors mean that another round has begun: next() says so.
    void take_round(std::int64_t returned) {
        note_return(board_, returned);
        asked();
        const World& world = session_->world();
        const MPI_Comm comm = communicator(*session_);
        if (MPI_Barrier(comm) != MPI_SUCCESS) return;
        const bool directs = world.slot == Slot{0};
        if (directs) director_.rebuilt(*session_, returned);
        if (!bare_rounds(comm, director_.samples())) return;
        // What, when and which turn of it: others may have come only now.
        std::array<std::int64_t, 3> next{};
        if (directs) next = {director_.next(world), 0, director_.done()};
        if (directs) next[1] = now_ns() + kRestNs + next[2] % kRestSteps * kRestStepNs;
        if (MPI_Bcast(next.data(), 3, MPI_INT64_T, 0, comm) != MPI_SUCCESS) return;
        if (!count_messages(next[0] == leave, comm)) return;
        act(static_cast<Next>(next[0]), next[1], static_cast<std::uint32_t>(next[2]));
    }

    void act(Next next, std::int64_t when, std::uint32_t turn) {
        const World& world = session_->world();
        const Slot self = world.slot.value_or(Slot{});
        if (next == leave) return session_->leave();
        if (next == one_asks && self == Slot{turn % world.size()})
            at(when, [this] { note_call(board_), session_->regroup(); });
        if (next == all_ask) {  // On the engine's thread: none of them has heard of the round that others have begun.
            sleep_until(when);
            note_call(board_), session_->regroup();
        }
        if (next == unpark && self == Slot{0}) at(when, [this] { board_.unpark = 1; });
        if (next != park || self != Slot{world.size() - 1}) return;
        parked_ = true;
        at(when, [this] { note_call(board_), session_->park(); });
    }

    /// Once this engine rests in next() like all others.
    void at(std::int64_t when, std::function<void()> ask) {
        asking_ = std::thread([when, ask = std::move(ask)] {
            sleep_until(when);
            ask();
        });
    }

    void asked() {
        if (asking_.joinable()) asking_.join();
    }

    /// The hook: whoever is parked comes back, as a standby, when it is told to.
    void parked(const World& world) {
        if (world.slot || !parked_) return;
        while (board_.unpark.exchange(0) == 0) {
            if (session_->interrupted()) return;
            pause_us(50);
        }
        parked_ = false;
        note_call(board_);
        session_->unpark();
    }

    /// From the first round on to the last. Only where the engines are the same all the time: without standbys.
    bool count_messages(bool last, MPI_Comm comm) {
        const World& world = session_->world();
        if (!world.standbys.empty() || (since_ && !last)) return true;
        if (last) sleep_until(now_ns() + kRestNs);
        const auto sent = session_->impl().agent->traffic();
        const auto now = std::pair(world.round, sent.packets + sent.rings);
        if (!since_) return since_ = now, true;
        const double mine = static_cast<double>(now.second - since_->second) / (now.first.value - since_->first.value);
        auto& all = director_.samples()["messages"];
        all.resize(world.size());
        return MPI_Gather(&mine, 1, MPI_DOUBLE, all.data(), 1, MPI_DOUBLE, 0, comm) == MPI_SUCCESS;
    }

    RoundBoard& board_;
    Director director_;
    Session* session_ = nullptr;
    bool parked_ = false;
    std::thread asking_;
    std::optional<std::pair<Round, std::uint64_t>> since_;
};

}  // namespace

Samples rendezvous_rounds(const RendezvousSettings& settings, const std::string& board_path) {
    int rank = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (!on_one_machine(MPI_COMM_WORLD)) {
        if (rank == 0)
            std::fprintf(stderr,
                         "muster-bench: the ranks are on several machines, whose clocks cannot be compared: "
                         "start it on one\n");
        return {};
    }
    auto* board = open_board<RoundBoard>(board_path);
    if (board == nullptr) {
        std::fprintf(stderr, "muster-bench: %s: %s\n", board_path.c_str(), std::strerror(errno));
        return {};
    }
    auto from_launcher = Config::from_environment();
    return Player(settings, *board).play(from_launcher ? *from_launcher : Config{});
}

}  // namespace muster::bench
