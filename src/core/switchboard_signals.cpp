// SPDX-License-Identifier: Apache-2.0
/// Signals: asked for by clients, judged and numbered by the coordinator, told down the tree, done once all have
/// crossed.
#include <utility>

#include "core/switchboard.hpp"

namespace muster::core {
namespace {

std::string named(Rank rank) { return "rank " + std::to_string(rank.value); }

/// The signal that ends an operation: a compound one leads through others first.
Signal last_of(Wanted wanted) {
    if (wanted == Wanted::suspended) return Signal::suspend;
    if (wanted == Wanted::stopped) return Signal::stop;
    return static_cast<Signal>(wanted);
}

}  // namespace

// The client's side.

SwitchEffects Switchboard::ask(OperationId operation, Wanted wanted) {
    SwitchEffects out;
    if (over_) {
        out.emplace_back(OperationEnded{operation, over_});
        return out;
    }
    client_ = true;
    connect_to_coordinator(out);
    if (operations_.emplace(operation, Asked{wanted}).second) {
        if (!reachable()) return out;
        operations_[operation].sent = true;
        send(view_->coordinator, message::Ask{operation, wanted}, out);
    } else {
        out.emplace_back(Note{"dropped: operation " + std::to_string(operation.value) + " is under way"});
    }
    return out;
}

/// Another coordinator: what all have agreed on may be what was asked for.
void Switchboard::settle_operations(SwitchEffects& out) {
    for (auto entry = operations_.begin(); entry != operations_.end();) {
        auto& [operation, asked] = *entry;
        asked.sent = false;
        const auto known = log_.entry_of(self_, operation);
        if (!known || known->signal != last_of(asked.wanted) || known->number > facts().crossed) {
            ++entry;
            continue;
        }
        out.emplace_back(OperationEnded{operation, std::nullopt});
        entry = operations_.erase(entry);
    }
}

void Switchboard::on(Rank from, message::Told told, SwitchEffects& out) {
    const auto asked = operations_.find(told.operation);
    // What another than the coordinator refused was asked anew, so only the coordinator's word counts.
    if (asked == operations_.end() || (!told.accepted && from != view_->coordinator)) {
        out.emplace_back(Note{"dropped: " + named(from) + " tells the end of operation " +
                              std::to_string(told.operation.value) + ", which is not open"});
        return;
    }
    operations_.erase(asked);
    std::optional<Error> error;
    if (!told.accepted) error = Error{Fault::refused, std::move(told.reason)};
    out.emplace_back(OperationEnded{told.operation, std::move(error)});
}

// The coordinator's side.

void Switchboard::on(Rank from, message::Ask ask, SwitchEffects& out) {
    if (!clients_.contains(from)) {
        out.emplace_back(Note{"ignored: a signal from " + named(from) + ", which is not connected here"});
        return;
    }
    judge(from, ask.operation, ask.wanted, out);
}

std::vector<Signal> Switchboard::path_to(Wanted wanted) const {
    const bool running = table_.state() == State::running && !table_.stopped();
    if (wanted == Wanted::suspended) {
        if (table_.state() == State::suspended) return {};
        return running ? std::vector{Signal::pause, Signal::suspend} : std::vector{Signal::suspend};
    }
    if (wanted == Wanted::stopped) {
        if (table_.stopped()) return {};
        return running ? std::vector{Signal::pause, Signal::stop} : std::vector{Signal::stop};
    }
    return {last_of(wanted)};
}

void Switchboard::judge(Rank client, OperationId operation, Wanted wanted, SwitchEffects& out) {
    const auto known = log_.entry_of(client, operation);
    if (known && known->signal == last_of(wanted)) return await(client, operation, known->number, out);
    CoordinatorLifecycle table = table_;
    std::vector<Signal> accepted;
    for (const Signal signal : path_to(wanted)) {
        const Outcome outcome = table.step(signal);
        if (!outcome.accepted) return refuse(client, operation, wanted, outcome.reason, out);
        if (outcome.act == Act::broadcast) accepted.push_back(signal);
    }
    // Already so, or on its way: done with the last barrier that leads there.
    if (accepted.empty()) return await(client, operation, log_.last(), out);
    // An earlier coordinator has judged it and a later one after it; done twice it would undo the later one.
    if (!known && log_.judged(client, operation))
        return refuse(client, operation, wanted, "answered by a coordinator that is gone; ask again", out);
    if (facts().pending.size() + accepted.size() > kPendingMax)
        return refuse(client, operation, wanted,
                      "busy: " + std::to_string(kPendingMax) + " signals wait for their barriers", out);
    // The intent is written down before anybody sees it (design.md, section 5).
    const State leads_to = table.stopped() ? State::stopped : table.state();
    if (auto why = write_counters(log_.last() + accepted.size(), leads_to, out))
        return refuse(client, operation, wanted, "it could not be written down: " + *why, out);
    table_ = table;
    for (const Signal signal : accepted) announce({log_.last() + 1, signal, client, operation}, out);
    await(client, operation, log_.last(), out);
}

void Switchboard::refuse(Rank client, OperationId operation, Wanted wanted, const std::string& why,
                         SwitchEffects& out) {
    out.emplace_back(Note{std::string("refused: ") + name_of(last_of(wanted)) + " from " + named(client) + ": " + why});
    send(client, message::Told{operation, false, why}, out);
}

/// No member acknowledges a signal (M14): the coordinator crosses the same barrier.
void Switchboard::await(Rank client, OperationId operation, std::uint64_t number, SwitchEffects& out) {
    if (number > facts().crossed) {
        awaited_[{client, operation}] = number;
    } else {
        send(client, message::Told{operation, true, {}}, out);
    }
}

void Switchboard::announce(const SignalEntry& entry, SwitchEffects& out) {
    const message::Tell tell{entry, facts().crossed};
    (void)log_.append(entry);  // It is the next one, and judge() has seen that there is room.
    pass_on(tell, out);
    out.emplace_back(SignalArrived{entry});
}

void Switchboard::pass_on(const message::Tell& tell, SwitchEffects& out) {
    const auto& members = view_->members;
    for (const auto child : tree_children(place_of(self_), place_of(view_->coordinator),
                                          static_cast<std::uint32_t>(members.size()), settings_.fan_out))
        send(members[child], tell, out);
}

void Switchboard::tell_crossed(SwitchEffects& out) {
    if (!coordinates() || interrupted_) return;  // What a broken round has crossed is agreed on first.
    std::vector<std::pair<Rank, OperationId>> done;
    for (const auto& [who, number] : awaited_)
        if (number <= facts().crossed) done.push_back(who);
    for (const auto& who : done) {
        awaited_.erase(who);
        send(who.first, message::Told{who.second, true, {}}, out);
    }
}

// Every member's side.

void Switchboard::on(Rank from, message::Tell tell, SwitchEffects& out) {
    const auto parent = tree_parent(place_of(self_), place_of(view_->coordinator),
                                    static_cast<std::uint32_t>(view_->members.size()), settings_.fan_out);
    if (!parent || view_->members[*parent] != from) {
        out.emplace_back(Note{"dropped: signal " + std::to_string(tell.entry.number) + " from " + named(from) +
                              ", who is not above this member"});
        return;
    }
    if (tell.entry.number <= log_.last()) return;  // It came with the round.
    if (tell.entry.number == log_.last() + 1) advance(tell.crossed, out);
    if (!log_.append(tell.entry)) {
        out.emplace_back(Note{"dropped: signal " + std::to_string(tell.entry.number) + ", the last one was " +
                              std::to_string(log_.last())});
        return;
    }
    pass_on(tell, out);
    out.emplace_back(SignalArrived{tell.entry});
}

SwitchEffects Switchboard::crossed(std::uint64_t barrier) {
    SwitchEffects out;
    advance(barrier, out);
    tell_crossed(out);
    return out;
}

void Switchboard::advance(std::uint64_t barrier, SwitchEffects& out) {
    while (facts().crossed < barrier && !facts().pending.empty()) {
        const State before = facts().state;
        log_.crossed(facts().crossed + 1);
        const State now = facts().state;
        pause_waves(out);
        if (now == before || (now != State::stopped && before != State::stopped)) continue;
        if (now == State::stopped) in_progress_.clear();
        if (!coordinates() || interrupted_) {  // complete() does it, with what all have agreed on.
            stop_crossed_ = stop_crossed_ || (interrupted_ && now == State::stopped);
            continue;
        }
        if (now == State::stopped) {
            route(routers_.stopped(), out);
        } else {
            for (const Rank engine : view_->sources)
                if (!leavers_.contains(engine)) route(routers_.engine_registers(engine), out);
        }
    }
}

void Switchboard::adopt(const LifecycleFacts& agreed, SwitchEffects& out) {
    // A start may have been crossed after the stop: the state alone does not tell that engines have dropped their work.
    for (const auto& entry : facts().pending)
        stop_crossed_ = stop_crossed_ || (entry.number <= agreed.crossed && entry.signal == Signal::stop);
    log_.adopt(agreed);
    const State wanted = wanted_state(agreed);
    const bool stopped = wanted == State::stopped;
    table_.adopt(stopped ? State::running : wanted, stopped);
    // The engine's loop begins again with the round.
    for (const auto& entry : agreed.pending) out.emplace_back(SignalArrived{entry});
}

}  // namespace muster::core
