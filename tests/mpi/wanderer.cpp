// SPDX-License-Identifier: Apache-2.0
/// Members of a rendezvous that will not keep still, for tests/mpi/rounds.py: wanderer FOLDER ROUNDS SEED.
/// While they step and commit, a thread in each asks at random moments for a new round, or gives its slot up for a
/// while. What a member sees of each round goes to FOLDER/RANK as a JSON line, written at once, so that it outlives the
/// process; so does everything that is broken ("wrong"). In each round the store must be empty at first, and the last
/// round's store must refuse by name.
#include <fcntl.h>
#include <mpi.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <random>
#include <string>
#include <thread>

#include "muster/mpi.hpp"

namespace {

using namespace std::chrono_literals;
using muster::Fault;
using muster::Rank;
using muster::Session;
using muster::World;

/// Lines that are on disk before the next call, whatever happens to this process then.
class Log {
public:
    explicit Log(const std::string& path) : file_(::open(path.c_str(), O_CREAT | O_WRONLY | O_APPEND, 0644)) {}
    void line(const std::string& text) const {
        const std::string whole = "{" + text + "}\n";
        if (::write(file_, whole.data(), whole.size()) != static_cast<ssize_t>(whole.size())) std::abort();
    }
    void wrong(const std::string& what) const { line("\"wrong\":\"" + what + "\""); }

private:
    int file_;
};

std::string list(const std::vector<Rank>& ranks) {
    std::string text;
    for (const Rank rank : ranks) text += (text.empty() ? "" : ",") + std::to_string(rank.value);
    return "[" + text + "]";
}

void tell(const Log& log, const World& world) {
    log.line("\"round\":" + std::to_string(world.round.value) + ",\"slot\":" +
             (world.slot ? std::to_string(world.slot->value) : "null") + ",\"world\":" + list(world.ranks) +
             ",\"standbys\":" + list(world.standbys) + ",\"coordinator\":" + std::to_string(world.coordinator.value));
}

/// The round may end under any call; then the next turn says so.
bool excused(const Session& session, const muster::Error& error) {
    return error.fault == Fault::ended || error.text.find("the job is in round") != std::string::npos ||
           session.interrupted();
}

/// The first of a round finds its store empty, and whoever comes later finds a name of this round.
void look_at(const Session& session, const Log& log, muster::Store& store) {
    const std::string round = std::to_string(session.world().round.value);
    const auto first = store.compare_set("round", {}, std::as_bytes(std::span(round)), 20s);
    if (!first) {
        if (!excused(session, first.error())) log.wrong("the store of round " + round + ": " + first.error().text);
        return;
    }
    const auto* text = first->value ? reinterpret_cast<const char*>(first->value->data()) : "";
    const std::string found(text, first->value ? first->value->size() : 0);
    if (found != round) log.wrong("the store of round " + round + " has a key of round " + found);
    const auto keys = store.num_keys(20s);
    if (keys && *keys != 1) log.wrong("the store of round " + round + " has " + std::to_string(*keys) + " keys");
}

bool is_fenced(const Session& session, const Log& log, muster::Store& old) {
    const auto got = old.get("round", 20s);
    if (got) return log.wrong("the store of round " + std::to_string(old.round().value) + " answers later"), false;
    const bool by_name = got.error().text.find("is of round " + std::to_string(old.round().value)) != std::string::npos;
    if (!by_name && !excused(session, got.error())) log.wrong("an old store: " + got.error().text);
    return by_name;
}

/// Asks for rounds, parks and comes back, until it is told to stop.
class Mischief {
public:
    Mischief(Session& session, unsigned seed) : session_(session), dice_(seed), thread_([this] { run(); }) {}
    ~Mischief() { stop(); }
    void stop() {
        {
            const std::scoped_lock lock(mutex_);
            stopped_ = true;
        }
        wake_.notify_all();
        if (thread_.joinable()) thread_.join();
    }

private:
    /// False once it is over.
    bool pause(int least_ms, int most_ms) {
        std::unique_lock lock(mutex_);
        const auto span = std::chrono::milliseconds(std::uniform_int_distribution(least_ms, most_ms)(dice_));
        return !wake_.wait_for(lock, span, [this] { return stopped_; });
    }
    void run() {
        while (pause(300, 3000)) {
            if (std::bernoulli_distribution(0.6)(dice_)) {
                session_.regroup();
                continue;
            }
            session_.park();
            (void)pause(50, 500);
            session_.unpark();
        }
        session_.unpark();
    }
    Session& session_;
    std::mt19937 dice_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool stopped_ = false;
    std::thread thread_;
};

/// One step of the world's: whoever lags or is stopped is waited for here, and the agent frees those who wait.
bool forward(const Session& session) {
    int one = 1, sum = 0;
    return MPI_Allreduce(&one, &sum, 1, MPI_INT, MPI_SUM, muster::communicator(session)) == MPI_SUCCESS;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) return std::fprintf(stderr, "wanderer FOLDER ROUNDS SEED\n"), 2;
    const auto last = static_cast<std::uint32_t>(std::strtoul(argv[2], nullptr, 10));
    auto config = *muster::Config::from_environment();
    std::unique_ptr<Log> log;
    config.hooks.world_changed = [&log](const World& world) {
        if (log) tell(*log, world);
    };
    auto session = Session::join(std::move(config));
    if (!session) return std::fprintf(stderr, "wanderer: %s\n", session.error().text.c_str()), 2;
    const auto rank = session->rank().value;
    log = std::make_unique<Log>(std::string(argv[1]) + "/" + std::to_string(rank));
    log->line("\"rank\":" + std::to_string(rank) + ",\"pid\":" + std::to_string(::getpid()));
    Mischief mischief(*session, static_cast<unsigned>(std::strtoul(argv[3], nullptr, 10)) * 1000 + rank);

    std::shared_ptr<muster::Store> store;
    std::uint64_t step = 0, fenced = 0;
    while (const auto turn = session->next()) {
        const auto& world = session->world();
        if (turn.kind == muster::Turn::rebuilt) {
            step = world.step ? world.step->value : 0;
            const auto old = std::exchange(store, session->store());
            if (old && is_fenced(*session, *log, *old)) ++fenced;
            look_at(*session, *log, *store);
            if (world.round.value >= last) mischief.stop();
        } else if (world.round.value >= last) {
            session->leave();
        } else if (forward(*session) && session->commit(muster::Step{step + 1})) {
            ++step;
        }
    }
    mischief.stop();
    std::string rounds;  // Also those that were over before this member's engine could look.
    for (const auto& one : session->rounds())
        rounds +=
            (rounds.empty() ? "[" : ",[") + std::to_string(one.from.value) + "," + std::to_string(one.to.value) + "]";
    log->line("\"rounds\":[" + rounds + "]");
    log->line("\"ended\":\"" + std::string(name_of(session->ending().code)) + "\",\"step\":" + std::to_string(step) +
              ",\"fenced\":" + std::to_string(fenced) + ",\"reason\":\"" + session->ending().reason + "\"");
    return 0;
}
