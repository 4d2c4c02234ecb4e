// SPDX-License-Identifier: Apache-2.0
/// 2 engines that save: saver DIRECTORY. What may be saved, what is refused, and that the newest is the same for both.
/// Prints WRONG where something is broken, and ends with 1.
#include <chrono>
#include <cstdio>
#include <string>

#include "muster/checkpoint.hpp"
#include "muster/mpi.hpp"

namespace {

using namespace std::chrono_literals;
using muster::Fault;
using muster::Step;

bool broken = false;

void expect(bool holds, const std::string& what) {
    if (holds) return;
    std::printf("WRONG %s\n", what.c_str());
    broken = true;
}

std::string text_of(const muster::Bytes& bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

void try_all(muster::Session& session, muster::Checkpoints& checkpoints) {
    const std::string part = "part " + std::to_string(session.world().slot->value);
    const auto save = [&](std::uint64_t step) { return checkpoints.save(Step{step}, std::as_bytes(std::span(part))); };
    const auto none = checkpoints.newest();
    expect(none && !*none, "there is a checkpoint in an empty directory");
    expect(!save(1) && save(1).error().fault == Fault::refused, "saved before anything was committed");
    expect(static_cast<bool>(session.commit(Step{1})), "commit");
    expect(!save(0) && !save(2), "saved another step than the committed one");
    expect(save(2).error().text.find("step 1 is the last committed") != std::string::npos, "the text names the step");
    expect(static_cast<bool>(save(1)), "not saved");
    expect(static_cast<bool>(checkpoints.flush(20s)), "not written");
    expect(static_cast<bool>(session.commit(Step{2})), "commit");
}

/// In the next round, whose store is empty: both find what both have saved in the one before.
void find(muster::Checkpoints& checkpoints) {
    const auto found = checkpoints.newest();
    if (!found || !*found) return expect(false, "no checkpoint is found");
    expect((*found)->step == Step{1} && (*found)->slots == 2, "another checkpoint is found");
    for (std::uint32_t slot = 0; slot < 2; ++slot) {
        const auto part = checkpoints.load(**found, {slot});
        expect(part && text_of(*part) == "part " + std::to_string(slot), "the part of slot " + std::to_string(slot));
    }
    const auto no_part = checkpoints.load(**found, {2});
    expect(!no_part && no_part.error().fault == Fault::state_lost, "a part that is not there");
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    auto session = muster::Session::join(*muster::Config::from_environment());
    if (!session) return 3;
    expect(!muster::Checkpoints::open(*session, {.directory = std::string(argv[1]) + "/no"}), "no such directory");
    auto checkpoints = muster::Checkpoints::open(*session, {.directory = argv[1]});
    if (!checkpoints) return 4;
    std::uint32_t rounds = 0;
    while (const auto turn = session->next()) {
        if (turn.kind != muster::Turn::rebuilt) continue;
        if (++rounds == 1) try_all(*session, *checkpoints);
        if (rounds == 1) session->regroup();
        if (rounds == 2) find(*checkpoints);
        if (rounds == 2) session->leave();
    }
    expect(rounds == 2, std::to_string(rounds) + " rounds: " + session->ending().reason);
    if (!broken) std::puts("whole");
    return broken ? 1 : 0;
}
