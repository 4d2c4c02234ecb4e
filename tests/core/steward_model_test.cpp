// SPDX-License-Identifier: Apache-2.0
/// Random stories of a whole job: a steward on each member, members that prepare, refuse, are silent, die and fill each
/// other's places, coordinators that die in the middle of anything. Whatever happens:
///   - a start ends once, as started or as failed, by its deadline; a stop ends with gone, by its grace time and a
///   round;
///   - no round is asked for a replica of which some member has not prepared;
///   - what is reported started works: each of its members has prepared what the controller wants, and is in it;
///   - whoever works in a replica has prepared that one, and only replicas that are wanted stay in the world.
#include <deque>
#include <functional>

#include "core/ranks.hpp"
#include "core/replica_seat.hpp"
#include "steward_support.hpp"

namespace muster::core {
namespace {

using controller::ReplicaReport;
using testing::Dice;

constexpr std::uint32_t kMembers = 13, kUnit = 2, kGroupsMin = 1;
constexpr std::uint64_t kLimit = 400, kGrace = 200;

struct Member {
    Steward steward{{.unit = kUnit, .start_limit_ms = kLimit, .gather_ms = 20}};
    ReplicaSeat seat;
    bool alive = true;
    std::deque<std::function<ReplicaSeatEffects()>> engine;  ///< What its engine thread has to do.
};

/// What the controller wants of a replica, and what it has heard. It outlives coordinators.
struct Wanted {
    enum { starting, running, stopping, over } phase = starting;
    bool told = false;  ///< This coordinator.
    std::uint64_t since = 0;
};

class Story {
public:
    explicit Story(std::uint64_t seed) : dice_(seed), members_(kMembers) { round({}); }

    std::string run() {
        for (std::uint32_t i = 0; i < 1'000 && faults_.empty(); ++i) step();
        calm_ = true;
        for (std::uint32_t i = 0; i < 2'000 && faults_.empty(); ++i) step();
        for (const auto& [seat, one] : wanted_)
            if (one.phase == Wanted::stopping) fault("stop of " + std::to_string(seat.value) + " has not ended");
        for (const auto& [seat, members] : world_.seats)
            if (!wanted_.contains(seat) || wanted_[seat].phase == Wanted::over)
                fault("nobody wants " + std::to_string(seat.value));
        return faults_;
    }
    std::uint32_t started = 0, failed = 0, gone = 0, deaths = 0;

private:
    void fault(const std::string& text) { faults_ += (faults_.empty() ? "" : "; ") + text; }
    Member& boss() { return members_[coordinator_.value]; }
    [[nodiscard]] bool in(Rank rank, const std::vector<std::vector<Rank>>& groups) const {
        return std::any_of(groups.begin(), groups.end(), [rank](const auto& group) { return contains(group, rank); });
    }

    void step() {
        now_ += dice_.below(3);
        switch (dice_.below(calm_ ? 6 : 9)) {
            case 0:
            case 1:
                for (auto left = dice_.below(8); left > 0; --left) deliver();
                break;
            case 2:
            case 3:
                for (auto left = dice_.below(8); left > 0; --left) engine_works();
                break;
            case 4: tick(); break;
            case 5: control(); break;
            case 6: wish(); break;
            case 7:
                if (dice_.one_in(12)) die();
                break;
            default:
                if (dice_.one_in(20)) round({});
        }
    }

    // The controller: it only knows what it was told, and tells a new coordinator again.
    void wish() {
        std::vector<SeatId> running;
        for (auto& [seat, one] : wanted_)
            if (one.phase == Wanted::running || one.phase == Wanted::starting) running.push_back(seat);
        if (running.size() < 5 && dice_.one_in(3)) {
            wanted_[SeatId{++last_}] = {.since = now_};
        } else if (!running.empty() && dice_.one_in(6)) {
            auto& one = wanted_[running[dice_.below(running.size())]];
            one = {Wanted::stopping, false, now_};
        }
    }
    void control() {
        for (auto& [seat, one] : wanted_) {
            if (one.phase == Wanted::over || std::exchange(one.told, true)) continue;
            if (one.phase == Wanted::starting) {
                one.since = now_;
                carry_out(boss().steward.start(testing::spec_of(seat.value), now_));
            } else if (one.phase == Wanted::running) {
                carry_out(boss().steward.attach(testing::spec_of(seat.value), true, now_));
            } else {
                one.since = now_;
                carry_out(boss().steward.stop(testing::name(seat.value), kGrace, now_));
            }
        }
        for (const auto seat : boss().steward.strangers())
            if (!wanted_.contains(seat) || wanted_[seat].phase == Wanted::over) boss().steward.give_back(seat, now_);
    }
    void reported(const ReplicaReport& report) {
        auto& one = wanted_[SeatId{report.name.id.value}];
        const std::string who = "#" + std::to_string(report.name.id.value);
        switch (report.kind) {
            case ReplicaReport::Kind::started:
                if (one.phase == Wanted::over) fault(who + " started after its end");
                if (one.phase == Wanted::starting) one.phase = Wanted::running, ++started;
                check_works(SeatId{report.name.id.value});
                break;
            case ReplicaReport::Kind::start_failed:
                if (one.phase == Wanted::running) fault(who + " failed to start after it had");
                ++failed;
                one.phase = Wanted::over;
                break;
            case ReplicaReport::Kind::gone:
                ++gone;
                one.phase = Wanted::over;
                break;
            default: break;
        }
    }
    void check_works(SeatId seat) {
        if (!world_.seats.contains(seat)) return fault("started outside the world");
        for (const Rank rank : world_.seats[seat]) {
            const auto& spec = members_[rank.value].seat.spec();
            if (!spec || spec->seat != seat) fault("rank " + std::to_string(rank.value) + " is not prepared");
        }
    }

    void tick() {
        std::set<SeatId> drained;
        for (const auto& one : boss().steward.draining())
            if (dice_.one_in(3)) drained.insert(one.seat);
        carry_out(boss().steward.tick(now_, drained));
        for (const auto& [seat, one] : wanted_) {
            const auto limit = one.phase == Wanted::starting ? 2 * kLimit : 3 * kGrace;
            const bool waits = one.phase == Wanted::starting || one.phase == Wanted::stopping;
            if (calm_ && waits && one.told && now_ > one.since + limit + 200)
                fault("#" + std::to_string(seat.value) + " has no end");
        }
    }
    void carry_out(const StewardEffects& effects) {
        const Rank from = coordinator_;
        for (const auto& effect : effects) {
            if (const auto* order = std::get_if<OrderMember>(&effect))
                network_.emplace_back(order->to, [this, to = order->to, what = order->order] { ordered(to, what); });
            if (const auto* report = std::get_if<ReplicaReport>(&effect)) reported(*report);
            if (const auto* asked = std::get_if<SeatWishes>(&effect)) {
                for (const auto seat : asked->seat) check_prepared(seat);
                round(*asked);
            }
            if (coordinator_ != from) return;
        }
    }
    /// Somebody has prepared; who was chosen is the steward's affair, and unit members must have.
    void check_prepared(SeatId seat) {
        std::uint32_t count = 0;
        for (const auto& member : members_) count += member.seat.spec() && member.seat.spec()->seat == seat ? 1 : 0;
        if (count < kUnit && deaths_since_ == 0) fault("a round for #" + std::to_string(seat.value) + " unprepared");
    }

    // Members.
    void ordered(Rank to, const MemberOrder& order) {
        auto& seat = members_[to.value].seat;
        if (const auto* prepare = std::get_if<message::ReplicaPrepare>(&order))
            answer(to, seat.prepare(prepare->spec, dice_.one_in(40) ? "it is parked" : ""));
        if (const auto* cancel = std::get_if<message::ReplicaCancel>(&order)) seat.cancel(cancel->seat);
        if (const auto* check = std::get_if<message::ReplicaCheck>(&order))
            answer(to, seat.check(check->seat, check->number));
    }
    void answer(Rank from, const ReplicaSeatEffects& effects) {
        auto& member = members_[from.value];
        for (const auto& effect : effects) {
            if (const auto* prepare = std::get_if<PrepareEngine>(&effect)) {
                const bool no = !calm_ && dice_.one_in(10), silent = !calm_ && dice_.one_in(15);
                if (silent) continue;
                member.engine.push_back([&member, no, seat = prepare->spec.seat] {
                    return member.seat.prepared(seat, no ? std::optional<std::string>("no") : std::nullopt);
                });
            }
            if (const auto* said = std::get_if<AnswerCoordinator>(&effect))
                network_.emplace_back(coordinator_, [this, from, what = said->answer] { heard(from, what); });
        }
    }
    void heard(Rank from, const ReplicaAnswer& answer) {
        carry_out(std::visit([&](const auto& one) { return boss().steward.heard(from, one, now_); }, answer));
    }
    void engine_works() {
        const Rank rank{dice_.below(kMembers)};
        auto& member = members_[rank.value];
        if (!member.alive || member.engine.empty()) return;
        auto work = std::move(member.engine.front());
        member.engine.pop_front();
        answer(rank, work());
    }
    /// In order between two members; here even between all.
    void deliver() {
        if (network_.empty()) return;
        auto [to, what] = std::move(network_.front());
        network_.pop_front();
        if (members_[to.value].alive) what();
    }
    void die() {
        std::vector<Rank> alive;
        for (std::uint32_t i = 0; i < kMembers; ++i)
            if (members_[i].alive) alive.push_back(Rank{i});
        if (alive.size() <= 2 * kUnit + 1) return;
        members_[(dice_.one_in(3) ? coordinator_ : alive[dice_.below(alive.size())]).value].alive = false;
        ++deaths, ++deaths_since_;
        round({});
    }

    /// What a round makes of the world: the dead are replaced by standbys, wishes are granted where there is room.
    void round(const SeatWishes& wishes) {
        const auto live = [&](Rank rank) { return members_[rank.value].alive; };
        std::vector<Rank> standbys;
        std::map<SeatId, std::vector<Rank>> seats;
        std::set<Rank> placed;
        for (const auto& [seat, group] : world_.seats)
            if (std::find(wishes.unseat.begin(), wishes.unseat.end(), seat) == wishes.unseat.end()) {
                seats[seat] = group;
                for (const Rank rank : group)
                    if (live(rank)) placed.insert(rank);
            }
        for (std::uint32_t i = 0; i < kMembers; ++i)
            if (live(Rank{i}) && !placed.contains(Rank{i})) standbys.push_back(Rank{i});
        const auto take = [&] {
            const Rank one = standbys.front();
            standbys.erase(standbys.begin());
            return one;
        };
        for (auto group = seats.begin(); group != seats.end();) {
            for (auto& rank : group->second)
                if (!live(rank) && !standbys.empty()) rank = take();
            const bool whole = std::all_of(group->second.begin(), group->second.end(), live);
            if (!whole) std::copy_if(group->second.begin(), group->second.end(), std::back_inserter(standbys), live);
            group = whole ? std::next(group) : seats.erase(group);
        }
        std::sort(standbys.begin(), standbys.end());
        world_.idle.clear();
        for (const auto seat : wishes.seat)
            if (standbys.size() >= kUnit && !(dice_.one_in(20) && !calm_)) seats[seat] = {take(), take()};
        if (seats.empty() && standbys.size() >= kUnit) world_.idle.push_back({take(), take()});
        world_.seats = std::move(seats);
        world_.standbys = std::move(standbys);
        ++world_.round.value;
        enter();
    }
    void enter() {
        const Rank before = coordinator_;
        for (std::uint32_t i = kMembers; i-- > 0;)
            if (members_[i].alive) coordinator_ = Rank{i};
        // What was on its way is sent again, to whoever coordinates now; what was for the dead is lost.
        if (coordinator_ != before) {
            for (auto& [seat, one] : wanted_) one.told = false;
            std::erase_if(network_, [&](const auto& one) { return one.first == before; });
        }
        deaths_since_ = 0;
        std::vector<std::pair<Rank, StewardEffects>> effects;
        for (std::uint32_t i = 0; i < kMembers; ++i) {
            auto& member = members_[i];
            if (!member.alive) continue;
            std::optional<SeatId> seat;
            for (const auto& [id, group] : world_.seats)
                if (contains(group, Rank{i})) seat = id;
            member.seat.entered(world_.round, seat);
            if (seat) member.engine.push_back([&member, round = world_.round] { return member.seat.taken(round); });
            effects.emplace_back(Rank{i}, member.steward.completed(world_, Rank{i} == coordinator_, now_));
        }
        for (const auto& [rank, list] : effects) {
            if (rank != coordinator_ && !list.empty()) fault("a bystander acts");
            if (rank == coordinator_) carry_out(list);
        }
    }

    Dice dice_;
    std::vector<Member> members_;
    SeatedWorld world_;
    Rank coordinator_{0};
    std::map<SeatId, Wanted> wanted_;
    std::deque<std::pair<Rank, std::function<void()>>> network_;
    std::uint64_t now_ = 0, last_ = 0;
    std::uint32_t deaths_since_ = 0;
    bool calm_ = false;
    std::string faults_;
};

TEST(StewardModel, EveryStartAndStopEnds) {
    std::uint32_t started = 0, failed = 0, gone = 0, deaths = 0;
    for (const auto seed : testing::seeds(3'000)) {
        SCOPED_TRACE(testing::replay(seed));
        Story story(seed);
        ASSERT_EQ(story.run(), "");
        started += story.started, failed += story.failed, gone += story.gone, deaths += story.deaths;
    }
    std::printf("%u started, %u failed, %u gone, %u deaths\n", started, failed, gone, deaths);
    if (std::getenv("MUSTER_SEED") != nullptr) return;
    EXPECT_GT(started, 6'000u);
    EXPECT_GT(failed, 1'000u);
    EXPECT_GT(gone, 1'000u);
    EXPECT_GT(deaths, 3'000u);
}

}  // namespace
}  // namespace muster::core
