// SPDX-License-Identifier: Apache-2.0
#include "core/fault_order.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "core/fault_points.hpp"

namespace muster::core {
namespace {

constexpr double kLongestSeconds = 1e6;  ///< Eleven days: longer than any test, short enough for arithmetic.
constexpr double kRateLeast = 0.001, kRateMost = 100;

constexpr std::array kKinds = {"kill", "stop", "slow", "exit0", "abort", "segv"};

/// Kinds that are understood and cannot be done yet.
struct Missing {
    std::string_view kind, why;
};
constexpr std::array kMissing = {
    Missing{"node",
            "muster run keeps no helper process on each node yet that could end all of the node's ranks at once"},
    Missing{"link", "muster run does not hold the nodes' network interfaces, so it cannot take one down"},
    Missing{"hold-lock", "no member writes a journal yet, so there is no lock whose holder could stay away"}};

/// What is wrong with one order. Thrown nowhere: the first one stays, later ones are its consequences.
class Complaint {
public:
    explicit Complaint(std::string_view order) : order_(order) {}
    void say(std::string_view part, const std::string& why) {
        if (text_.empty()) text_ = "'" + order_ + "': '" + std::string(part) + "' " + why;
    }
    void refuse(const std::string& why) {
        if (text_.empty()) text_ = "'" + order_ + "' " + why;
    }
    [[nodiscard]] bool any() const { return !text_.empty(); }
    [[nodiscard]] const std::string& text() const { return text_; }

private:
    std::string order_, text_;
};

std::string_view trimmed(std::string_view text) {
    const auto from = text.find_first_not_of(" \t\n");
    if (from == std::string_view::npos) return {};
    return text.substr(from, text.find_last_not_of(" \t\n") - from + 1);
}

/// Cuts `text` at the first `mark`: what is before it. `text` becomes what is behind it, or stays empty.
std::string_view cut(std::string_view& text, char mark) {
    const auto at = text.find(mark);
    const auto before = text.substr(0, at);
    text = at == std::string_view::npos ? std::string_view{} : text.substr(at + 1);
    return before;
}

template <class Number>
std::optional<Number> number_from(std::string_view text) {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

/// A count that must be there; 0 where it is not, with a complaint.
template <class Number>
Number count_from(std::string_view part, std::string_view digits, Number least, Complaint& complaint) {
    const auto value = number_from<Number>(digits);
    if (value && *value >= least) return *value;
    complaint.say(part, "must be a whole number from " + std::to_string(least) + " to " +
                            std::to_string(std::numeric_limits<Number>::max()));
    return least;
}

/// Microseconds. `unit_s` is that of a number without one, 0 where it must have one.
std::uint64_t duration_from(std::string_view part, double unit_s, const char* may_be, Complaint& complaint) {
    auto digits = part;
    if (digits.ends_with("ms")) {
        unit_s = 1e-3;
        digits.remove_suffix(2);
    } else if (digits.ends_with("s")) {
        unit_s = 1;
        digits.remove_suffix(1);
    }
    const auto value = number_from<double>(digits);
    const double seconds = value.value_or(0) * unit_s;
    if (value && std::isfinite(*value) && seconds > 0 && seconds <= kLongestSeconds)
        return static_cast<std::uint64_t>(std::llround(seconds * 1e6));
    complaint.say(part, std::string("must be ") + may_be);
    return 0;
}

/// "NAME#3": cuts the number off.
std::uint32_t nth_from(std::string_view& name, Complaint& complaint) {
    const auto hash = name.find('#');
    if (hash == std::string_view::npos) return 1;
    const auto part = name.substr(hash);
    name = name.substr(0, hash);
    return count_from<std::uint32_t>(part, part.substr(1), 1, complaint);
}

AtState state_trigger(std::string_view name, Complaint& complaint) {
    const auto nth = nth_from(name, complaint);
    if (const auto state = state_from(name)) return {*state, nth};
    std::string all;
    for (std::size_t i = 0; i < kStates; ++i)
        all += (i == 0 ? "" : i + 1 < kStates ? ", " : " or ") + std::string(name_of(static_cast<State>(i)));
    complaint.say(name, "is no state; it may be " + all);
    return {};
}

AtPoint point_trigger(std::string_view name, Complaint& complaint) {
    const auto nth = nth_from(name, complaint);
    if (!is_fault_point(name)) complaint.say(name, "is no point; it may be " + fault_points_text());
    return {std::string(name), nth};
}

AtRandom random_trigger(std::string_view text, Complaint& complaint) {
    AtRandom random;
    const auto rate = cut(text, ',');
    const auto per_second = rate.ends_with("/s") ? number_from<double>(rate.substr(0, rate.size() - 2)) : std::nullopt;
    if (!per_second || !(*per_second >= kRateLeast && *per_second <= kRateMost))
        complaint.say(rate, "must be faults a second from 0.001/s to 100/s, as in rate=0.2/s");
    random.per_second = per_second.value_or(0);
    while (!text.empty()) {
        const auto part = cut(text, ',');
        if (part.starts_with("seed="))
            random.seed = count_from<std::uint64_t>(part, part.substr(5), 0, complaint);
        else if (part.starts_with("max="))
            random.most = count_from<std::uint32_t>(part, part.substr(4), 1, complaint);
        else
            complaint.say(part, "may be seed=NUMBER or max=NUMBER");
    }
    return random;
}

void take_trigger(std::string_view text, FaultOrder& order, Complaint& complaint) {
    auto value = text;
    const auto name = cut(value, '=');
    if (name == "step")
        order.when = AtStep{count_from<std::uint64_t>(text, value, 0, complaint)};
    else if (name == "time")
        order.when =
            AtTime{duration_from(value, 0, "a time since the first round, as in time=2.5s or time=250ms", complaint)};
    else if (name == "state")
        order.when = state_trigger(value, complaint);
    else if (name == "point")
        order.when = point_trigger(value, complaint);
    else if (name == "rate")
        order.when = random_trigger(value, complaint);
    else
        complaint.say(text, "may be step=NUMBER, time=SECONDSs, state=STATE, point=POINT or rate=PER_SECOND/s");
}

void take_rank(std::string_view text, FaultOrder& order, Complaint& complaint) {
    if (!text.starts_with("rank=")) return complaint.say(text, "must be rank=NUMBER or rank=any");
    const auto value = text.substr(5);
    if (value == "any") return;
    const auto number = number_from<std::uint32_t>(value);
    if (!number) return complaint.say(text, "must be rank=NUMBER, a rank of the job at launch, or rank=any");
    order.rank = Rank{*number};
}

void take_amount(std::string_view text, bool there, FaultOrder& order, Complaint& complaint) {
    if (order.kind == FaultKind::stop) {
        if (there) order.amount_us = duration_from(text, 1, "the seconds until it goes on, as in 0.5", complaint);
    } else if (order.kind == FaultKind::slow) {
        if (!there) return complaint.refuse("lacks how much longer each turn takes: add :MILLISECONDS");
        order.amount_us =
            duration_from(text, 1e-3, "the milliseconds that each turn takes longer, as in 20", complaint);
    } else if (there) {
        complaint.say(text, std::string("is too much: nothing follows the trigger of ") + name_of(order.kind));
    }
}

std::optional<FaultKind> kind_from(std::string_view name, Complaint& complaint) {
    for (const auto& [kind, why] : kMissing)
        if (name == kind)
            complaint.refuse("cannot be done yet: " + std::string(why) +
                             "; what there is: kill, stop, slow, exit0, "
                             "abort and segv of a rank");
    const auto found = std::find(kKinds.begin(), kKinds.end(), name);
    if (found != kKinds.end()) return static_cast<FaultKind>(found - kKinds.begin());
    complaint.say(name, "is no fault; it may be kill, stop, slow, exit0, abort or segv");
    return std::nullopt;
}

constexpr std::string_view kCheckpoint = "crash-after-checkpoint=";

FaultOrder checkpoint_order(std::string_view text, Complaint& complaint) {
    FaultOrder order{.kind = FaultKind::exit0, .text = std::string(text)};
    auto how = text.substr(kCheckpoint.size());
    auto limits = cut(how, ':');
    const auto part = cut(limits, ',');
    AtCheckpoint when;
    const auto chance = number_from<double>(part);
    if (!chance || !(*chance > 0 && *chance <= 1))
        complaint.say(part, "must be a chance above 0 and up to 1, as in crash-after-checkpoint=0.2");
    when.chance = chance.value_or(0);
    if (limits.starts_with("max="))
        when.most = count_from<std::uint32_t>(limits, limits.substr(4), 1, complaint);
    else if (!limits.empty())
        complaint.say(limits, "may be max=NUMBER");
    if (how == "kill")
        order.kind = FaultKind::kill;
    else if (how != "exit" && text.find(':') != std::string_view::npos)
        complaint.say(how, "may be exit or kill");
    order.when = when;
    return order;
}

FaultOrder parse_order(std::string_view text, Complaint& complaint) {
    if (text.starts_with(kCheckpoint)) return checkpoint_order(text, complaint);
    FaultOrder order{.text = std::string(text)};
    auto rest = text;
    const auto who_and_what = cut(rest, '@');
    const auto colon = who_and_what.find(':');
    if (rest.empty() || colon == std::string_view::npos) {
        complaint.refuse("is not of the form KIND:rank=RANK@TRIGGER, as in kill:rank=3@step=120");
        return order;
    }
    const auto kind = kind_from(who_and_what.substr(0, colon), complaint);
    if (!kind) return order;
    order.kind = *kind;
    take_rank(who_and_what.substr(colon + 1), order, complaint);
    const bool has_amount = rest.find(':') != std::string_view::npos;
    take_trigger(cut(rest, ':'), order, complaint);
    take_amount(rest, has_amount, order, complaint);
    if (!order.rank && !std::holds_alternative<AtRandom>(order.when))
        complaint.say("rank=any", "goes with a rate only, as in rank=any@rate=0.2/s,seed=7,max=3; name a rank");
    return order;
}

}  // namespace

const char* name_of(FaultKind kind) { return kKinds[static_cast<std::size_t>(kind)]; }

Result<std::vector<FaultOrder>> parse_fault_orders(std::string_view text) {
    std::vector<FaultOrder> orders;
    while (!text.empty()) {
        const auto part = trimmed(cut(text, ';'));
        if (part.empty()) continue;
        Complaint complaint(part);
        orders.push_back(parse_order(part, complaint));
        if (complaint.any()) return Error{Fault::bad_setup, complaint.text()};
    }
    return orders;
}

std::string complaint_about_ranks(const std::vector<FaultOrder>& orders, std::uint32_t ranks) {
    for (const auto& order : orders)
        if (order.rank && order.rank->value >= ranks)
            return "'" + order.text + "': the job has the ranks 0 to " + std::to_string(ranks - 1);
    return "";
}

bool stops_for_ever(const std::vector<FaultOrder>& orders) {
    return std::any_of(orders.begin(), orders.end(),
                       [](const FaultOrder& order) { return order.kind == FaultKind::stop && order.amount_us == 0; });
}

}  // namespace muster::core
