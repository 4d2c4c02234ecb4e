// SPDX-License-Identifier: Apache-2.0
/// Engines that serve requests in lockstep and clients that pause, suspend and stop them, for tests/mpi/lifecycle.py:
/// server MODE [key=value ...]. Every forward and dummy forward is one all-reduce over the lockstep group, so a missing
/// one would hang it, and each counts how many of the group had work, so one too many is seen.
/// Prints lines "rank R ..." at the end; what is broken is said in lines that begin with WRONG.
#include <mpi.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <random>
#include <set>
#include <string>
#include <thread>

#include "muster/mpi.hpp"

namespace {

using namespace std::chrono_literals;
using muster::Session;
using muster::Signal;
using muster::State;
using muster::Turn;

std::map<std::string, long> options{{"cycles", 20}, {"seed", 1},      {"requests", 200}, {"hold-us", 0},
                                    {"wait", 1},    {"work-us", 200}, {"deadline", 20},  {"skip", -1}};

std::atomic<std::size_t> clients_left{0};

void wrong(const Session& session, const std::string& what) {
    std::printf("WRONG rank %u round %u: %s\n", session.rank().value, session.world().round.value, what.c_str());
    std::fflush(stdout);
}

/// One engine. Requests hold a number and how many turns they take; the reply is the number's square.
class Engine {
public:
    explicit Engine(Session& session) : session_(session) {}

    void rebuilt() {
        ++rounds_;
        turns_in_round_ = 0;
        if (session_.world().engine_ranks > 1) open_.clear();  // They come again.
    }

    void turn(const Turn& turn) {
        const bool real = turn.kind == Turn::forward;
        for (const auto& request : turn.requests) {
            std::uint64_t number[2] = {};
            if (request.bytes.size() != sizeof number) return wrong(session_, "a request of another size");
            std::memcpy(number, request.bytes.data(), sizeof number);
            open_.push_back({request, number[0], number[1]});
        }
        if (real == open_.empty()) wrong(session_, real ? "a forward without work" : "a dummy forward with work");
        if (options["skip"] == static_cast<long>(turns_) && session_.rank().value == 1) {
            ++turns_;
            return;  // The peers' collective stays without this rank.
        }
        const MPI_Comm group = muster::group_communicator(session_);
        int mine[3] = {real ? 1 : 0, turns_in_round_, -turns_in_round_}, busy = 0, all[3] = {};
        if (MPI_Allreduce(mine, &busy, 1, MPI_INT, MPI_SUM, group) != MPI_SUCCESS) return;
        if (MPI_Allreduce(mine, all, 3, MPI_INT, MPI_MAX, group) != MPI_SUCCESS) return;
        if (busy == 0 && options["exact"] != 0) wrong(session_, "a turn in which nobody of the group had work");
        if (all[1] != -all[2]) wrong(session_, "turns of the group differ");
        // The pause comes for certain while this forward goes on.
        if (real && turns_ == 0 && options["pause-in-forward"] != 0) (void)session_.client()->pause();
        if (options["work-us"] > 0) usleep(static_cast<useconds_t>(options["work-us"]));
        ++turns_;
        ++turns_in_round_;
        for (auto& open : open_) --open.turns;
        std::erase_if(open_, [this](const Open& open) { return open.turns <= 0 && answer(open); });
    }

    [[nodiscard]] std::size_t open() const { return open_.size(); }

private:
    struct Open {
        muster::Request request;
        std::uint64_t number;
        std::uint64_t turns;
    };
    bool answer(const Open& open) {
        const std::uint64_t square[2] = {open.number, open.number * open.number};
        const auto replied = session_.reply(open.request, std::as_bytes(std::span(square)));
        if (!replied) wrong(session_, "reply: " + replied.error().text);
        return true;
    }
    Session& session_;
    std::vector<Open> open_;
    std::uint64_t turns_ = 0;
    int turns_in_round_ = 0;
    unsigned rounds_ = 0;
};

/// A client's day: requests at random, and what the mode makes of signals.
class Asker {
public:
    Asker(Session& session, muster::Client client)
        : session_(session), client_(client), dice_(static_cast<unsigned>(options["seed"])) {}

    void submit(int count) {
        for (int i = 0; i < count; ++i) {
            const std::uint64_t request[2] = {next_++, options["turns"] > 0 ? static_cast<std::uint64_t>(options["turns"]) : 1 + dice_() % 4};
            const auto id = client_.submit(std::as_bytes(std::span(request)));
            if (!id) return wrong(session_, "submit: " + id.error().text);
            sent_[*id] = request[0];
        }
    }

    /// Takes the replies that are here, or waits for all.
    void collect(bool all) {
        while (!sent_.empty()) {
            const auto reply = client_.next(all ? deadline() : 0ms);
            if (!reply) {
                if (all) wrong(session_, std::to_string(sent_.size()) + " requests unanswered: " + reply.error().text);
                return;
            }
            take(*reply);
        }
        if (client_.next(0ms)) wrong(session_, "one reply too many");
    }

    void take(const muster::Reply& reply) {
        const auto sent = sent_.find(reply.id);
        if (sent == sent_.end()) return wrong(session_, "a reply to nothing");
        std::uint64_t square[2] = {};
        if (reply.error)
            wrong(session_, "request " + std::to_string(reply.id.value) + ": " + reply.error->text);
        else if (std::memcpy(square, reply.bytes.data(), std::min(sizeof square, reply.bytes.size()));
                 square[0] != sent->second || square[1] != sent->second * sent->second)
            wrong(session_, "a wrong reply");
        sent_.erase(sent);
        ++answered_;
    }

    void done(const char* what, muster::Operation operation) {
        const auto begun = std::chrono::steady_clock::now();
        if (const auto ended = operation.wait(deadline()); !ended)
            wrong(session_, std::string(what) + ": " + ended.error().text);
        else if (options["times"] != 0)
            std::printf("%s took %.0f us\n", what,
                        std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begun).count());
    }

    /// What is submitted while PAUSED does not come back before UNPAUSE (M7).
    void paused_requests_wait() {
        collect(false);
        const auto before = client_.open_requests();
        submit(3);
        std::this_thread::sleep_for(5ms);
        while (const auto reply = client_.next(0ms)) {
            if (before == 0) wrong(session_, "a reply while PAUSED");
            take(*reply);
        }
        if (client_.open_requests() < 3) wrong(session_, "a request that was made while PAUSED was answered");
    }

    /// Random legal signals; each is waited for, or with wait=0 they are fired one upon the other.
    void cycles() {
        State state = State::running;
        std::vector<std::pair<const char*, muster::Operation>> fired;
        const auto ask = [&](const char* what, muster::Operation operation) {
            if (options["wait"] != 0)
                done(what, operation);
            else
                fired.emplace_back(what, operation);
        };
        for (long i = 0; i < options["cycles"]; ++i) {
            submit(static_cast<int>(dice_() % 4));
            if (state == State::running) {
                ask("pause", client_.pause());
                state = State::paused;
                if (options["wait"] != 0 && dice_() % 8 == 0) paused_requests_wait();
            } else if (state == State::paused && dice_() % 2 == 0) {
                ask("suspend", client_.suspend());
                state = State::suspended;
            } else if (state == State::paused) {
                ask("unpause", client_.unpause());
                state = State::running;
            } else {
                ask("resume", client_.resume());
                state = State::paused;
            }
            collect(false);
            if (fired.size() >= 8) wait_for(fired);
            if (dice_() % 4 == 0) std::this_thread::sleep_for(std::chrono::microseconds(dice_() % 3000));
        }
        wait_for(fired);
        if (state == State::suspended) done("resume", client_.resume());
        if (state != State::running) done("unpause", client_.unpause());
        collect(true);
    }

    void wait_for(std::vector<std::pair<const char*, muster::Operation>>& fired) {
        for (auto& [what, operation] : fired) done(what, operation);
        fired.clear();
    }

    /// Every transition once, with requests before, between and after.
    void round_trip() {
        submit(8);
        done("pause", client_.pause());
        submit(4);
        done("suspend", client_.suspend());
        submit(4);
        done("resume", client_.resume());
        done("unpause", client_.unpause());
        submit(8);
        collect(true);
    }

    void stop() { done("stop", client_.stop()); }

    static std::chrono::milliseconds deadline() { return std::chrono::seconds(options["deadline"]); }
    [[nodiscard]] std::uint64_t answered() const { return answered_; }
    muster::Client& client() { return client_; }

private:
    Session& session_;
    muster::Client client_;
    std::mt19937 dice_;
    std::uint64_t next_ = 1, answered_ = 0;
    std::map<muster::RequestId, std::uint64_t> sent_;
};

void refused(Session& session, const char* what, muster::Operation operation) {
    const auto ended = operation.wait(5s);
    if (ended || ended.error().fault != muster::Fault::refused) wrong(session, std::string(what) + " was not refused");
    else std::printf("refused %s: %s\n", what, ended.error().text.c_str());
}

/// M3, M12, M15, M19: repeats and what is illegal.
void illegal(Session& session, Asker& asker) {
    auto& client = asker.client();
    for (const auto signal : {Signal::unpause, Signal::suspend, Signal::resume, Signal::stop})
        refused(session, name_of(signal), client.signal(signal));
    asker.done("pause", client.pause());
    asker.done("pause again", client.pause());
    refused(session, "RESUME in PAUSED", client.signal(Signal::resume));
    asker.done("suspend", client.signal(Signal::suspend));
    asker.done("pause in SUSPENDED", client.pause());
    refused(session, "SUSPEND in SUSPENDED", client.signal(Signal::suspend));
    asker.done("compound suspend again", client.suspend());
    refused(session, "UNPAUSE in SUSPENDED", client.unpause());
    asker.done("resume", client.resume());
    asker.done("unpause", client.unpause());
    asker.submit(5);
    asker.collect(true);
}

/// M18: after STOP the coordinator is RUNNING without engines; a start brings them back; the end is asked for.
void stay(Session& session, Asker& asker) {
    auto& client = asker.client();
    const auto id = client.submit(std::span<const std::byte>());
    if (!id) return wrong(session, "submit: " + id.error().text);
    const auto none = client.wait(*id, 2s);
    if (!none || !none->error || none->error->text != "No engines connected")
        wrong(session, "a request without engines was not refused at once");
    refused(session, "PAUSE without engines", client.pause());
    asker.done("start", client.signal(Signal::start));
    asker.submit(7);
    asker.collect(true);
    asker.stop();
    session.stop(muster::ExitCode::finished, "shut down");
}

void ask(Session& session, const std::string& mode) {
    auto client = session.client(30s);
    if (!client) return wrong(session, "client: " + client.error().text);
    Asker asker(session, *client);
    if (mode == "cycles") asker.cycles();
    if (mode == "round-trip") asker.round_trip();
    if (mode == "illegal") illegal(session, asker);
    if (mode == "requests") {
        asker.submit(static_cast<int>(options["requests"]));
        asker.collect(true);
    }
    if (mode == "idle") std::this_thread::sleep_for(std::chrono::milliseconds(options["idle-ms"]));
    if (mode == "vanish" && session.rank().value == 4) {
        asker.submit(20);
        (void)client->pause();
        std::raise(SIGKILL);
    }
    if (mode == "vanish") {
        while (clients_left > 1) std::this_thread::sleep_for(1ms);
        asker.round_trip();
    }
    if (mode == "member-asks") {
        asker.submit(20);
        asker.collect(true);
        // The client pauses when it is done, the engine's process waits for that and stops.
        if (session.is_client())
            asker.done("pause", client->pause());
        else if (const auto paused = session.wait_for(State::paused, 20s); !paused)
            wrong(session, "wait_for: " + paused.error().text);
        if (session.wait_for(State::pausing, 1s)) wrong(session, "a state that passes was waited for");
        if (session.is_client()) return std::printf("client 4 answered %lu\n", asker.answered()), void();
    }
    if (mode == "posix") return;  // Somebody sends signals of the system.
    if (mode == "late-barrier") {
        asker.submit(1);
        if (const auto first = client->next(Asker::deadline())) asker.take(*first);
        asker.done("pause", client->pause());
        asker.done("unpause", client->unpause());
    }
    asker.stop();
    if (mode == "stay") stay(session, asker);
    if (const auto id = client->submit(std::span<const std::byte>()); id && mode != "stay")
        if (const auto late = client->wait(*id, 5s); late && !late->error) wrong(session, "a reply after STOP");
    std::printf("client %u answered %lu\n", session.rank().value, asker.answered());
}

double cpu_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) { return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec); };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

int main(int argc, char** argv) {
    const std::string mode = argc > 1 ? argv[1] : "requests";
    for (int i = 2; i < argc; ++i) {
        const std::string text = argv[i];
        const auto equals = text.find('=');
        if (equals == std::string::npos) return std::fprintf(stderr, "server: %s is not key=value\n", argv[i]), 2;
        options[text.substr(0, equals)] = std::strtol(text.c_str() + equals + 1, nullptr, 10);
    }
    auto config = muster::Config::from_environment();
    if (!config) return std::fprintf(stderr, "server: %s\n", config.error().text.c_str()), 2;
    // Votes that come late or seldom let a turn or more follow the last piece of work.
    options["exact"] = config->consensus != muster::ConsensusMode::overlapped && config->consensus_every == 1 ? 1 : 0;
    if (options["layout"] != 0)  // Engines e, e + groups, ... work in lockstep.
        config->layout = [size = config->group_size](std::uint32_t e, std::uint32_t n) { return e % (n / size); };
    std::string log;
    config->hooks.crossed = [&](std::uint64_t barrier, State reached) {
        log += " " + std::to_string(barrier) + ":" + name_of(reached);
        if (mode == "posix") std::printf("crossed %lu:%s\n", barrier, name_of(reached)), std::fflush(stdout);
    };
    config->hooks.world_changed = [](const muster::World& world) { clients_left = world.clients.size(); };
    auto session = Session::join(*config);
    if (!session)
        return std::fprintf(stderr, "server: %s: %s\n", name_of(session.error().fault), session.error().text.c_str()),
               2;
    std::thread asker;
    if (session->is_client() || (mode == "member-asks" && session->rank().value == 2))
        asker = std::thread([&] { ask(*session, mode); });
    else if (mode == "posix")
        std::printf("pid of rank %u: %d\n", session->rank().value, getpid()), std::fflush(stdout);
    Engine engine(*session);
    unsigned suspends = 0, resumes = 0;
    const double cpu_begin = cpu_seconds();
    const auto begun = std::chrono::steady_clock::now();
    while (const auto turn = session->next()) switch (turn.kind) {
            case Turn::rebuilt: engine.rebuilt(); break;
            case Turn::suspend: ++suspends; break;
            case Turn::resume: ++resumes; break;
            default: engine.turn(turn);
        }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    if (asker.joinable()) asker.join();
    const auto& turns = session->turns();
    std::printf("rank %u %s forwards %lu dummies %lu votes %lu rests %lu suspends %u resumes %u cpu %.2f%% reason '%s' "
                "crossed%s\n",
                session->rank().value, name_of(session->ending().code), turns.forward, turns.dummy_forward, turns.votes,
                turns.rests, suspends, resumes, 100 * (cpu_seconds() - cpu_begin) / seconds,
                session->ending().reason.c_str(), log.c_str());
    std::fflush(stdout);
    return 0;
}
