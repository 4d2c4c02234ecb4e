// SPDX-License-Identifier: Apache-2.0
/// What an engine takes in at the start of a turn: all requests that have come, then at most one signal (M19), the same
/// on all ranks of the engine (M2, M21).
#include "agent/settings.hpp"
#include "session/turns.hpp"

namespace muster {
namespace {

core::Bytes packed(const std::optional<core::SignalEntry>& signal, const std::vector<Request>& requests) {
    core::Writer out;
    out.u64(signal ? signal->number : 0);
    out.u8(signal ? static_cast<std::uint8_t>(signal->signal) : 0);
    out.u32(static_cast<std::uint32_t>(requests.size()));
    for (const auto& request : requests) {
        out.id(request.client);
        out.id(request.id);
        out.blob(request.bytes);
    }
    return out.take();
}

bool unpack(const core::Bytes& bytes, std::optional<core::SignalEntry>& signal, std::vector<Request>& requests) {
    core::Reader in(bytes);
    core::SignalEntry entry;
    entry.number = in.u64();
    entry.signal = static_cast<Signal>(in.u8());
    if (entry.number > 0) signal = entry;
    requests.resize(in.count(16));
    for (auto& request : requests) {
        request.client = in.id<Rank>();
        request.id = in.id<RequestId>();
        request.bytes = in.blob();
    }
    return in.finished();
}

}  // namespace

/// Turns that are taken in step with the lockstep group, as opposed to rests in a stable state.
bool Turns::votes_with_group() const {
    const auto state = loop_.lifecycle().state();
    return around_.config.consensus != ConsensusMode::off && (state == State::running || state == State::pausing);
}

/// Is there anything in the inbox that this rank has to act on? Ranks that only follow their engine's have none.
bool Turns::news_here() const {
    if (!receives_) return false;
    const bool works = loop_.lifecycle().state() == State::running || loop_.lifecycle().state() == State::pausing;
    return around_.inbox.signal_after(next_signal_).has_value() || (works && around_.inbox.has_requests());
}

/// From the inbox. In a quiet turn one atomic load.
std::optional<core::SignalEntry> Turns::collect(std::vector<Request>& into) {
    const auto news = around_.inbox.news();
    if (news != looked_) {
        around_.inbox.take_requests(into);
        more_signals_ = true;
        looked_ = news;
    }
    if (!more_signals_) return std::nullopt;
    auto signal = around_.inbox.signal_after(next_signal_);
    more_signals_ = signal.has_value();
    return signal;
}

/// The receiving rank's batch on all ranks of its engine.
bool Turns::share(std::optional<core::SignalEntry>& signal, std::vector<Request>& requests) {
    const agent::Watch watch(around_.watchdog, agent::Watchdog::engine_lane, agent::kBatchWait,
                             around_.config.turn_deadline_ms);
    const MPI_Comm comm = comms_->engine.get();
    core::Bytes bytes;
    if (receives_) bytes = packed(signal, requests);
    std::uint64_t size = bytes.size();
    if (broken(MPI_Bcast(&size, 1, MPI_UINT64_T, 0, comm), "an engine's batch")) return false;
    bytes.resize(size);
    if (broken(MPI_Bcast(bytes.data(), static_cast<int>(size), MPI_BYTE, 0, comm), "an engine's batch")) return false;
    return receives_ || unpack(bytes, signal, requests);
}

/// A rank that follows its engine's may be told of a signal before its own agent has it. It must not cross the signal's
/// barrier before: after a loss its facts would lack what it has crossed. False where the round broke meanwhile.
bool Turns::hear_of(std::uint64_t signal) {
    for (;;) {
        const auto seen = around_.inbox.news();
        if (around_.inbox.signal_after(signal - 1)) return true;
        if (around_.mailbox.interrupted()) return false;
        if (around_.pump)
            around_.pump();
        else
            around_.inbox.wait(seen, std::chrono::milliseconds(100));
    }
}

std::optional<core::Batch> Turns::take_batch() {
    ++batches_;
    std::vector<Request> requests;
    std::optional<core::SignalEntry> signal;
    if (receives_) {
        requests.swap(again_);
        signal = collect(requests);
    }
    const bool several = around_.config.engine_ranks > 1;
    if (several && !share(signal, requests)) return std::nullopt;
    if (several && signal && !hear_of(signal->number)) return std::nullopt;
    if (signal) next_signal_ = signal->number;
    for (auto& request : requests) {
        Request kept{request.client, request.id, several ? request.bytes : Bytes{}};
        open_.insert_or_assign(Key{request.client, request.id}, std::move(kept));
        fresh_.push_back(std::move(request));
    }
    core::Batch batch{.signal = {}, .work = open_.size() + (around_.config.work == Work::always ? 1 : 0)};
    if (signal) batch.signal = signal->signal;
    return batch;
}

Result<Done> Turns::reply(const Request& request, std::span<const std::byte> bytes) {
    if (open_.erase(Key{request.client, request.id}) == 0)
        return Error{Fault::refused, "request " + std::to_string(request.id.value) + " of rank " +
                                         std::to_string(request.client.value) + " is not open on this engine"};
    if (receives_)
        around_.inbox.give(agent::Inbox::Answer{request.client, request.id, Bytes(bytes.begin(), bytes.end())});
    return Done{};
}

}  // namespace muster
