// SPDX-License-Identifier: Apache-2.0
/// Members of a job with a controller's seats, for tests/mpi/seats.py: seater FOLDER.
/// While they step and commit, whoever coordinates reads FOLDER/wanted, the replicas that there shall be ("1 2 3", or
/// "end"), and asks for what is missing or too much, by the agent's own entry: a controller of its own is not needed to
/// try rounds. What a member sees of each round goes to FOLDER/RANK as a JSON line, and so does everything that is
/// broken ("wrong"): each step each lockstep group sums up its replicas' ids, and all have the same weights.
#include <fcntl.h>
#include <mpi.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "muster/mpi.hpp"
#include "session/impl.hpp"

namespace {

using muster::Rank;
using muster::Session;
using muster::World;
using muster::core::SeatId;

/// Lines that are on disk before the next call, whatever happens to this process then.
class Log {
public:
    explicit Log(const std::string& path) : file_(::open(path.c_str(), O_CREAT | O_WRONLY | O_APPEND, 0644)) {}
    void line(const std::string& text) const {
        const std::string whole = "{" + text + "}\n";
        if (::write(file_, whole.data(), whole.size()) != static_cast<ssize_t>(whole.size())) std::abort();
    }

private:
    int file_;
};

template <class Ids>
std::string list(const Ids& ids) {
    std::string text;
    for (const auto& id : ids) text += (text.empty() ? "" : ",") + std::to_string(id.value);
    return "[" + text + "]";
}

std::uint64_t replica_of(const World& world) { return world.replica ? world.replica->value : 0; }

void tell(const Log& log, const World& world) {
    log.line("\"round\":" + std::to_string(world.round.value) + ",\"slot\":" +
             (world.slot ? std::to_string(world.slot->value) : "null") + ",\"world\":" + list(world.ranks) +
             ",\"standbys\":" + list(world.standbys) + ",\"coordinator\":" + std::to_string(world.coordinator.value) +
             ",\"replica\":" + std::to_string(replica_of(world)));
}

/// What FOLDER/wanted says.
struct Wanted {
    bool end = false;
    std::vector<SeatId> seats;
};

Wanted read_wanted(const std::string& folder) {
    std::ifstream file(folder + "/wanted");
    Wanted wanted;
    for (std::string word; file >> word;) {
        if (word == "end")
            wanted.end = true;
        else
            wanted.seats.push_back(SeatId{std::strtoull(word.c_str(), nullptr, 10)});
    }
    return wanted;
}

class Member {
public:
    Member(Session& session, const Log& log, std::string folder)
        : session_(session), log_(log), folder_(std::move(folder)) {}

    void live() {
        while (const auto turn = session_.next()) {
            if (turn.kind == muster::Turn::rebuilt)
                (void)enter();
            else if (fed_)
                step();
        }
        log_.line("\"ended\":\"" + std::string(name_of(session_.ending().code)) +
                  "\",\"step\":" + std::to_string(step_) + ",\"weight\":" + std::to_string(weight_) +
                  ",\"votes\":" + std::to_string(session_.turns().votes) + ",\"wrong\":\"" + wrong_ + "\"");
    }

private:
    /// A newcomer has the weights of an engine that has committed the agreed step; all know each other's replicas.
    bool enter() {
        const auto& world = session_.world();
        fed_ = false;
        step_ = world.step ? world.step->value : 0;
        if (world.step && step_ == before_ + 1) weight_ += step_;  // Attempted here and agreed on elsewhere.
        const auto comm = muster::communicator(session_);
        if (world.source && !world.newcomers.empty() &&
            MPI_Bcast(&weight_, 1, MPI_UINT64_T, static_cast<int>(world.source->value), comm) != MPI_SUCCESS)
            return false;
        const auto own = replica_of(world);
        replicas_.resize(world.size());
        if (MPI_Allgather(&own, 1, MPI_UINT64_T, replicas_.data(), 1, MPI_UINT64_T, comm) != MPI_SUCCESS) return false;
        before_ = entered_ = step_;
        check(weight_ == step_ * (step_ + 1) / 2, "weights of step " + std::to_string(step_));
        return fed_ = true;
    }

    /// All groups' members vote, and so they step together; the world's sum says when all are to leave.
    void step() {
        const auto& world = session_.world();
        const bool coordinates = world.coordinator == session_.rank();
        const auto wanted = coordinates ? read_wanted(folder_) : Wanted{};
        if (coordinates) ask(wanted);
        std::uint64_t sum = 0, own = replica_of(world);
        if (MPI_Allreduce(&own, &sum, 1, MPI_UINT64_T, MPI_SUM, muster::group_communicator(session_)) != MPI_SUCCESS)
            return;
        check(sum == own * world.group_size, "the group of replica " + std::to_string(own) + " has others in it");
        int end = wanted.end ? 1 : 0, all = 0;
        if (MPI_Allreduce(&end, &all, 1, MPI_INT, MPI_MAX, muster::communicator(session_)) != MPI_SUCCESS) return;
        if (all != 0) return session_.leave();
        if (!session_.commit(muster::Step{step_ + 1})) return;
        before_ = ++step_;
        weight_ += step_;
    }

    /// Once for each change: a replica that was dissolved does not come back, and one without room is not asked for
    /// again. Not before a step of this round has given all engines the state: else nobody may be unseated.
    void ask(const Wanted& wanted) {
        if (wanted.end || asked_for_ == wanted.seats || step_ == entered_) return;
        asked_for_ = wanted.seats;
        muster::core::SeatWishes wishes;
        const auto seated = [this](SeatId id) { return std::count(replicas_.begin(), replicas_.end(), id.value) > 0; };
        for (const SeatId id : wanted.seats)
            if (!seated(id)) wishes.seat.push_back(id);
        for (const auto replica : replicas_)
            if (replica != 0 && std::count(wanted.seats.begin(), wanted.seats.end(), SeatId{replica}) == 0)
                wishes.unseat.push_back(SeatId{replica});
        if (!wishes.empty()) session_.impl().mailbox.want_seats(wishes);
    }

    void check(bool holds, const std::string& what) {
        if (!holds && wrong_.empty()) wrong_ = what + " in round " + std::to_string(session_.world().round.value);
    }

    Session& session_;
    const Log& log_;
    std::string folder_, wrong_;
    bool fed_ = false;
    std::vector<SeatId> asked_for_;
    std::uint64_t step_ = 0, before_ = 0, entered_ = 0, weight_ = 0;
    std::vector<std::uint64_t> replicas_;  ///< By slot.
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return std::fprintf(stderr, "seater FOLDER\n"), 2;
    auto config = *muster::Config::from_environment();
    std::unique_ptr<Log> log;
    config.hooks.world_changed = [&log](const World& world) {
        if (log) tell(*log, world);
    };
    auto session = Session::join(std::move(config));
    if (!session) return std::fprintf(stderr, "seater: %s\n", session.error().text.c_str()), 2;
    const auto rank = std::to_string(session->rank().value);
    log = std::make_unique<Log>(std::string(argv[1]) + "/" + rank);
    log->line("\"rank\":" + rank + ",\"pid\":" + std::to_string(::getpid()));
    Member(*session, *log, argv[1]).live();
    return 0;
}
