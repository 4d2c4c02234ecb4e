// SPDX-License-Identifier: Apache-2.0
/// Backends with replicas in a running job, for tests/mpi/replicas.py: deployer MODE. The last rank is the client,
/// which makes the controller's calls (deployer_client.hpp); all others are engines or standbys. An engine's answer
/// says who it is, and so which backend and which version of it; every forward is an all-reduce over the replica's
/// members. A backend's replica_config is a number, the factor by which its engines multiply, or "no", which they
/// refuse.
#include <mpi.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <deque>
#include <string>
#include <thread>

#include "deployer_client.hpp"
#include "muster/mpi.hpp"

namespace {

using deployer::Asked;
using deployer::Said;
using muster::Session;
using muster::Turn;

class Engine {
public:
    explicit Engine(Session& session) : session_(session) {}
    ~Engine() { std::printf("rank %u answered %lu copies %lu\n", session_.rank().value, answered_, copies_); }

    void take(const Turn& turn) {
        if (turn.kind == Turn::rebuilt) return enter();
        for (const auto& request : turn.requests) open_.push_back(request);
        if (turn.kind == Turn::forward || turn.kind == Turn::dummy_forward) forward();
    }

private:
    /// All members of a group are of one replica and know it by the same config.
    void enter() {
        const auto replica = session_.replica();
        factor_ = replica ? std::stoul(replica->config) : 0;
        if (replica.has_value() != session_.world().replica.has_value()) wrong("it does not know its replica");
    }
    void forward() {
        std::uint64_t own = session_.world().replica ? session_.world().replica->value : 0, sum = 0;
        const auto comm = muster::group_communicator(session_);
        if (MPI_Allreduce(&own, &sum, 1, MPI_UINT64_T, MPI_SUM, comm) != MPI_SUCCESS) return;
        if (sum != own * session_.world().group_size) wrong("its group has others in it");
        if (!open_.empty()) answer();
    }
    void answer() {
        const auto request = std::move(open_.front());
        open_.pop_front();
        Asked asked;
        std::memcpy(&asked, request.bytes.data(), sizeof asked);
        if (asked.kills == session_.rank().value + 1) (void)std::raise(SIGKILL);
        std::this_thread::sleep_for(std::chrono::milliseconds(asked.takes_ms));
        const auto replica = session_.replica();
        if (!replica) return wrong("an idle engine has a request");
        Said said{asked.value * factor_, replica->id.value, replica->version, session_.rank().value, 0, {}};
        std::snprintf(said.backend, sizeof said.backend, "%s", replica->backend.c_str());
        ++(request.client.value > session_.rank().value + 1'000 ? copies_ : answered_);
        (void)session_.reply(request, std::as_bytes(std::span(&said, 1)));
    }
    void wrong(const char* what) const {
        std::printf("WRONG rank %u in round %u: %s\n", session_.rank().value, session_.world().round.value, what);
    }

    Session& session_;
    std::uint64_t factor_ = 0;
    std::deque<muster::Request> open_;
    std::uint64_t answered_ = 0, copies_ = 0;
};

/// Ranks are spread over three nodes, as far as the placement knows.
std::string location() {
    const char* rank = std::getenv("OMPI_COMM_WORLD_RANK");
    return "rack/node" + std::to_string(rank == nullptr ? 0 : std::atoi(rank) % 3);
}

muster::Result<muster::Done> prepare(const muster::ReplicaInfo& info) {
    if (info.config == "\"no\"") return muster::Error{muster::Fault::refused, "it was told to refuse"};
    return muster::Done{};
}

}  // namespace

int main(int argc, char** argv) {
    (void)std::setvbuf(stdout, nullptr, _IOLBF, 0);  // What was said is there, whatever happens next.
    if (argc != 2) return std::fprintf(stderr, "deployer MODE\n"), 2;
    auto config = *muster::Config::from_environment();
    config.location = location();
    config.hooks.prepare = prepare;
    auto session = Session::join(std::move(config));
    if (!session) return std::fprintf(stderr, "deployer: %s\n", session.error().text.c_str()), 2;
    if (!session->is_client()) {
        Engine engine(*session);
        while (const auto turn = session->next()) engine.take(turn);
        return 0;
    }
    std::thread asking([&] { deployer::ask(*session, argv[1]); });
    while (session->next()) {
    }
    asking.join();
    return 0;
}
