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
#include "server_waves.hpp"

namespace {

using namespace std::chrono_literals;
using muster::Session;
using muster::Signal;
using muster::State;
using muster::Turn;
using server::Asker;
using server::Engine;
using server::options;
using server::wrong;

std::atomic<std::size_t> clients_left{0};

void refused(Session& session, const char* what, muster::Operation operation) {
    const auto ended = operation.wait(5s);
    if (ended || ended.error().fault != muster::Fault::refused)
        wrong(session, std::string(what) + " was not refused");
    else
        std::printf("refused %s: %s\n", what, ended.error().text.c_str());
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
    if (mode == "waves") server::Bursts(session, asker).run();
    if (mode == "one-group") server::Bursts(session, asker).one_group();
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
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
    };
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
    std::printf(
        "rank %u %s forwards %lu dummies %lu votes %lu rests %lu suspends %u resumes %u cpu %.2f%% reason '%s' "
        "crossed%s\n",
        session->rank().value, name_of(session->ending().code), turns.forward, turns.dummy_forward, turns.votes,
        turns.rests, suspends, resumes, 100 * (cpu_seconds() - cpu_begin) / seconds, session->ending().reason.c_str(),
        log.c_str());
    std::fflush(stdout);
    return 0;
}
