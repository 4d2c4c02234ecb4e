// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The engine of the server program (server.cpp), and what it says where something is wrong.
#include <mpi.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "muster/mpi.hpp"

namespace server {

using muster::Session;
using muster::Turn;

inline std::map<std::string, long> options{{"cycles", 20},  {"seed", 1},      {"requests", 200}, {"hold-us", 0},
                                           {"wait", 1},     {"work-us", 200}, {"deadline", 20},  {"skip", -1},
                                           {"waves", 1000}, {"group-size", 4}};

inline void wrong(const Session& session, const std::string& what) {
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

}  // namespace server
