// SPDX-License-Identifier: Apache-2.0
#include "sim/world.hpp"

#include "sim/stage.hpp"

namespace muster::sim {
namespace {

constexpr std::uint64_t kSlice = 500;  ///< Ticks between two looks at whether all is settled.

}  // namespace

World::World(const WorldOptions& options) : stage_(std::make_unique<Stage>(options)) {}
World::World(World&&) noexcept = default;
World& World::operator=(World&&) noexcept = default;
World::~World() = default;

void World::run(Tick ticks) { stage_->run(stage_->now() + ticks.value); }

void World::signal(core::Wanted wanted) {
    if (Member* client = stage_->someone_to_ask()) stage_->ask(*client, wanted);
}

void World::submit(std::uint32_t count) {
    for (; count > 0; --count)
        if (Member* client = stage_->someone_to_ask()) stage_->submit(*client);
}

void World::kill(Rank rank) {
    if (Member* member = stage_->member(rank)) stage_->die(*member);
}

void World::hang(Rank rank, Tick ticks) {
    if (Member* member = stage_->member(rank)) stage_->hang(*member, static_cast<std::uint32_t>(ticks.value));
}

void World::wish(Rank rank, Wish wish) {
    if (Member* member = stage_->member(rank)) stage_->wish(*member, wish);
}

void World::heal() { stage_->heal(); }

bool World::settles(State state, Tick ticks) {
    const auto until = stage_->now() + ticks.value;
    while (violations().empty()) {
        if (stage_->settled(state)) return true;
        if (stage_->now() >= until) return false;
        stage_->run(std::min(until, stage_->now() + kSlice));
    }
    return false;
}

bool World::reaches(State state, Tick ticks) {
    const auto until = stage_->now() + ticks.value;
    while (violations().empty()) {
        if (stage_->settled(state)) return true;
        if (stage_->now() >= until) return false;
        stage_->lead_to(state);
        stage_->run(std::min(until, stage_->now() + kSlice));
    }
    return false;
}

const std::string& World::violations() const { return stage_->witness().violations(); }
std::optional<ExitCode> World::ended() const { return stage_->ended(); }
std::string World::story() const { return stage_->story(); }
Counts World::counts() const { return stage_->counts(); }
Tick World::now() const { return Tick{stage_->now()}; }

}  // namespace muster::sim
