// SPDX-License-Identifier: Apache-2.0
#include "bench/serving.hpp"

#include <array>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <thread>
#include <utility>

#include "bench/board.hpp"
#include "muster/mpi.hpp"
#include "muster/session.hpp"

namespace muster::bench {
namespace {

constexpr auto kPatience = std::chrono::seconds(30);

/// A number on its way in a request or a reply, between processes of one machine.
std::array<std::byte, sizeof(std::int64_t)> bytes_of(std::int64_t number) {
    std::array<std::byte, sizeof number> bytes{};
    std::memcpy(bytes.data(), &number, sizeof number);
    return bytes;
}

std::int64_t number_in(const Bytes& bytes) {
    std::int64_t number = 0;
    if (bytes.size() == sizeof number) std::memcpy(&number, bytes.data(), sizeof number);
    return number;
}

/// The operator's thread.
void run_operator(Session& session, const std::function<void(Client&)>& operate) {
    auto client = session.client(kPatience);
    if (!client) return session.abort("no client: " + client.error().text);
    operate(*client);
    if (const auto stopped = client->stop().wait(kPatience); !stopped && stopped.error().fault != Fault::ended)
        session.abort("stop: " + stopped.error().text);
}

/// Only who got the request knows the command: all agree on it first.
void take_turn(Session& session, const Turn& turn, MPI_Comm comm, const std::function<void(Command, MPI_Comm)>& work) {
    const auto began = now_ns();
    Command command = turn.requests.empty() ? 0 : number_in(turn.requests.front().bytes);
    MPI_Allreduce(MPI_IN_PLACE, &command, 1, MPI_INT64_T, MPI_MAX, comm);
    if (command > 0) work(command, comm);
    for (const auto& request : turn.requests)
        if (const auto replied = session.reply(request, bytes_of(began)); !replied)
            std::fprintf(stderr, "muster-bench: reply: %s\n", replied.error().text.c_str());
}

bool run_engine(Session& session, const std::function<void(Command, MPI_Comm)>& work) {
    MPI_Comm comm = MPI_COMM_NULL;
    bool whole = true;
    while (const auto turn = session.next()) {
        if (turn.kind == Turn::rebuilt) {
            whole = whole && comm == MPI_COMM_NULL;  // A second round: somebody died who should not.
            if (whole) MPI_Comm_dup(communicator(session), &comm);
        } else if (whole && (turn.kind == Turn::forward || turn.kind == Turn::dummy_forward)) {
            take_turn(session, turn, comm, work);
        }
    }
    if (comm != MPI_COMM_NULL) MPI_Comm_free(&comm);
    return whole && (session.ending().code == ExitCode::finished || session.ending().code == ExitCode::stopped);
}

}  // namespace

std::optional<std::int64_t> ask(Client& client, Command command) {
    const auto id = client.submit(bytes_of(command));
    if (!id) return std::nullopt;
    const auto reply = client.wait(*id, kPatience);
    if (!reply || reply->error) return std::nullopt;
    return number_in(reply->bytes);
}

bool serve(const std::function<void(Client&)>& operate, const std::function<void(Command, MPI_Comm)>& turn) {
    int rank = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    auto from_launcher = Config::from_environment();
    Config config = from_launcher ? *from_launcher : Config{};
    config.work = Work::requests;
    config.group_size = 0;
    config.consensus = ConsensusMode::blocking;
    auto session = Session::join(std::move(config));
    if (!session) {
        std::fprintf(stderr, "muster-bench: rank %d: %s\n", rank, session.error().text.c_str());
        return false;
    }
    std::thread operating;
    if (rank == 0) operating = std::thread([&] { run_operator(*session, operate); });
    const bool whole = run_engine(*session, turn);
    if (operating.joinable()) operating.join();
    if (!whole) std::fprintf(stderr, "muster-bench: rank %d: %s\n", rank, session->ending().reason.c_str());
    return whole;
}

}  // namespace muster::bench
