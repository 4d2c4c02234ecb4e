// SPDX-License-Identifier: Apache-2.0
// A classifier that serves while it is paused, suspended, resumed and stopped, and while its ranks die. See engine.hpp
// for the servers' side, operator.hpp and traffic.hpp for the client's.

#include <chrono>
#include <cstdio>
#include <ctime>
#include <iostream>
#include <optional>
#include <thread>

#include "muster/session.hpp"
#include "serve/deployment.hpp"
#include "serve/engine.hpp"
#include "serve/operator.hpp"
#include "serve/options.hpp"
#include "serve/report.hpp"
#include "serve/traffic.hpp"

namespace {

int fail(muster::ExitCode code, const std::string& text) {
    std::cerr << "serve: " << text << "\n";
    return static_cast<int>(code);
}

int ended(const muster::Session& session) {
    const auto& ending = session.ending();
    return ending.code == muster::ExitCode::finished ? 0 : fail(ending.code, ending.reason);
}

/// Of this process, both threads of it.
double cpu_seconds() {
    timespec had{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &had);
    return static_cast<double>(had.tv_sec) + 1e-9 * static_cast<double>(had.tv_nsec);
}

int run_engine(muster::Session& session, serve::Memory& memory, const serve::Options& options) {
    serve::Engine engine(session, memory, options);
    const auto begun = std::chrono::steady_clock::now();
    const auto cpu_before = cpu_seconds();
    while (const auto turn = session.next()) engine.take(turn);
    const std::chrono::duration<double> lived = std::chrono::steady_clock::now() - begun;
    const auto& turns = session.turns();
    if (options.only_slots > 0)
        std::fprintf(stderr, "serve: rank %u: %llu forwards, %llu dummy forwards, %.1f %% of a core\n",
                     session.rank().value, static_cast<unsigned long long>(turns.forward),
                     static_cast<unsigned long long>(turns.dummy_forward),
                     100 * (cpu_seconds() - cpu_before) / lived.count());
    return ended(session);
}

/// The client's own threads: one sends and receives, one is the operator's.
serve::Report converse(muster::Session& session, serve::Traffic& traffic, serve::Tally& tally,
                       const serve::Options& options) {
    serve::Report report;
    auto client = session.client();
    if (!client) {
        report.traffic.failures.push_back("client: " + client.error().text);
        session.abort("client: " + client.error().text);
        return report;
    }
    serve::Deployment deployment(session.controller(), tally, options);
    if (!options.replicas.empty() && !deployment.begin()) {
        report.deployment = deployment.report();
        session.abort("deployment: " + *report.deployment.failure);
        return report;
    }
    std::thread deploying([&] {
        if (!options.replicas.empty() && !deployment.run())
            session.abort("deployment: " + *deployment.report().failure);
        tally.deployed();
    });
    std::thread operating([&] {
        report.signals = serve::Operator(*client, tally, options).run();
        if (report.signals.failure) session.abort("operator: " + *report.signals.failure);
    });
    report.traffic = traffic.run(*client);
    operating.join();
    deploying.join();
    report.deployment = deployment.report();
    return report;
}

int run_client(muster::Session& session, const moe::Dataset& data, const std::vector<float>& weights,
               const serve::Options& options) {
    serve::Tally tally;
    serve::Traffic traffic(data, weights, options, tally);
    serve::Report report;
    std::thread conversing([&] { report = converse(session, traffic, tally, options); });
    while (session.next()) {
    }
    conversing.join();
    report.rounds = session.rounds();
    const auto problems = serve::problems_of(report, options);
    if (!serve::show(report, problems, options))
        return fail(muster::ExitCode::bad_usage, "the result cannot be written");
    if (const int code = ended(session); code != 0) return code;
    return problems.empty() ? 0 : 1;
}

int run(const serve::Options& options) {
    const auto data = moe::Dataset::load(options.data);
    if (!data) return fail(muster::ExitCode::bad_usage, data.error().text);
    auto config = muster::Config::from_environment();
    if (!config) return fail(muster::ExitCode::bad_usage, config.error().text);
    if (config->clients != 1 || config->work != muster::Work::requests)
        return fail(muster::ExitCode::bad_usage,
                    "this program needs one client and engines that wait for requests: --clients 1 --work requests for "
                    "muster run, MUSTER_CLIENTS=1 MUSTER_WORK=requests for mpirun");
    if (config->controller == options.replicas.empty())
        return fail(muster::ExitCode::bad_usage,
                    "a job with a controller (--controller for muster run) needs --replicas, and no other one does");
    const auto weights = serve::trained_weights(*data);
    auto memory = serve::Memory::allocate(weights, options.cache_mib);
    if (!memory) return fail(muster::ExitCode::bad_usage, memory.error().text);
    auto session = muster::Session::join(*config);
    if (!session) return fail(muster::ExitCode::launcher_failed, session.error().text);
    const auto& clients = session->world().clients;
    const bool is_client = clients.size() == 1 && clients.front() == session->rank();
    return is_client ? run_client(*session, *data, weights, options) : run_engine(*session, *memory, options);
}

}  // namespace

int main(int argc, char** argv) {
    const auto options = serve::parse_options(argc, argv);
    if (const int* code = std::get_if<int>(&options)) return *code;
    return run(std::get<serve::Options>(options));
}
