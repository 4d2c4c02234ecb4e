// SPDX-License-Identifier: Apache-2.0
// Random worlds around one tracker: fronts, engines in lockstep, messages that are delivered in any order that their
// links allow, pauses. Whatever the order, at the end nobody waits for a collective alone and no work is left asleep.
#include <gtest/gtest.h>

#include <deque>
#include <functional>

#include "core/wave_tracker.hpp"
#include "support.hpp"
#include "wave_support.hpp"

namespace muster::core {
namespace {

using testing::Dice;

struct Mode {
    bool source_timing = false;
    bool engines_wait = false;  ///< An engine announces work and waits to be woken; else it begins at once, by itself.
    bool pauses = false;
};

/// vLLM's engine, as far as waves go; with Mode::engines_wait that of its later versions.
struct Engine {
    std::int64_t wave = 0;
    bool running = false;
    bool paused = false;
    int work = 0;
};

struct Front {  ///< What it has heard.
    std::int64_t wave = 0;
    bool running = false;
};

class World {
public:
    World(const Mode& mode, std::uint64_t seed)
        : mode_(mode),
          dice_(seed),
          engines_(dice_.between(1, 4)),
          fronts_(2),
          group_(engines_.size(), mode.source_timing),
          links_(2 * engines_.size() + 2 * fronts_.size()) {}

    void run(int steps) {
        for (int i = 0; i < steps && ok_; ++i) step();
        settle();
    }
    [[nodiscard]] const std::string& verdict() const { return verdict_; }
    [[nodiscard]] std::int64_t wave() const { return group_.tracker.wave().value; }

private:
    using Delivery = std::function<void()>;

    void step() {
        time_ += dice_.below(20);
        switch (dice_.below(mode_.pauses ? 8 : 7)) {
            case 0: return request();
            case 1:
            case 2: return turn();
            case 7: return move_pause();
            default: return deliver();
        }
    }

    void settle() {
        while (paused_phase_ != 0 && ok_) move_pause();
        for (int idle = 0; idle < 10'000 && ok_; ++idle) {
            const bool quiet = std::all_of(links_.begin(), links_.end(), [](const auto& link) { return link.empty(); });
            if (quiet && !all_active()) break;
            quiet ? turn() : deliver();
        }
        for (const auto& engine : engines_) {
            if (engine.work > 0) fail("work is left asleep");
            if (active(engine)) fail("an engine is awake alone");
        }
        if (group_.tracker.running()) fail("the tracker believes that the group runs");
    }

    /// A front sends a request, and where it believes the engines asleep it has the others woken.
    void request() {
        const auto from = dice_.below(fronts_.size()), to = dice_.below(engines_.size());
        auto& front = fronts_[from];
        const auto wave = front.wave;
        links_[2 * engines_.size() + from].push_back([this, to, wave] { take_request(to, wave); });
        if (front.running || mode_.engines_wait) return;
        front.running = true;
        links_[2 * engines_.size() + fronts_.size() + from].push_back(
            [this, to, wave] { hear(testing::wake(to, wave)); });
    }

    void take_request(std::uint32_t at, std::int64_t wave) {
        auto& engine = engines_[at];
        ++engine.work;
        const bool stale = wave < engine.wave;
        engine.wave = std::max(engine.wave, wave);
        if (!engine.running && (stale || mode_.engines_wait))
            links_[at].push_back([this, at, start = engine.wave] { hear(testing::says(testing::starts(start, at))); });
    }

    void hear(const WaveInput& input) { carry_out(group_.tracker.step(testing::kReady + time_, input)); }

    void carry_out(const WaveTurn& turn) {
        for (const auto& effect : turn.effects) {
            if (const auto* start = std::get_if<StartWave>(&effect)) start_all(*start);
            if (const auto* word = std::get_if<PublishWave>(&effect)) tell_fronts(*word);
        }
    }

    void start_all(const StartWave& start) {
        if (paused_phase_ != 0) fail("somebody was woken in a pause");
        for (std::size_t at = 0; at < engines_.size(); ++at)
            links_[engines_.size() + at].push_back([this, at, start] {
                auto& engine = engines_[at];
                const bool excluded = start.exclude && start.exclude->value == static_cast<std::int64_t>(at);
                if (excluded || engine.paused || start.wave.value < engine.wave) return;
                engine.wave = start.wave.value;
                engine.running = true;
            });
    }

    void tell_fronts(const PublishWave& word) {
        if (word.wave.value < told_) fail("a wave number went back");
        told_ = word.wave.value;
        for (auto& front : fronts_) front = {word.wave.value, word.running};
    }

    [[nodiscard]] bool active(const Engine& engine) const {
        return !engine.paused && (engine.running || (engine.work > 0 && !mode_.engines_wait));
    }
    [[nodiscard]] bool all_active() const {
        return std::all_of(engines_.begin(), engines_.end(), [this](const auto& engine) { return active(engine); });
    }

    /// The collective of a forward: it happens where all have come.
    void turn() {
        if (!all_active()) return;
        int left = 0;
        for (auto& engine : engines_) {
            if (engine.work > 0) --engine.work;
            left += engine.work;
        }
        if (left == 0) {
            const auto done = engines_[0].wave;
            links_[0].push_back([this, done] { hear(testing::says(testing::completes(done))); });
        }
        for (auto& engine : engines_) {
            engine.running = left > 0;
            if (left == 0) ++engine.wave;
        }
    }

    /// The coordinator is ahead on the way in and behind on the way out, as its barrier has it.
    void move_pause() {
        paused_phase_ = (paused_phase_ + 1) % 4;
        if (paused_phase_ == 1) carry_out(group_.tracker.pause(testing::kReady + time_, true));
        if (paused_phase_ == 2 || paused_phase_ == 3)
            for (auto& engine : engines_) engine.paused = paused_phase_ == 2;
        if (paused_phase_ == 0) carry_out(group_.tracker.pause(testing::kReady + time_, false));
    }

    void deliver() {
        auto& link = links_[dice_.below(links_.size())];
        if (link.empty()) return;
        const auto delivery = std::move(link.front());
        link.pop_front();
        delivery();
    }

    void fail(const char* why) {
        ok_ = false;
        verdict_ = why;
    }

    Mode mode_;
    Dice dice_;
    std::vector<Engine> engines_;
    std::vector<Front> fronts_;
    testing::Group group_;
    std::vector<std::deque<Delivery>> links_;  ///< Engine to tracker, tracker to engine, front to engine and tracker.
    std::int64_t time_ = 0;
    std::int64_t told_ = 0;
    int paused_phase_ = 0;
    bool ok_ = true;
    std::string verdict_;
};

struct WaveOrders : ::testing::TestWithParam<Mode> {};

TEST_P(WaveOrders, NobodyWakesAloneAndNoWorkIsLeftAsleep) {
    std::int64_t waves = 0;
    for (const auto seed : testing::seeds(3'000)) {
        SCOPED_TRACE(testing::replay(seed));
        World world(GetParam(), seed);
        world.run(400);
        ASSERT_EQ(world.verdict(), "");
        waves += world.wave();
    }
    EXPECT_GT(waves, 0);
}

INSTANTIATE_TEST_SUITE_P(, WaveOrders,
                         ::testing::Values(Mode{.source_timing = true}, Mode{}, Mode{.pauses = true},
                                           Mode{.engines_wait = true}, Mode{.engines_wait = true, .pauses = true}),
                         [](const auto& one) {
                             std::string name = one.param.source_timing ? "AsTheSource" : "Ours";
                             if (one.param.engines_wait) name += "EnginesWait";
                             return name + (one.param.pauses ? "Pauses" : "");
                         });

}  // namespace
}  // namespace muster::core
