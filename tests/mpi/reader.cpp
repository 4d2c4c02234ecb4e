// SPDX-License-Identifier: Apache-2.0
/// Members with a rendezvous of their own beside the job's rounds, for tests/mpi/readers.py: reader ROUNDS MIN MAX.
/// Engines step and commit; a second thread of each member, standbys too, joins the rendezvous "readers" in the job's
/// registry, joins again when its round is over, and closes it after ROUNDS of them. Prints "rank R joined ..." and
/// "rank R ended ...", and WRONG where something is broken.
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "muster/mpi.hpp"
#include "muster/rendezvous.hpp"

namespace {

using namespace std::chrono_literals;
using muster::Fault;

void line(const std::string& text) {
    std::printf("%s\n", text.c_str());
    std::fflush(stdout);
}

std::string listed(const std::vector<std::string>& nodes) {
    std::string text;
    for (const auto& node : nodes) text += " " + node;
    return text;
}

/// The first round is that of the lowest ranks: others come when it is complete (`nodes` 0), and nobody closes it
/// before.
bool all_are_here(const muster::Session& session, std::size_t nodes) {
    const auto store = session.store();
    if (nodes == 0) return static_cast<bool>(store->get("all are in it", 20s));
    const auto count = store->add("in the round", 1, 20s);
    if (count && static_cast<std::size_t>(*count) == nodes) (void)store->set("all are in it", {}, 20s);
    return static_cast<bool>(store->get("all are in it", 20s));
}

/// Until it is closed, or the job is over. Each round of ours ends when one of its members dies or leaves it.
void read(muster::Session& session, std::uint32_t rounds, std::int64_t least, std::int64_t most) {
    const std::string self = "rank " + std::to_string(session.rank().value);
    unsigned records = 0;
    unsigned redundant = 0;  // Since then: 1 and the keep-alives.
    auto times = muster::RendezvousTimes::in_job();
    times.last_call = 0.1;
    auto meeting = muster::Rendezvous::in_job(
        session, {.run_id = "readers",
                  .min_nodes = least,
                  .max_nodes = most,
                  .times = times,
                  .bootstrap = self,
                  .on_event = [&](const std::string& record) {
                      ++records;
                      // The next keep-alive but its own: by then that is written.
                      if (redundant > 0 && record.find("keep_alive") != std::string::npos && ++redundant == 3)
                          (void)session.store()->set("redundant", {}, 20s);
                      if (record.find("to the redundancy list") != std::string::npos) redundant = 1;
                  }});
    if (!meeting) return line("WRONG " + self + " " + meeting.error().text);
    const auto rank = session.rank().value;
    if (rank >= most && !all_are_here(session, 0)) return line("WRONG " + self + " waits in vain for the first round");
    for (bool first = true;;) {
        const auto round = meeting->next_rendezvous();
        if (!round) {
            line(self + " ended " + std::to_string(records > 0) + " " + round.error().text);
            return;
        }
        line(self + " joined round " + std::to_string(round->round.value) + " as " + std::to_string(round->rank.value) +
             " of" + listed(round->nodes) + " told by " + round->bootstrap);
        if (first && rank < most && !all_are_here(session, round->nodes.size()))
            return line("WRONG " + self + " waits in vain");
        first = false;
        if (rounds == 0 && !session.store()->get("redundant", 20s)) return line("WRONG nobody is redundant");
        if (round->round.value >= rounds) (void)meeting->shutdown();
        while (!session.interrupted() || !session.is_client()) {
            const auto over = meeting->is_round_over();
            const auto closed = meeting->is_closed();
            if (!over || !closed) return line(self + " ended 1 " + (over ? closed.error().text : over.error().text));
            if (*closed) return line(self + " ended 1 it is closed");
            if (*over) break;
            std::this_thread::sleep_for(2ms);
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) return std::fprintf(stderr, "reader ROUNDS MIN MAX\n"), 2;
    const auto number = [&](int i) { return static_cast<std::uint32_t>(std::strtoul(argv[i], nullptr, 10)); };
    auto session = muster::Session::join(*muster::Config::from_environment());
    if (!session) return std::fprintf(stderr, "reader: %s\n", session.error().text.c_str()), 2;
    std::atomic<bool> over{false};
    std::thread reading([&] {
        read(*session, number(1), number(2), number(3));
        over = true;
    });
    std::uint64_t step = 0;
    while (const auto turn = session->next()) {
        if (turn.kind == muster::Turn::rebuilt) {
            step = session->world().step ? session->world().step->value : 0;
        } else if (over) {
            session->leave();
        } else if (session->commit(muster::Step{step + 1})) {
            ++step;
            std::this_thread::sleep_for(1ms);  // The step's work.
        }
    }
    reading.join();
    line("rank " + std::to_string(session->rank().value) + " " + name_of(session->ending().code));
    return 0;
}
