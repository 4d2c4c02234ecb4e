// SPDX-License-Identifier: Apache-2.0
#include "core/job_state.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace muster::core {
namespace {

constexpr std::uint32_t kMagic = 0x3153'4a4d;  // "MJS1"

Writer begun(JobEntry kind) {
    Writer out;
    out.u8(static_cast<std::uint8_t>(kind));
    return out;
}

void put(Writer& out, const CallBook::Call& call) {
    out.id(call.author);
    out.id(call.id);
    out.id(call.settled);
    out.maybe(call.goal);
}

CallBook::Call take_call(Reader& in) {
    CallBook::Call call;
    call.author = in.id<Rank>();
    call.id = in.id<CallId>();
    call.settled = in.id<CallId>();
    call.goal = in.maybe<controller::GoalId>();
    return call;
}

void put(Writer& out, const Counters& counters) {
    out.u64(static_cast<std::uint64_t>(counters.wave));
    out.u64(counters.signals);
    out.u8(static_cast<std::uint8_t>(counters.lifecycle));
}

std::optional<Counters> take_counters(Reader& in) {
    Counters counters;
    counters.wave = static_cast<std::int64_t>(in.u64());
    counters.signals = in.u64();
    const auto state = in.u8();
    if (state >= kStates || !is_stable(static_cast<State>(state))) return std::nullopt;
    counters.lifecycle = static_cast<State>(state);
    return counters;
}

/// What a controller's entry holds.
std::optional<JobState::ControllerStep> take_step(Reader& in) {
    JobState::ControllerStep step;
    if (in.u8() == 1) step.call = take_call(in);
    for (auto left = in.count(4); left > 0; --left) step.events.push_back(in.blob());
    if (!in.finished()) return std::nullopt;
    return step;
}

std::string words_of(const Counters& counters) {
    return "waves below " + std::to_string(counters.wave) + ", " + std::to_string(counters.signals) +
           " signals, wanted " + name_of(counters.lifecycle);
}

std::string words_of(const CallBook::Call& call) {
    return " (call " + std::to_string(call.id.value) + " of rank " + std::to_string(call.author.value) + ")";
}

std::optional<std::string> describe_step(Reader& in) {
    const auto step = take_step(in);
    if (!step) return std::nullopt;
    std::string text;
    for (const auto& bytes : step->events) {
        const auto event = controller::decode_event(bytes);
        if (!event) return std::nullopt;
        text += (text.empty() ? "" : "; ") + controller::describe(*event);
    }
    return text + (step->call ? words_of(*step->call) : "");
}

}  // namespace

const char* name_of(JobEntry kind) {
    switch (kind) {
        case JobEntry::registry: return "registry";
        case JobEntry::controller: return "controller";
        case JobEntry::counters: return "counters";
        case JobEntry::whole: return "whole";
    }
    return "unknown";
}

void CallBook::add(const Call& call) {
    Author& author = authors_[call.author];
    author.settled = std::max(author.settled, call.settled);
    author.done.erase(author.done.begin(), author.done.lower_bound(author.settled));
    author.done.emplace(call.id, call.goal);
}

std::optional<CallBook::Call> CallBook::find(Rank author, CallId id) const {
    const auto known = authors_.find(author);
    if (known == authors_.end()) return std::nullopt;
    const auto done = known->second.done.find(id);
    if (done == known->second.done.end()) return std::nullopt;
    return Call{author, id, known->second.settled, done->second};
}

CallId CallBook::settled(Rank author) const {
    const auto known = authors_.find(author);
    return known == authors_.end() ? CallId{} : known->second.settled;
}

std::size_t CallBook::unsettled(Rank author, CallId settled) const {
    const auto known = authors_.find(author);
    if (known == authors_.end()) return 0;
    const auto& done = known->second.done;
    return static_cast<std::size_t>(std::distance(done.lower_bound(settled), done.end()));
}

void CallBook::put(Writer& out) const {
    out.u32(static_cast<std::uint32_t>(authors_.size()));
    for (const auto& [rank, author] : authors_) {
        out.id(rank);
        out.id(author.settled);
        out.u32(static_cast<std::uint32_t>(author.done.size()));
        for (const auto& [id, goal] : author.done) out.id(id), out.maybe(goal);
    }
}

CallBook CallBook::take(Reader& in) {
    CallBook book;
    for (auto left = in.count(4 + 8 + 4); left > 0; --left) {
        Author& author = book.authors_[in.id<Rank>()];
        author.settled = in.id<CallId>();
        for (auto calls = in.count(8 + 1 + 8); calls > 0; --calls) {
            const auto id = in.id<CallId>();
            author.done[id] = in.maybe<controller::GoalId>();
        }
    }
    return book;
}

Bytes JobState::entry(const Registry::Change& change) {
    auto out = begun(JobEntry::registry);
    out.blob(Registry::entry(change));
    return out.take();
}

Bytes JobState::entry(const ControllerStep& step) {
    auto out = begun(JobEntry::controller);
    out.u8(step.call ? 1 : 0);
    if (step.call) put(out, *step.call);
    out.u32(static_cast<std::uint32_t>(step.events.size()));
    for (const auto& event : step.events) out.blob(event);
    return out.take();
}

Bytes JobState::entry(const Counters& counters) {
    auto out = begun(JobEntry::counters);
    put(out, counters);
    return out.take();
}

bool JobState::apply(std::span<const std::byte> entry) {
    Reader in(entry);
    switch (static_cast<JobEntry>(in.u8())) {
        case JobEntry::registry: {
            const auto change = in.blob();
            return in.finished() && registry_.apply(change);
        }
        case JobEntry::controller: return fold_step(in);
        case JobEntry::counters: {
            const auto counters = take_counters(in);
            if (!counters || !in.finished()) return false;
            counters_ = *counters;
            return true;
        }
        case JobEntry::whole: break;  // Snapshots are loaded.
    }
    return false;
}

/// All events or none of them.
bool JobState::fold_step(Reader& in) {
    const auto step = take_step(in);
    if (!step) return false;
    const auto is_event = [](const Bytes& bytes) { return controller::decode_event(bytes).has_value(); };
    if (!std::all_of(step->events.begin(), step->events.end(), is_event)) return false;
    for (const auto& event : step->events) (void)controller_.apply(event);
    if (step->call) calls_.add(*step->call);
    return true;
}

Bytes JobState::snapshot() const {
    Writer out;
    out.u32(kMagic);
    out.blob(registry_.snapshot());
    out.blob(controller_.snapshot());
    calls_.put(out);
    put(out, counters_);
    return out.take();
}

bool JobState::load(std::span<const std::byte> snapshot) {
    Reader in(snapshot);
    JobState read_back;
    if (in.u32() != kMagic) return false;
    if (!read_back.registry_.load(in.blob()) || !read_back.controller_.load(in.blob())) return false;
    read_back.calls_ = CallBook::take(in);
    const auto counters = take_counters(in);
    if (!counters || !in.finished()) return false;
    read_back.counters_ = *counters;
    *this = std::move(read_back);
    return true;
}

void JobState::forget_callers() {
    registry_.forget_callers();
    calls_ = CallBook{};
}

std::optional<JobEntry> kind_of(std::span<const std::byte> entry) {
    if (entry.empty()) return std::nullopt;
    const auto kind = std::to_integer<std::uint8_t>(entry.front());
    if (kind < static_cast<std::uint8_t>(JobEntry::registry) || kind >= static_cast<std::uint8_t>(JobEntry::whole))
        return std::nullopt;
    return static_cast<JobEntry>(kind);
}

std::optional<std::string> describe_entry(std::span<const std::byte> entry) {
    const auto kind = kind_of(entry);
    if (!kind) return std::nullopt;
    Reader in(entry.subspan(1));
    if (*kind == JobEntry::controller) return describe_step(in);
    if (*kind == JobEntry::registry) {
        const auto change = in.blob();
        return in.finished() ? Registry::describe(change) : std::nullopt;
    }
    const auto counters = take_counters(in);
    return counters && in.finished() ? std::optional(words_of(*counters)) : std::nullopt;
}

std::optional<std::string> describe_snapshot(std::span<const std::byte> snapshot) {
    JobState state;
    if (!state.load(snapshot)) return std::nullopt;
    const auto& now = state.controller().state();
    std::size_t replicas = 0;
    for (const auto& [tag, of_backend] : now.replicas) replicas += of_backend.size();
    return "backends " + std::to_string(now.backends.size()) + ", endpoints " + std::to_string(now.endpoints.size()) +
           ", replicas " + std::to_string(replicas) + ", goals pending " + std::to_string(now.pending.size()) +
           ", registry " + std::to_string(state.registry().bytes()) + " bytes, " + words_of(state.counters());
}

}  // namespace muster::core
