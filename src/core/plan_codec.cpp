// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/assert.hpp"
#include "core/plan.hpp"

namespace muster::core {
namespace {

constexpr std::size_t kSeatsSize = 2 * (4 + 8 * kSeatsMax);
constexpr std::size_t kFactsRest = 48;  // Flags, ids, counts and the wish's code.
static_assert(kFactsRest + 4 + kGoingMax + 4 + 4 * kProvenMax + 4 + kReasonMax + kLifecycleFactsSize + kSeatsSize <=
              kFactsSize);

void put(Writer& out, const std::optional<Wish>& wish) {
    out.u8(wish ? 1 : 0);
    if (!wish) return;
    out.u32(static_cast<std::uint32_t>(wish->code));
    out.text(wish->reason);
}

std::optional<Wish> take_wish(Reader& in) {
    if (in.u8() == 0) return std::nullopt;
    Wish wish;
    wish.code = static_cast<ExitCode>(in.u32());
    wish.reason = in.text();
    return wish;
}

void put(Writer& out, const std::vector<Rank>& ranks) {
    out.u32(static_cast<std::uint32_t>(ranks.size()));
    for (const Rank rank : ranks) out.id(rank);
}

std::vector<Rank> take_ranks(Reader& in) {
    std::vector<Rank> ranks(in.count(4));
    for (auto& rank : ranks) rank = in.id<Rank>();
    return ranks;
}

void put(Writer& out, const std::vector<SeatId>& seats) {
    out.u32(static_cast<std::uint32_t>(seats.size()));
    for (const SeatId id : seats) out.id(id);
}

std::vector<SeatId> take_seats(Reader& in) {
    std::vector<SeatId> seats(in.count(8));
    for (auto& id : seats) id = in.id<SeatId>();
    return seats;
}

void put(Writer& out, const std::vector<Newcomer>& newcomers) {
    out.u32(static_cast<std::uint32_t>(newcomers.size()));
    for (const auto& newcomer : newcomers) {
        out.id(newcomer.slot);
        out.id(newcomer.rank);
        out.maybe(newcomer.holder);
    }
}

std::vector<Newcomer> take_newcomers(Reader& in) {
    std::vector<Newcomer> newcomers(in.count(13));
    for (auto& newcomer : newcomers) {
        newcomer.slot = in.id<Slot>();
        newcomer.rank = in.id<Rank>();
        newcomer.holder = in.maybe<Slot>();
    }
    return newcomers;
}

void put(Writer& out, const std::vector<Loss>& lost) {
    out.u32(static_cast<std::uint32_t>(lost.size()));
    for (const auto& loss : lost) {
        out.id(loss.rank);
        out.text(loss.node);
        out.text(loss.text);
    }
}

std::vector<Loss> take_losses(Reader& in) {
    std::vector<Loss> lost(in.count(12));
    for (auto& loss : lost) {
        loss.rank = in.id<Rank>();
        loss.node = in.text();
        loss.text = in.text();
    }
    return lost;
}

void put(Writer& out, const std::vector<Promotion>& promoted) {
    out.u32(static_cast<std::uint32_t>(promoted.size()));
    for (const auto& promotion : promoted) {
        out.id(promotion.rank);
        out.id(promotion.slot);
    }
}

std::vector<Promotion> take_promotions(Reader& in) {
    std::vector<Promotion> promoted(in.count(8));
    for (auto& promotion : promoted) {
        promotion.rank = in.id<Rank>();
        promotion.slot = in.id<Slot>();
    }
    return promoted;
}

}  // namespace

Bytes encode(const Facts& facts) {
    Writer out;
    out.id(facts.rank);
    for (const bool wish : {facts.leaving, facts.parked, facts.close, facts.asked}) out.u8(wish ? 1 : 0);
    out.text(facts.going.substr(0, kGoingMax));
    out.maybe(facts.committed);
    out.maybe(facts.attempted);
    out.u8(facts.state_exists ? 1 : 0);
    out.id(facts.committed_in);
    auto proven = facts.proven_dead;
    proven.resize(std::min(proven.size(), kProvenMax));
    put(out, proven);
    auto wish = facts.wish;
    if (wish) wish->reason.resize(std::min(wish->reason.size(), kReasonMax));
    put(out, wish);
    put(out, facts.lifecycle);
    out.id(facts.mirror.term);
    out.u64(facts.mirror.index);
    for (auto seats : {facts.seats.seat, facts.seats.unseat}) {
        seats.resize(std::min(seats.size(), kSeatsMax));
        put(out, seats);
    }
    Bytes bytes = out.take();
    MUSTER_ASSERT(bytes.size() <= kFactsSize);
    bytes.resize(kFactsSize);
    return bytes;
}

std::optional<Facts> decode_facts(std::span<const std::byte> bytes) {
    Reader in(bytes);
    Facts facts;
    facts.rank = in.id<Rank>();
    for (bool* wish : {&facts.leaving, &facts.parked, &facts.close, &facts.asked}) *wish = in.u8() == 1;
    facts.going = in.text();
    facts.committed = in.maybe<Step>();
    facts.attempted = in.maybe<Step>();
    facts.state_exists = in.u8() == 1;
    facts.committed_in = in.id<Round>();
    facts.proven_dead = take_ranks(in);
    facts.wish = take_wish(in);
    auto lifecycle = take_lifecycle(in);
    if (!lifecycle) return std::nullopt;
    facts.lifecycle = std::move(*lifecycle);
    facts.mirror.term = in.id<Round>();
    facts.mirror.index = in.u64();
    for (auto* seats : {&facts.seats.seat, &facts.seats.unseat}) *seats = take_seats(in);
    return in.ok() ? std::optional<Facts>(std::move(facts)) : std::nullopt;
}

Bytes encode(const Plan& plan) {
    Writer out;
    put(out, plan.ending);
    out.id(plan.round);
    put(out, plan.world);
    put(out, plan.standbys);
    put(out, plan.waiting);
    put(out, plan.clients);
    put(out, plan.dismissed);
    out.u8(plan.closed ? 1 : 0);
    out.u8(plan.asked ? 1 : 0);
    out.maybe(plan.step);
    out.maybe(plan.source);
    put(out, plan.newcomers);
    out.id(plan.state_round);
    put(out, plan.lost);
    put(out, plan.promoted);
    put(out, plan.lifecycle);
    out.maybe(plan.keeper);
    out.id(plan.keeper_term);
    put(out, plan.seats);
    return out.take();
}

std::optional<Plan> decode_plan(std::span<const std::byte> bytes) {
    Reader in(bytes);
    Plan plan;
    plan.ending = take_wish(in);
    plan.round = in.id<Round>();
    plan.world = take_ranks(in);
    plan.standbys = take_ranks(in);
    plan.waiting = take_ranks(in);
    plan.clients = take_ranks(in);
    plan.dismissed = take_ranks(in);
    plan.closed = in.u8() == 1;
    plan.asked = in.u8() == 1;
    plan.step = in.maybe<Step>();
    plan.source = in.maybe<Slot>();
    plan.newcomers = take_newcomers(in);
    plan.state_round = in.id<Round>();
    plan.lost = take_losses(in);
    plan.promoted = take_promotions(in);
    auto lifecycle = take_lifecycle(in);
    if (!lifecycle) return std::nullopt;
    plan.lifecycle = std::move(*lifecycle);
    plan.keeper = in.maybe<Rank>();
    plan.keeper_term = in.id<Round>();
    plan.seats = take_seats(in);
    return in.finished() ? std::optional<Plan>(std::move(plan)) : std::nullopt;
}

}  // namespace muster::core
