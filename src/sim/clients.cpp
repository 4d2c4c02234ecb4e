// SPDX-License-Identifier: Apache-2.0
/// What clients do of their own accord: connect, ask for signals, legal and illegal ones, hand in requests.
#include <algorithm>

#include "sim/stage.hpp"

namespace muster::sim {
namespace {

constexpr std::size_t kOperationsMax = 3;  ///< Open ones per client.
constexpr std::size_t kRequestsMax = 40, kBurstsOpenMax = 120;
constexpr std::uint32_t kSecondThoughtsMax = 3'000;  ///< Ticks after which a request is taken back, if at all.

/// The signal that leads from one stable state towards another; nothing where they are the same.
std::optional<core::Wanted> way(State from, State to) {
    using core::Wanted;
    if (from == to) return std::nullopt;
    if (from == State::stopped) return Wanted::start;
    if (to == State::stopped) return Wanted::stopped;
    if (to == State::suspended) return Wanted::suspended;
    if (from == State::suspended) return Wanted::resume;
    return to == State::paused ? Wanted::pause : Wanted::unpause;
}

}  // namespace

Member* World::Stage::someone_to_ask() {
    std::vector<Member*> some;
    for (auto& member : members_)
        if (member.alive && !member.cut && !member.ended && (member.client || options_.clients == 0))
            some.push_back(&member);
    if (some.empty())
        for (auto& member : members_)
            if (member.alive && !member.cut && !member.ended) some.push_back(&member);
    return some.empty() ? nullptr : some[dice_.below(some.size())];
}

void World::Stage::ask(Member& client, core::Wanted wanted) {
    if (!client.book) client.book = std::make_unique<ClientBook>();
    const core::OperationId operation{++client.book->operations};
    client.book->open_operations[operation.value] = wanted;
    ++counts_.operations;
    if (followed()) tell(client, "asks for operation " + std::to_string(operation.value));
    witness_.asks(client, operation, wanted);
    post(client, mail::Ask{operation, wanted});
}

void World::Stage::submit(Member& client) {
    if (!client.book) client.book = std::make_unique<ClientBook>();
    const RequestId id{++client.book->requests};
    client.book->open_requests.insert(id.value);
    ++counts_.requests;
    auto hints = any_hints();
    witness_.submits(client, id);
    witness_.waves().submits(client, id, hints.pin);
    if (deploys()) witness_.controller().submits(client, id, hints.target, now());
    post(client, mail::Submit{id, std::move(hints)});
    if (dice_.chance(options_.aborts))
        arrange(dice_.between(1, kSecondThoughtsMax), client, Happening::client_aborts,
                static_cast<std::uint32_t>(id.value));
}

void World::Stage::take_back(Member& client, RequestId id) {
    if (!client.book->open_requests.contains(id.value)) return;
    ++counts_.taken_back;
    witness_.waves().takes_back(client, id);
    post(client, mail::Abort{id});
}

/// Now and then a slot that is not there; prefixes are few, so that several requests share one.
core::RequestHints World::Stage::any_hints() {
    core::RequestHints hints;
    if (deploys())
        hints.target = any_target();
    else if (dice_.chance(options_.pins))
        hints.pin = Slot{dice_.below(options_.engines * options_.engine_ranks + 1)};
    if (options_.routing == Routing::prefix_affinity)
        for (std::uint64_t prefix = dice_.below(5), block = 0; block < prefix; ++block)
            hints.blocks.push_back(BlockHash{100 * prefix + block});
    return hints;
}

/// Many at once, then silence: every group is woken and comes to rest again and again.
void World::Stage::client_bursts(Member& member) {
    if (healed_ || member.ended) return;
    const auto room = kBurstsOpenMax - std::min(member.book->open_requests.size(), kBurstsOpenMax);
    for (auto more = std::min<std::size_t>(room, dice_.between(1, options_.burst_max)); more > 0; --more)
        submit(member);
    arrange(dice_.between(1, static_cast<std::uint32_t>(2 * kTicksPerMs / options_.bursts_per_ms)), member,
            Happening::client_bursts);
}

void World::Stage::client_acts(Member& member) {
    if (healed_ || member.ended) return;
    ClientBook& book = *member.book;
    if (!book.connected) {
        if (!std::exchange(book.connecting, true)) post(member, mail::Connect{});
        return;  // It goes on when it is connected.
    }
    if (dice_.below(2) == 0) {
        if (book.open_requests.size() < kRequestsMax)
            for (auto more = dice_.between(1, 4); more > 0; --more) submit(member);
    } else if (book.open_operations.size() < kOperationsMax) {
        ask(member, any_signal());
    }
    arrange(dice_.between(1, static_cast<std::uint32_t>(2 * kTicksPerMs / options_.acts_per_ms)), member,
            Happening::client_acts);
}

/// Mostly something that leads on from the present state, else anything at all.
core::Wanted World::Stage::any_signal() {
    using core::Wanted;
    const auto any = static_cast<Wanted>(dice_.below(core::kWanted));
    if (dice_.below(4) == 0) return any;
    const State here = witness_.state_after(witness_.crossed());
    if (here == State::running) return dice_.below(6) == 0 ? Wanted::suspended : Wanted::pause;
    if (here == State::suspended) return Wanted::resume;
    if (here == State::stopped) return Wanted::start;
    if (dice_.below(12) == 0) return Wanted::stop;
    return dice_.below(2) == 0 ? Wanted::suspend : Wanted::unpause;
}

void World::Stage::lead_to(State state) {
    for (const auto& member : members_)
        if (member.alive && !member.ended && member.book && !member.book->open_operations.empty()) return;
    const Member* some = newest();
    if (!some || !some->view) return;
    const Member& coordinator = members_[some->view->coordinator.value];
    if (!coordinator.alive || coordinator.hung || coordinator.cut || !coordinator.steady) return;
    const auto next = way(core::wanted_state(coordinator.switchboard->facts()), state);
    if (Member* client = someone_to_ask(); next && client) ask(*client, *next);
}

}  // namespace muster::sim
