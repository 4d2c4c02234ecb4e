// SPDX-License-Identifier: Apache-2.0
#include "bench/succession.hpp"

#include <mpi.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <optional>
#include <thread>

#include "bench/bare_rounds.hpp"
#include "bench/board.hpp"
#include "muster/session.hpp"

namespace muster::bench {
namespace {

constexpr auto kPatience = std::chrono::seconds(30);
constexpr std::int64_t kPatienceNs = 30'000'000'000;
constexpr int kPollUs = 500;
constexpr int kRestUs = 25'000;  ///< Long after all agents have freed and acknowledged: two ticks.
constexpr std::size_t kRanksMax = 4'096;
constexpr const char* kBackend = "backend";

/// What members tell the client, each in its place.
struct Place {
    std::atomic<std::int64_t> process{};
    std::atomic<std::int64_t> round{}, coordinator{};  ///< next() said rebuilt in this round.
};
/// Of the newest round, by its coordinator, before it says in its place that the round is there.
struct Parts {
    std::atomic<std::int64_t> at_work{}, shrink{}, build{}, hand_over{};
};
struct SuccessionBoard {
    std::array<Place, kRanksMax> places{};
    Parts parts{};
};

void complain(const char* what, const std::string& text) {
    std::fprintf(stderr, "muster-bench: %s: %s\n", what, text.c_str());
}

/// The client: kills coordinators.
class Killer {
public:
    Killer(const SuccessionSettings& settings, SuccessionBoard& board, Controller controller)
        : settings_(settings), board_(board), controller_(std::move(controller)) {}

    Samples run() {
        auto round = settled(0);
        if (const auto made = controller_.create_backend(kBackend, {.num_replicas = 0}); !made) {
            complain("create_backend", made.error().text);
            return {};
        }
        for (int death = 0; round && death < settings_.deaths; ++death) {
            pause_us(kRestUs);
            // It coordinates, and its followers know what it knows.
            if (!change()) break;
            const auto coordinator = static_cast<std::size_t>(board_.places[round->second].coordinator);
            const auto killed = now_ns();
            ::kill(static_cast<pid_t>(board_.places[coordinator].process), SIGKILL);
            if (!change()) break;
            const auto answered = now_ns();
            round = settled(round->first);
            if (!round || !is_there()) break;
            note(killed, answered);
        }
        return std::move(samples_);
    }

private:
    using RoundAndRank = std::pair<std::int64_t, std::size_t>;

    /// All engines of a round above `before` are at work. Its number, and one that was in it.
    std::optional<RoundAndRank> settled(std::int64_t before) {
        for (const auto begin = now_ns(); now_ns() - begin < kPatienceNs; pause_us(kPollUs)) {
            RoundAndRank newest{};
            int there = 0;
            for (std::size_t rank = 0; rank < kRanksMax; ++rank) {
                const std::int64_t round = board_.places[rank].round;
                if (round > newest.first) newest = {round, rank}, there = 0;
                if (round == newest.first) ++there;
            }
            if (newest.first > before && there == settings_.engines) return newest;
        }
        complain("settled", "not all engines came to round " + std::to_string(before + 1) + " or a later one");
        return std::nullopt;
    }

    bool change() {
        BackendConfigUpdate update;
        update.user_config = std::to_string(++serial_);
        const auto changed = controller_.update_backend_config(kBackend, update, kPatience);
        if (!changed) complain("update_backend_config", changed.error().text);
        return bool(changed);
    }

    bool is_there() {
        const auto config = controller_.get_backend_config(kBackend, kPatience);
        if (config && config->user_config == std::to_string(serial_)) return true;
        complain("a change that was answered is gone", config ? config->user_config : config.error().text);
        return false;
    }

    void note(std::int64_t killed, std::int64_t answered) {
        const auto& parts = board_.parts;
        const auto built = parts.at_work - parts.hand_over;
        const auto add = [this](const char* name, std::int64_t ns) {
            samples_[name].push_back(static_cast<double>(ns) / 1e3);
        };
        add("detection", built - parts.build - parts.shrink - killed);
        add("shrink", parts.shrink);
        add("build", parts.build);
        add("answer", answered - built);
        add("succession", answered - killed);
    }

    const SuccessionSettings& settings_;
    SuccessionBoard& board_;
    Controller controller_;
    Samples samples_;
    std::int64_t serial_ = 0;
};

/// A member that is no client: rests, and says who coordinates.
void rest(Session& session, SuccessionBoard& board) {
    const auto ns = [](double ms) { return static_cast<std::int64_t>(ms * 1e6); };
    auto& place = board.places[session.rank().value];
    place.process = ::getpid();
    while (const auto turn = session.next()) {
        if (turn.kind != Turn::rebuilt) continue;
        const auto now = now_ns();
        const World& world = session.world();
        if (world.coordinator == session.rank() && !session.rounds().empty()) {
            const auto& report = session.rounds().back();
            board.parts.at_work = now;
            board.parts.shrink = ns(report.shrink_ms);
            board.parts.build = ns(report.build_ms);
            board.parts.hand_over = ns(report.hand_over_ms);
        }
        place.coordinator = world.coordinator.value;
        place.round = world.round.value;
    }
}

Samples kill_coordinators(Session& session, const SuccessionSettings& settings, SuccessionBoard& board) {
    Samples samples;
    std::thread killing([&] {
        samples = Killer(settings, board, session.controller()).run();
        auto client = session.client(kPatience);
        if (client && client->stop().wait(kPatience)) return;
        session.abort("the client of the benchmark broke off");
    });
    while (session.next()) {
    }
    killing.join();
    return samples;
}

}  // namespace

Samples successions(const SuccessionSettings& settings, const std::string& board_path) {
    if (!on_one_machine(MPI_COMM_WORLD)) {
        complain("succession",
                 "the ranks are on several machines, where a process cannot kill another: start it on one");
        return {};
    }
    auto* board = open_board<SuccessionBoard>(board_path);
    if (board == nullptr) {
        complain(board_path.c_str(), std::strerror(errno));
        return {};
    }
    auto from_launcher = Config::from_environment();
    Config config = from_launcher ? *from_launcher : Config{};
    config.work = Work::requests;  // Engines rest.
    auto session = Session::join(std::move(config));
    if (!session) {
        complain("join", session.error().text);
        return {};
    }
    if (session->is_client()) return kill_coordinators(*session, settings, *board);
    rest(*session, *board);
    return {};
}

}  // namespace muster::bench
