// SPDX-License-Identifier: Apache-2.0
/// Processes that meet through one file again and again, without MPI: no round is skipped, no two share a rank, and
/// each round's store is empty at first.
#include <algorithm>
#include <random>
#include <sstream>
#include <thread>

#include "meet/support.hpp"

namespace muster::meet::testing {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t kRounds = 50;

/// What a process says of each round that it was in.
struct Visit {
    std::uint32_t round = 0, rank = 0;
    std::string node, world;
};

class Hammer : public Meeting {
protected:
    /// Meets until round kRounds - 1 is over, then closes; "" or what went wrong.
    std::string meet(const Settings& of, std::uint64_t seed, std::ostream& out) {
        std::mt19937_64 dice(seed);
        const auto one = handler(of);
        while (true) {
            auto met = one->next_rendezvous();
            if (const auto* failure = std::get_if<Failure>(&met)) {
                const bool over = failure->kind == Failure::closed || failure->kind == Failure::graceful_exit;
                return over ? "" : std::string(name_of(failure->kind)) + ": " + failure->text;
            }
            const Joined joined = in(std::move(met));
            out << joined.round.value << " " << joined.rank.value << " " << text_of(one->node());
            for (const auto& node : joined.world) out << " " << text_of(node);
            out << "\n";
            if (auto wrong = share(*one, joined); !wrong.empty()) return wrong;
            if (joined.round.value + 1 >= kRounds) return one->shutdown() ? "" : "not closed";
            std::this_thread::sleep_for(std::chrono::microseconds(dice() % 5'000));
        }
    }
    /// Rank 0 opens; each sets a key and sees everybody's.
    std::string share(Rendezvous& one, const Joined& joined) {
        RoundStore store(place(joined));
        if (joined.rank == Slot{0}) {
            if (const auto left = *store.contents(); !left.empty())
                return "keys before it was opened: " + left.begin()->first;
            if (const auto opened = store.open(); !opened) return opened.error().text;
            if (joined.round.value > 0) {
                auto older = place(joined);
                older.prefix = "muster.rendezvous.job." + std::to_string(joined.round.value - 1);
                RoundStore(older).discard();
            }
        }
        const std::string told = std::to_string(joined.round.value) + " " + text_of(one.node());
        const auto set = store.set(std::to_string(joined.rank.value), told, 20s);
        if (!set) return set.error().text;
        for (std::size_t rank = 0; rank < joined.world.size(); ++rank) {
            const auto got = store.get(std::to_string(rank), 20s);
            if (!got) return got.error().text;
            const std::string wanted = std::to_string(joined.round.value) + " " + text_of(joined.world[rank]);
            if (*got != wanted) return "rank " + std::to_string(rank) + " says '" + *got + "', not '" + wanted + "'";
        }
        const auto keys = store.contents();
        return !keys || keys->size() <= joined.world.size() ? "" : "more keys than ranks";
    }
    std::map<std::uint32_t, std::vector<Visit>> hammer(std::size_t processes, const Settings& of);
};

std::map<std::uint32_t, std::vector<Visit>> Hammer::hammer(std::size_t processes, const Settings& of) {
    const std::uint64_t seed = std::random_device{}();
    std::vector<pid_t> children;
    for (std::size_t who = 0; who < processes; ++who) {
        const pid_t child = ::fork();
        if (child == 0) {
            std::ofstream out(path + "/visits." + std::to_string(who));
            const auto wrong = meet(of, seed + who, out);
            if (!wrong.empty()) std::ofstream(path + "/wrong." + std::to_string(who)) << wrong;
            out.flush();
            ::_exit(wrong.empty() ? 0 : 1);
        }
        children.push_back(child);
    }
    std::map<std::uint32_t, std::vector<Visit>> rounds;
    for (std::size_t who = 0; who < processes; ++who) {
        int status = 0;
        ::waitpid(children[who], &status, 0);
        EXPECT_EQ(status, 0) << "seed " << seed << ", process " << who << ": "
                             << content(path + "/wrong." + std::to_string(who));
        std::istringstream lines(content(path + "/visits." + std::to_string(who)));
        for (std::string line; std::getline(lines, line);) {
            std::istringstream words(line);
            Visit visit;
            words >> visit.round >> visit.rank >> visit.node;
            std::getline(words, visit.world);
            rounds[visit.round].push_back(visit);
        }
    }
    return rounds;
}

void check(const std::map<std::uint32_t, std::vector<Visit>>& rounds, std::size_t min, std::size_t max) {
    ASSERT_EQ(rounds.size(), kRounds);
    EXPECT_EQ(rounds.begin()->first, 0u);
    EXPECT_EQ(rounds.rbegin()->first, kRounds - 1) << "no round is skipped";
    for (const auto& [round, visits] : rounds) {
        SCOPED_TRACE("round " + std::to_string(round));
        std::istringstream words(visits.front().world);
        const std::vector<std::string> world{std::istream_iterator<std::string>(words), {}};
        EXPECT_GE(world.size(), min);
        EXPECT_LE(world.size(), max);
        EXPECT_EQ(visits.size(), world.size()) << "everybody in it came out of next_rendezvous";
        std::set<std::uint32_t> ranks;
        for (const auto& visit : visits) {
            EXPECT_TRUE(ranks.insert(visit.rank).second) << "rank " << visit.rank << " twice";
            EXPECT_EQ(visit.world, visits.front().world);
            EXPECT_EQ(world.at(visit.rank), visit.node);
        }
        EXPECT_EQ(*ranks.rbegin() + 1, ranks.size()) << "ranks are 0, 1 ...";
    }
}

/// Few keep-alives: each is a write with an fsync.
Settings calm(std::int64_t min, std::int64_t max) {
    auto settings = quick(min, max);
    settings.keep_alive_interval = millis(500);
    settings.keep_alive_max_attempt = 20;
    return settings;
}

TEST_F(Hammer, T29_SixProcessesMeetFiftyTimes) { check(hammer(6, calm(6, 6)), 6, 6); }

TEST_F(Hammer, T29_SixProcessesForFourPlaces) { check(hammer(6, calm(2, 4)), 2, 4); }

}  // namespace
}  // namespace muster::meet::testing
