// SPDX-License-Identifier: Apache-2.0
#include "serve/engine.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstring>
#include <thread>
#include <utility>

#include "muster/mpi.hpp"

namespace serve {
namespace {

Picture picture_in(const muster::Request& request) {
    Picture picture;
    std::copy_n(request.bytes.begin(), picture.size(), picture.begin());
    return picture;
}

}  // namespace

muster::Result<Memory> Memory::allocate(const std::vector<float>& weights, std::uint32_t cache_mib) {
    const auto bytes = std::as_bytes(std::span(weights));
    auto kept = muster::Buffer::allocate(bytes.size(), muster::Buffer::Kind::keep);
    if (!kept) return kept.error();
    auto dropped = muster::Buffer::allocate(std::size_t{cache_mib} << 20, muster::Buffer::Kind::discard);
    if (!dropped) return dropped.error();
    std::memcpy(kept->bytes().data(), bytes.data(), bytes.size());
    return Memory{.weights = std::move(*kept), .cache = std::move(*dropped)};
}

Engine::Engine(muster::Session& session, Memory& memory, const Options& options)
    : session_(session), memory_(memory), options_(options), cache_(memory.cache.bytes()), resident_(session) {
    cache_.take_memory();
    session_.manage(memory_.weights);
    session_.manage(memory_.cache);
}

Engine::~Engine() {
    session_.unmanage(memory_.cache);
    session_.unmanage(memory_.weights);
}

void Engine::take(const muster::Turn& turn) {
    switch (turn.kind) {
        case muster::Turn::rebuilt: return rewire();
        case muster::Turn::forward: accept(turn.requests); return forward();
        case muster::Turn::dummy_forward: return dummy_forward();
        case muster::Turn::suspend:
            if (due(KillOrder::in_suspend)) (void)std::raise(SIGKILL);
            return resident_.about_to_suspend();
        case muster::Turn::resume:
            if (due(KillOrder::in_resume)) (void)std::raise(SIGKILL);
            return cache_.take_memory();
        case muster::Turn::ended: return;
    }
}

void Engine::rewire() {
    const MPI_Comm comm = muster::group_communicator(session_);
    int rank = 0, size = 1;
    MPI_Comm_rank(comm, &rank);
    MPI_Comm_size(comm, &size);
    place_ = {static_cast<std::uint32_t>(rank), static_cast<std::uint32_t>(size)};
    exchange_ = train::Exchange(comm, place_);
    // An engine of several ranks is given what is open once more, so that all of its ranks hold the same.
    if (session_.world().engine_ranks > 1) open_.clear();
}

/// What is no picture is answered with nothing, at once.
void Engine::accept(std::span<const muster::Request> requests) {
    for (const auto& request : requests) {
        ++received_;
        if (request.bytes.size() == sizeof(Picture))
            open_.push_back(request);
        else
            (void)session_.reply(request, {});
    }
}

void Engine::forward() {
    std::this_thread::sleep_for(std::chrono::milliseconds(options_.forward_ms));
    const auto count = std::min<std::size_t>(options_.batch, open_.size());
    Pass pass(weights(), cache_, place_);
    for (std::size_t i = 0; i < count; ++i) pass.add(picture_in(open_[i]));
    if (const auto classes = exchanged(pass, due(KillOrder::in_request))) answer(*classes);
}

void Engine::dummy_forward() {
    Pass nothing(weights(), cache_, place_);
    (void)exchanged(nothing, false);
}

/// The collectives of a forward. Nothing: a peer is gone.
std::optional<std::vector<std::uint32_t>> Engine::exchanged(Pass& pass, bool dies) {
    const auto tokens = pass.tokens();
    if (dies) exchange_.die_in_all_to_all(tokens);
    const auto received = exchange_.all_to_all(tokens);
    if (!received) return std::nullopt;
    const auto answers = exchange_.all_to_all(expert_answers(weights(), *received));
    if (!answers) return std::nullopt;
    return pass.classes(*answers);
}

/// A reply may be refused: this engine was out of the world for a while, and another one has the request since.
void Engine::answer(std::span<const std::uint32_t> classes) {
    const auto& turns = session_.turns();
    const auto replica = session_.replica();
    Answer answer{.engine = {.rank = session_.rank().value,
                             .replica = replica ? static_cast<std::uint32_t>(replica->id.value) : 0,
                             .forwards = turns.forward,
                             .dummy_forwards = turns.dummy_forward,
                             .released_bytes = resident_.released_bytes()}};
    for (const auto label : classes) {
        answer.label = label;
        (void)session_.reply(open_.front(), std::as_bytes(std::span(&answer, 1)));
        open_.pop_front();
    }
}

std::span<const float> Engine::weights() {
    const auto bytes = memory_.weights.bytes();
    return {reinterpret_cast<const float*>(bytes.data()), kWeights};
}

bool Engine::due(KillOrder::Moment moment) const {
    return std::any_of(options_.kills.begin(), options_.kills.end(), [&](const KillOrder& order) {
        return order.rank == session_.rank() && order.moment == moment && received_ >= order.request;
    });
}

}  // namespace serve
