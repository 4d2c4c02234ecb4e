// SPDX-License-Identifier: Apache-2.0
/// What programs do beside their turns: ask for rounds, park, unpark, close; call the round's store and the job's
/// registry, with deadlines.
/// Keys of the store say by their first letter what is done to them, so that the witness knows what may be there: v is
/// set and erased, w is set and stays, c is changed by compare and set only, n is added to. Values are their writer's
/// own.
#include <algorithm>

#include "core/ranks.hpp"
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
        if (deploys())
            begin_orders(member);
        else if (options_.controller && options_.seats_per_ms > 0)
            arrange(dice_.between(1, every(options_.seats_per_ms)), member, Happening::program_seats);
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

/// Replicas come and go, in ones and twos, up to more than there is room for.
void World::Stage::program_seats(Member& member) {
    if (healed_ || member.ended) return;
    arrange(dice_.between(1, every(options_.seats_per_ms)), member, Happening::program_seats);
    if (!member.view || !member.switchboard->coordinates()) return;
    core::SeatWishes wishes;
    const auto room = members_.size() / core::unit_of(plan_settings_.placement);
    const bool many = dice_.below(40) == 0;  // More than a round may have.
    for (auto more = many ? core::kSeatsMax + 4 : dice_.below(3); more > 0; --more)
        if (many || member.view->seats.size() + wishes.seat.size() <= room + 1)
            wishes.seat.push_back(core::SeatId{++last_seat_});
    for (const core::SeatId id : member.view->seats)
        if (id != core::SeatId{} && dice_.below(4) == 0) wishes.unseat.push_back(id);
    if (dice_.below(10) == 0 && !wishes.seat.empty()) wishes.unseat.push_back(wishes.seat.back());
    if (!wishes.empty()) post(member, std::move(wishes));
}

/// As Agent: the round comes once the switchboard has said everything.
void World::Stage::perform(Member& member, core::SeatRound& effect) {
    if (followed())
        tell(member, "wants " + std::to_string(effect.wishes.seat.size()) + " seats more and " +
                         std::to_string(effect.wishes.unseat.size()) + " less");
    auto& seats = member.wishes.seats;
    seats.seat.insert(seats.seat.end(), effect.wishes.seat.begin(), effect.wishes.seat.end());
    seats.unseat.insert(seats.unseat.end(), effect.wishes.unseat.begin(), effect.wishes.unseat.end());
    post(member, mail::Regroup{});
}

/// As Mailbox::seats_settled: what the round's plan did not know of needs another one, while this member coordinates.
void World::Stage::seats_settled(Member& member) {
    auto& wishes = member.wishes;
    const auto told = std::exchange(wishes.told_seats, {});
    if (!member.switchboard->coordinates()) wishes.seats = {};
    const auto settle = [](std::vector<core::SeatId>& seats, const std::vector<core::SeatId>& done) {
        seats.erase(seats.begin(), seats.begin() + static_cast<std::ptrdiff_t>(std::min(seats.size(), done.size())));
    };
    settle(wishes.seats.seat, told.seat);
    settle(wishes.seats.unseat, told.unseat);
    if (!wishes.seats.empty()) post(member, mail::Regroup{});
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
    ++member.calls.made;
    if (dice_.below(3) == 0) return call_registry(member);
    call_store(member);
}

void World::Stage::call_store(Member& member) {
    const core::CallId id{member.calls.made};
    core::StoreCall call{
        .id = id, .settled = id, .round = member.view->round, .operation = any_operation(member, id.value)};
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

/// Changes what the member was last told of: another may have changed it since.
void World::Stage::call_registry(Member& member) {
    using core::message::RegistryAsk;
    RegistryAsk ask{.id = core::CallId{member.calls.made},
                    .key = "r" + std::to_string(dice_.below(kKeys)),
                    .token = {},
                    .bytes = {}};
    const auto dice = dice_.below(10);
    ask.what = dice < 4 ? RegistryAsk::get : dice < 8 ? RegistryAsk::set : RegistryAsk::erase;
    if (ask.what != RegistryAsk::get) ask.token = witness_.registry().last_heard(member, ask.key);
    if (ask.what == RegistryAsk::set)
        ask.bytes = bytes_of(std::to_string(member.rank.value) + "." + std::to_string(ask.id.value));
    member.calls.open[ask.id.value] = {.registry = true};
    for (const auto& [id, open] : member.calls.open)
        if (open.registry && ask.settled == core::CallId{}) ask.settled = core::CallId{id};
    ++counts_.registry_calls;
    witness_.registry().asks(member, ask, now());
    const auto deadline = dice_.between(2 * kAgentTickMs, kDeadlineMaxMs);
    arrange(deadline * kTicksPerMs, member, Happening::call_due, static_cast<std::uint32_t>(ask.id.value));
    post(member, std::move(ask));
}

/// The caller waits no longer. Where nothing has come between, the answer must have been there.
void World::Stage::call_due(Member& member, std::uint32_t call) {
    const auto open = member.calls.open.find(call);
    if (open == member.calls.open.end() || member.ended) return;
    const core::CallId id{call};
    if (open->second.controller) {  // Whoever gives up does not know what has become of it.
        witness_.controller().gives_up(member, id);
        member.calls.open.erase(open);
        return post(member, mail::GiveUp{id});
    }
    const auto undisturbed = [&](std::uint64_t since) {
        const auto concerned = concerned_by_calls(member);
        return std::all_of(concerned.begin(), concerned.end(),
                           [&](Rank rank) { return undisturbed_since(members_[rank.value], since); });
    };
    if (open->second.registry) {
        witness_.registry().is_late(member, id, now(), undisturbed);
        member.calls.open.erase(open);
        return post(member, mail::GiveUp{id});
    }
    witness_.store().is_late(member, id, now(), undisturbed);
    open->second.given_up = true;  // The witness goes on looking.
    if (!healed_) arrange((kAgentTickMs + 1) * kTicksPerMs, member, Happening::call_due, call);
}

/// Caller, coordinator and whoever keeps copies for it.
std::vector<Rank> World::Stage::concerned_by_calls(const Member& member) const {
    std::vector<Rank> concerned = member.view->followers;
    concerned.push_back(member.rank);
    concerned.push_back(member.view->coordinator);
    if (member.view->keeper && core::contains(member.view->members, *member.view->keeper))
        concerned.push_back(*member.view->keeper);
    return concerned;
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

void World::Stage::perform(Member& member, core::StoreCallEnded& effect) {
    const auto& error = effect.answer.error;
    ++(!error ? counts_.answered : error->fault == Fault::timed_out ? counts_.late_calls : counts_.refused_calls);
    if (followed())
        tell(member, "call " + std::to_string(effect.id.value) + " ends" + (error ? ": " + error->text : ""));
    witness_.store().answered(member, effect.id, effect.answer, now());
    member.calls.open.erase(effect.id.value);
}

void World::Stage::perform(Member& member, core::RegistryCallEnded& effect) {
    const auto& told = effect.told;
    ++(told.error ? counts_.registry_refused : counts_.registry_answered);
    if (followed())
        tell(member, "call " + std::to_string(told.id.value) + " ends" + (told.error ? ": " + *told.error : ""));
    witness_.registry().answered(member, told, members_);
    member.calls.open.erase(told.id.value);
}

}  // namespace muster::sim
