// SPDX-License-Identifier: Apache-2.0
/// What programs do beside their turns: ask for rounds, park, unpark, close; call the round's store, with deadlines.
/// Keys say by their first letter what is done to them, so that the witness knows what may be there: v is set and
/// erased, w is set and stays, c is changed by compare and set only, n is added to. Values are their writer's own.
#include <algorithm>

#include "sim/stage.hpp"
#include "sim/texts.hpp"

namespace muster::sim {
namespace {

constexpr std::uint32_t kKeys = 3;            ///< Of each kind, in each round.
constexpr std::size_t kCallsMax = 8;          ///< Open ones per member.
constexpr std::uint32_t kDeadlineMinMs = 5;   ///< Some are over before the coordinator's clock has ticked twice ...
constexpr std::uint32_t kDeadlineMaxMs = 90;  ///< ... some last over recoveries.
constexpr std::uint32_t kOldStore = 12;       ///< One of so many calls is on a Store of the round before.

/// What detail::Desk leaves to the coordinator of a deadline.
std::uint64_t patience_of(std::uint64_t deadline_ms) {
    return deadline_ms - std::min<std::uint64_t>(deadline_ms / 4, 50);
}

std::uint32_t every(double per_ms) { return static_cast<std::uint32_t>(2 * kTicksPerMs / per_ms); }

}  // namespace

void World::Stage::begin_programs() {
    for (auto& member : members_) {
        if (options_.calls_per_ms > 0)
            arrange(dice_.between(1, every(options_.calls_per_ms)), member, Happening::program_calls);
        if (options_.wishes_per_ms > 0 && options_.recovery)
            arrange(dice_.between(1, every(options_.wishes_per_ms)), member, Happening::program_wishes);
    }
}

// Rounds.

void World::Stage::program_wishes(Member& member) {
    if (healed_ || member.ended) return;
    if (may_close_ && dice_.below(20) == 0)
        wish(member, Wish::close);
    else if (!member.client && dice_.below(2) == 0)
        wish(member, member.wishes.parked ? Wish::unpark : Wish::park);
    else
        wish(member, Wish::regroup);
    arrange(dice_.between(1, every(options_.wishes_per_ms)), member, Happening::program_wishes);
}

/// As agent::Mailbox: what is so already asks for nothing.
void World::Stage::wish(Member& member, Wish wish) {
    if (!member.alive || member.ended) return;
    Wishes& wishes = member.wishes;
    if (wish == Wish::park && std::exchange(wishes.parked, true)) return;
    if (wish == Wish::unpark && !std::exchange(wishes.parked, false)) return;
    if (wish == Wish::close && std::exchange(wishes.closes, true)) return;
    ++counts_.wishes;
    if (followed()) tell(member, "wishes " + std::to_string(static_cast<int>(wish)));
    post(member, mail::Regroup{});
}

void World::Stage::ask_for_round(Member& member) {
    if (!member.recovery || member.recovery->closed() || !member.steady) return;
    member.wishes.asked = true;
    recover(member);
}

// Calls.

void World::Stage::program_calls(Member& member) {
    if (healed_ || member.ended) return;
    arrange(dice_.between(1, every(options_.calls_per_ms)), member, Happening::program_calls);
    if (!member.view || member.calls.open.size() >= kCallsMax) return;
    const core::CallId id{++member.calls.made};
    core::StoreCall call{.id = id, .settled = id, .round = member.view->round, .operation = any_operation(member, id.value)};
    if (dice_.below(kOldStore) == 0 && call.round > Round{1}) --call.round.value;
    for (const auto& [other, open] : member.calls.open)
        if (open.may_change && !open.given_up && other < call.settled.value) call.settled.value = other;
    const auto deadline = dice_.between(kDeadlineMinMs, kDeadlineMaxMs);
    call.patience_ms = patience_of(deadline);
    member.calls.open[id.value] = {.may_change = core::may_change(call.operation)};
    ++counts_.calls;
    witness_.store().asks(member, call, now());
    arrange(deadline * kTicksPerMs, member, Happening::call_due, static_cast<std::uint32_t>(id.value));
    post(member, std::move(call));
}

/// The caller waits no longer. Where nothing has come between, the answer must have been there.
void World::Stage::call_due(Member& member, std::uint32_t call) {
    const auto open = member.calls.open.find(call);
    if (open == member.calls.open.end()) return;
    witness_.store().is_late(member, core::CallId{call}, now(), [&](std::uint64_t since) {
        return undisturbed_since(member, since) && undisturbed_since(members_[member.view->coordinator.value], since);
    });
    if (std::exchange(open->second.given_up, true) || member.ended) return;
    arrange((kAgentTickMs + 1) * kTicksPerMs, member, Happening::call_due, call);  // The coordinator's own clock may be that much behind.
}

bool World::Stage::undisturbed_since(const Member& member, std::uint64_t since) const {
    return member.alive && member.steady && !member.broken && !member.hung && !member.cut && member.disturbed < since;
}

core::StoreOperation World::Stage::any_operation(const Member& member, std::uint64_t call) {
    const auto key = [this](const char* kind) { return kind + std::to_string(dice_.below(kKeys)); };
    const auto value = core::value_of(bytes_of(std::to_string(member.rank.value) + "." + std::to_string(call)));
    switch (dice_.below(11)) {
        case 0: return core::store::Set{key("v"), value};
        case 1: return core::store::Set{key("w"), value};
        case 2: return core::store::Erase{key("v")};
        case 3:
        case 4: return core::store::Add{key("n"), 1};
        case 5:
        case 6: {
            const std::string name = key("c");
            return core::store::CompareSet{name, bytes_of(witness_.store().last_heard(member, name)), value};
        }
        case 7: return core::store::Get{key(dice_.below(2) == 0 ? "v" : "c")};
        case 8: return core::store::Get{key("w")};
        case 9: {
            core::store::Wait wait;
            for (auto more = dice_.between(1, kKeys); more > 0; --more) wait.keys.push_back(key("w"));
            return wait;
        }
        default: return core::store::NumKeys{};
    }
}

}  // namespace muster::sim
