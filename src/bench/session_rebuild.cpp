// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <cstdio>
#include <optional>
#include <thread>
#include <utility>

#include "bench/rebuild.hpp"
#include "muster/mpi.hpp"
#include "muster/session.hpp"

namespace muster::bench {
namespace {

constexpr int kStepUs = 1'000;
constexpr int kStepsBetweenDeaths = 30;
constexpr std::int64_t kParkedWindowNs = 2'000'000'000;
constexpr double kNsPerMs = 1e6;

/// What the director tells all engines with the sum of a step: what happens in the next one.
enum Command : int { go_on = 0, leave = 1, first_death = 2 };

/// On a standby: once the director asks, it measures what it costs while it sits in next().
class ParkedMeter {
public:
    explicit ParkedMeter(Board& board) : board_(board), watcher_([this] { watch(); }) {}
    ~ParkedMeter() {
        stop_ = true;
        watcher_.join();
    }
    ParkedMeter(const ParkedMeter&) = delete;
    ParkedMeter& operator=(const ParkedMeter&) = delete;

private:
    void watch() {
        constexpr int kPollUs = 20'000;
        while (!stop_ && board_.window_asked == 0) pause_us(kPollUs);
        const auto cpu = cpu_ns(), start = now_ns();
        // Few and long sleeps: what this thread costs counts as the standby's.
        while (!stop_ && now_ns() - start < kParkedWindowNs) pause_us(kPollUs * 10);
        if (stop_) return;
        board_.parked_cpu = cpu_ns() - cpu;
        board_.parked_window = now_ns() - start;
    }

    Board& board_;
    std::atomic<bool> stop_{false};
    std::thread watcher_;
};

/// Rank 0's part: decides what comes next, and keeps the times of each rebuild.
class Director {
public:
    Director(const RebuildSettings& settings, Board& board) : settings_(settings), board_(board) {}

    /// What the next step shall be.
    int command() {
        if (death_under_way_) return first_death + deaths_;
        if (steps_ < kStepsBetweenDeaths) return go_on;
        if (settings_.measure_parked && board_.parked_window == 0) {
            board_.window_asked = 1;
            return go_on;
        }
        if (deaths_ == settings_.deaths) return leave;
        death_under_way_ = true;
        return first_death + deaths_;
    }

    void rebuilt() { at_work_ = now_ns(); }

    void committed(const Session& session) {
        const auto now = now_ns();
        if (at_work_ != 0 && session.rounds().size() > reports_) {
            record(session.rounds().back(), now);
            reports_ = session.rounds().size();
        }
        last_commit_ = now;
        ++steps_;
    }

    [[nodiscard]] Samples take() { return std::move(samples_); }

private:
    void record(const RoundReport& report, std::int64_t now) {
        const auto entry = static_cast<std::size_t>(deaths_);
        const std::int64_t killed = board_.killed_at.at(entry);
        if (killed == 0) {  // not one of ours: a bystander died. The figures would mean something else.
            std::fprintf(stderr, "muster-bench: an unexpected rebuild, not counted\n");
        } else {
            const double detection = us(last_commit_ - killed) + report.detect_ms * 1e3;
            samples_["detection"].push_back(detection);
            samples_["shrink"].push_back(report.shrink_ms * 1e3);
            samples_["build"].push_back(report.build_ms * 1e3);
            samples_["hand_over"].push_back(report.hand_over_ms * 1e3);
            samples_["total"].push_back(us(now - killed));
            samples_["after_detection"].push_back(us(now - killed) - detection);
            samples_["survivor_at_work"].push_back(us(at_work_ - killed));
            samples_["promoted_at_work"].push_back(us(board_.promoted_at_work.at(entry) - killed));
            samples_["promoted_hand_over"].push_back(us(board_.promoted_hand_over.at(entry)));
            if (entry == 0 && settings_.measure_parked)
                samples_["parked_cpu"].push_back(us(board_.parked_cpu) / us(board_.parked_window) * 1e6);
            ++deaths_;
        }
        death_under_way_ = false;
        at_work_ = 0;
        steps_ = 0;
    }

    const RebuildSettings& settings_;
    Board& board_;
    Samples samples_;
    int steps_ = 0;   ///< Since the last rebuild.
    int deaths_ = 0;  ///< Recorded.
    bool death_under_way_ = false;
    std::size_t reports_ = 0;
    std::int64_t last_commit_ = 0, at_work_ = 0;
};

}  // namespace

Samples session_rebuilds(const RebuildSettings& settings, Board& board) {
    int rank = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    Director director(settings, board);
    auto from_launcher = Config::from_environment();
    Config config = from_launcher ? *from_launcher : Config{};
    config.engines = static_cast<std::uint32_t>(settings.engines);
    config.engines_min = config.engines;
    config.quorum = Quorum::none;  // more members die in this job than are left in the end
    auto session = Session::join(std::move(config));
    if (!session) {
        std::fprintf(stderr, "muster-bench: rank %d: %s\n", rank, session.error().text.c_str());
        return {};
    }
    std::optional<ParkedMeter> meter;  // on the last standby
    if (settings.measure_parked && rank == settings.engines + settings.deaths - 1) meter.emplace(board);
    int command = go_on;
    Step step{0};
    bool fresh = true;
    bool parked = rank >= settings.engines;
    while (const auto turn = session->next()) {
        if (turn.kind == Turn::rebuilt) {
            const World& world = session->world();
            step = world.step.value_or(Step{0});
            command = go_on;
            fresh = true;
            if (rank == 0) director.rebuilt();
            if (parked && world.slot) {
                parked = false;
                std::size_t entry = 0;
                while (entry + 1 < kDeathsMax && board.killed_at.at(entry + 1) != 0) ++entry;
                board.promoted_at_work.at(entry) = now_ns();
                if (!session->rounds().empty())
                    board.promoted_hand_over.at(entry) =
                        static_cast<std::int64_t>(session->rounds().back().hand_over_ms * kNsPerMs);
            }
            continue;
        }
        if (command == leave) {
            session->leave();
            continue;
        }
        // The first step of a world begins at once: its time is part of the recovery's.
        if (!std::exchange(fresh, false)) pause_us(kStepUs);
        if (command >= first_death) {
            const int death = command - first_death;
            const auto victim = static_cast<std::uint32_t>(1 + death % (settings.engines - 1));
            if (session->world().slot == Slot{victim} && board.killed_at.at(static_cast<std::size_t>(death)) == 0) {
                pause_us(2 * kStepUs);  // the others are in their allreduce by now
                die(board, static_cast<std::size_t>(death));
            }
        }
        const int mine = rank == 0 ? director.command() : go_on;
        int next = go_on;
        if (MPI_Allreduce(&mine, &next, 1, MPI_INT, MPI_MAX, communicator(*session)) != MPI_SUCCESS) continue;
        if (!session->commit(Step{step.value + 1})) continue;
        ++step.value;
        command = next;
        if (rank == 0) director.committed(*session);
    }
    if (session->ending().code != ExitCode::finished)
        std::fprintf(stderr, "muster-bench: rank %d: %s\n", rank, session->ending().reason.c_str());
    return director.take();
}

}  // namespace muster::bench
