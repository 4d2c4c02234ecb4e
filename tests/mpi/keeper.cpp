// SPDX-License-Identifier: Apache-2.0
/// Members that meet in the round's store, for tests/mpi/store.py: keeper STEPS [key=value ...]. In every round each
/// engine claims its slot, waits for all others by name, counts itself; once the job is in a later round the old
/// round's store refuses everything by name. Prints "rank R ..." at the end and WRONG where something is broken.
#include <mpi.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "muster/mpi.hpp"

namespace {

using namespace std::chrono_literals;
using muster::Fault;
using muster::Session;

std::map<std::string, long> options{{"value-kib", 4}};
unsigned rounds = 0, fenced = 0, broken = 0;

void wrong(const Session& session, const std::string& what) {
    std::printf("WRONG rank %u round %u: %s\n", session.rank().value, session.world().round.value, what.c_str());
    std::fflush(stdout);
}

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

/// A call that failed: the round may have ended under it, which next() will say. Anything else is wrong.
bool excused(const Session& session, const char* what, const muster::Error& error) {
    const bool later = error.fault == Fault::refused && error.text.find("the job is in round") != std::string::npos;
    if (later || error.fault == Fault::ended || session.interrupted()) return ++broken, true;
    wrong(session, std::string(what) + ": " + error.text);
    return false;
}

void old_round_is_refused(const Session& session, muster::Store& old) {
    const auto got = old.get("slot.0", 2s);
    const auto set = old.set("late", bytes_of("x"), 2s);
    const std::string by_name = "is of round " + std::to_string(old.round().value);
    for (const auto* error : {got ? nullptr : &got.error(), set ? nullptr : &set.error()}) {
        if (error == nullptr) return wrong(session, "an old round's store answered");
        if (error->fault != Fault::refused || error->text.find(by_name) == std::string::npos) {
            (void)excused(session, "the old store", *error);
            return;
        }
    }
    ++fenced;
}

void meet(const Session& session, muster::Store& store) {
    const auto& world = session.world();
    const std::string mine = "slot." + std::to_string(world.slot->value);
    const std::string value(static_cast<std::size_t>(options["value-kib"]) * 1024, 'v');
    const auto claimed = store.compare_set(mine, {}, bytes_of(value), 20s);
    if (!claimed) return void(excused(session, "claim", claimed.error()));
    if (!claimed->accepted) return wrong(session, "the slot was claimed before: the store was not empty");
    std::vector<std::string> all;
    for (std::uint32_t s = 0; s < world.size(); ++s) all.push_back("slot." + std::to_string(s));
    if (const auto here = store.wait(all, 20s); !here) return void(excused(session, "wait", here.error()));
    const auto last = store.get(all.back(), 20s);
    if (!last) return void(excused(session, "get", last.error()));
    if (last->size() != value.size()) wrong(session, "another value than was set");
    const auto sum = store.add("arrived", 1, 20s);
    if (!sum) return void(excused(session, "add", sum.error()));
    if (*sum == static_cast<std::int64_t>(world.size()))
        if (const auto told = store.set("complete", bytes_of("yes"), 20s); !told)
            return void(excused(session, "set", told.error()));
    if (const auto complete = store.get("complete", 20s); !complete)
        return void(excused(session, "complete", complete.error()));
    const auto count = store.num_keys(20s);
    if (!count) return void(excused(session, "num_keys", count.error()));
    if (*count != world.size() + 2 && options["errors"] == 0) wrong(session, std::to_string(*count) + " keys");
    ++rounds;
}

/// What a deadline says, and what is too large.
void errors(const Session& session, muster::Store& store) {
    const auto begun = std::chrono::steady_clock::now();
    const auto never = store.wait({"slot.0", "never"}, 300ms);
    if (never || never.error().fault != Fault::timed_out || never.error().text.find("'never'") == std::string::npos)
        wrong(session, never ? "a key came that nobody set" : "the deadline's text: " + never.error().text);
    if (std::chrono::steady_clock::now() - begun > 2s) wrong(session, "the deadline came late");
    const auto text = store.add("slot.0", 1, 2s);
    if (text || text.error().fault != Fault::refused) wrong(session, "a text was added to");
    (void)store.set("short-lived", bytes_of("x"), 2s);
    if (const auto gone = store.erase("short-lived", 2s); !gone || !*gone) wrong(session, "erase");
}

}  // namespace

int main(int argc, char** argv) {
    const std::uint64_t steps = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 10;
    for (int i = 2; i < argc; ++i)
        if (const char* equals = std::strchr(argv[i], '='))
            options[std::string(argv[i], static_cast<std::size_t>(equals - argv[i]))] =
                std::strtol(equals + 1, nullptr, 10);
    auto session = Session::join(*muster::Config::from_environment());
    if (!session) return std::fprintf(stderr, "keeper: %s\n", session.error().text.c_str()), 2;
    std::shared_ptr<muster::Store> store, old;
    std::uint64_t step = 0;
    while (const auto turn = session->next()) {
        if (turn.kind == muster::Turn::rebuilt) {
            step = session->world().step ? session->world().step->value : 0;
            old = std::exchange(store, session->store());
            if (old) old_round_is_refused(*session, *old);
            meet(*session, *store);
            if (options["errors"] != 0 && session->rank().value == 1) errors(*session, *store);
        } else if (step >= steps) {
            session->leave();
        } else if (session->commit(muster::Step{step + 1})) {
            ++step;
        }
    }
    std::printf("rank %u %s step %lu met %u fenced %u broken %u reason '%s'\n", session->rank().value,
                name_of(session->ending().code), step, rounds, fenced, broken, session->ending().reason.c_str());
    std::fflush(stdout);
    return 0;
}
