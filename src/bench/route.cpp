// SPDX-License-Identifier: Apache-2.0
#include "bench/route.hpp"

#include <mpi.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <deque>
#include <thread>

#include "bench/board.hpp"
#include "muster/session.hpp"

namespace muster::bench {
namespace {

constexpr auto kPatience = std::chrono::seconds(30);
enum Tag : int { request_tag = 1, reply_tag = 2, end_tag = 3, result_tag = 4 };
enum Row : std::size_t { per_request, round_trip, cpu, rows };
using Rows = std::array<std::vector<double>, rows>;

struct Places {
    int rank = 0, size = 0;
    [[nodiscard]] int client() const { return size - 1; }
    [[nodiscard]] int engines() const { return size - 1; }
    [[nodiscard]] bool is_client() const { return rank == client(); }
};

// The bare loop: every message is received and sent on, as large as it is.

/// Coordinator and first engine: hands requests round, replies on to the client.
void bare_coordinator(const Places& at, int bytes) {
    std::vector<char> buffer(static_cast<std::size_t>(bytes));
    int next = 0;
    for (;;) {
        MPI_Status status;
        MPI_Recv(buffer.data(), bytes, MPI_BYTE, MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &status);
        if (status.MPI_TAG == end_tag) break;
        const int engine = next % at.engines();
        if (status.MPI_TAG == request_tag) ++next;
        if (status.MPI_TAG == reply_tag || engine == 0)
            MPI_Send(buffer.data(), bytes, MPI_BYTE, at.client(), reply_tag, MPI_COMM_WORLD);
        else
            MPI_Send(buffer.data(), bytes, MPI_BYTE, engine, request_tag, MPI_COMM_WORLD);
    }
    for (int engine = 1; engine < at.engines(); ++engine)
        MPI_Send(nullptr, 0, MPI_BYTE, engine, end_tag, MPI_COMM_WORLD);
}

void bare_engine(int bytes) {
    std::vector<char> buffer(static_cast<std::size_t>(bytes));
    for (;;) {
        MPI_Status status;
        MPI_Recv(buffer.data(), bytes, MPI_BYTE, 0, MPI_ANY_TAG, MPI_COMM_WORLD, &status);
        if (status.MPI_TAG == end_tag) return;
        MPI_Send(buffer.data(), bytes, MPI_BYTE, 0, reply_tag, MPI_COMM_WORLD);
    }
}

/// So many requests with at most `window` open. How long it took, in ns.
std::int64_t bare_requests(int count, int window, int bytes) {
    std::vector<char> buffer(static_cast<std::size_t>(bytes));
    const auto begin = now_ns();
    for (int sent = 0, answered = 0; answered < count;) {
        for (; sent < count && sent - answered < window; ++sent)
            MPI_Send(buffer.data(), bytes, MPI_BYTE, 0, request_tag, MPI_COMM_WORLD);
        MPI_Recv(buffer.data(), bytes, MPI_BYTE, 0, reply_tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        ++answered;
    }
    return now_ns() - begin;
}

void bare_client(const RouteSettings& settings, Rows& into) {
    (void)bare_requests(settings.window * 4, settings.window, settings.bytes);
    for (int block = 0; block < settings.blocks; ++block)
        into[per_request].push_back(us(bare_requests(settings.requests, settings.window, settings.bytes)) /
                                    settings.requests);
    for (int i = 0; i < settings.round_trips; ++i) into[round_trip].push_back(us(bare_requests(1, 1, settings.bytes)));
    MPI_Send(nullptr, 0, MPI_BYTE, 0, end_tag, MPI_COMM_WORLD);
}

// Through muster.

/// The first byte of a request: rank 0 says what CPU time it has had.
constexpr std::byte kPlain{0}, kTellCpu{1};

Bytes answer_to(const Request& request) {
    if (request.bytes.empty() || request.bytes.front() != kTellCpu) return request.bytes;
    Bytes answer(sizeof(std::int64_t));
    const auto had = cpu_ns();
    std::memcpy(answer.data(), &had, sizeof had);
    return answer;
}

bool run_engine(Session& session) {
    while (const auto turn = session.next())
        for (const auto& request : turn.requests)
            if (const auto replied = session.reply(request, answer_to(request)); !replied)
                std::fprintf(stderr, "muster-bench: reply: %s\n", replied.error().text.c_str());
    return session.ending().code == ExitCode::finished || session.ending().code == ExitCode::stopped;
}

/// As bare_requests(); nothing where the job broke off.
std::optional<std::int64_t> requests(Client& client, int count, int window, int bytes) {
    const Bytes request(static_cast<std::size_t>(bytes), kPlain);
    const auto begin = now_ns();
    for (int sent = 0, answered = 0; answered < count;) {
        for (; sent < count && sent - answered < window; ++sent)
            if (!client.submit(request)) return std::nullopt;
        const auto reply = client.next(kPatience);
        if (!reply || reply->error) return std::nullopt;
        ++answered;
    }
    return now_ns() - begin;
}

/// CPU time of rank 0, whose engine is at slot 0.
std::optional<std::int64_t> coordinator_cpu(Client& client) {
    const auto id = client.submit(Bytes{kTellCpu}, SubmitOptions{.engine = Slot{0}});
    if (!id) return std::nullopt;
    const auto reply = client.wait(*id, kPatience);
    if (!reply || reply->error || reply->bytes.size() != sizeof(std::int64_t)) return std::nullopt;
    std::int64_t had = 0;
    std::memcpy(&had, reply->bytes.data(), sizeof had);
    return had;
}

bool run_client(Client& client, const RouteSettings& settings, Rows& into) {
    if (!requests(client, settings.window * 4, settings.window, settings.bytes)) return false;
    for (int block = 0; block < settings.blocks; ++block) {
        const auto before = coordinator_cpu(client);
        const auto took = requests(client, settings.requests, settings.window, settings.bytes);
        const auto after = coordinator_cpu(client);
        if (!before || !took || !after) return false;
        into[per_request].push_back(us(*took) / settings.requests);
        into[cpu].push_back(us(*after - *before) / settings.requests);
    }
    for (int i = 0; i < settings.round_trips; ++i) {
        const auto took = requests(client, 1, 1, settings.bytes);
        if (!took) return false;
        into[round_trip].push_back(us(*took));
    }
    return true;
}

bool run_session(const RouteSettings& settings, Rows& into) {
    auto from_launcher = Config::from_environment();
    Config config = from_launcher ? *from_launcher : Config{};
    config.work = Work::requests;
    config.clients = 1;
    config.group_size = 1;
    auto session = Session::join(std::move(config));
    if (!session) {
        std::fprintf(stderr, "muster-bench: %s\n", session.error().text.c_str());
        return false;
    }
    if (!session->is_client()) return run_engine(*session);
    bool whole = false;
    std::thread asking([&] {
        auto client = session->client(kPatience);
        whole = client && run_client(*client, settings, into);
        if (client && client->stop().wait(kPatience)) return;
        session->abort("the client of the benchmark broke off");
    });
    while (session->next()) {
    }
    asking.join();
    return whole;
}

/// The client's rows, for rank 0.
void hand_over(const Places& at, std::vector<double>& row) {
    auto size = static_cast<int>(row.size());
    if (at.is_client()) {
        MPI_Send(&size, 1, MPI_INT, 0, result_tag, MPI_COMM_WORLD);
        MPI_Send(row.data(), size, MPI_DOUBLE, 0, result_tag, MPI_COMM_WORLD);
    } else if (at.rank == 0) {
        MPI_Recv(&size, 1, MPI_INT, at.client(), result_tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        row.resize(static_cast<std::size_t>(size));
        MPI_Recv(row.data(), size, MPI_DOUBLE, at.client(), result_tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    }
}

}  // namespace

Samples route(const RouteSettings& settings) {
    Places at;
    MPI_Comm_rank(MPI_COMM_WORLD, &at.rank);
    MPI_Comm_size(MPI_COMM_WORLD, &at.size);
    Rows bare, ours;
    const auto cpu_before = cpu_ns();
    if (at.is_client())
        bare_client(settings, bare);
    else if (at.rank == 0)
        bare_coordinator(at, settings.bytes);
    else
        bare_engine(settings.bytes);
    const double had = us(cpu_ns() - cpu_before);
    MPI_Barrier(MPI_COMM_WORLD);
    const bool whole = run_session(settings, ours);
    for (auto* row : {&bare[per_request], &bare[round_trip], &ours[per_request], &ours[round_trip], &ours[cpu]})
        hand_over(at, *row);
    if (!whole || at.rank != 0) return {};
    const double served = settings.requests * settings.blocks + settings.window * 4 + settings.round_trips;
    return {{"bare_request", bare[per_request]},      {"request", ours[per_request]},
            {"bare_round_trip", bare[round_trip]},    {"round_trip", ours[round_trip]},
            {"bare_coordinator_cpu", {had / served}}, {"coordinator_cpu", ours[cpu]}};
}

}  // namespace muster::bench
