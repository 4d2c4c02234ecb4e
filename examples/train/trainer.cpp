// SPDX-License-Identifier: Apache-2.0
#include "train/trainer.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <thread>

#include "moe/dense_pass.hpp"
#include "moe/expert_pass.hpp"
#include "moe/fingerprint.hpp"

namespace train {
namespace {

constexpr std::uint64_t kStepsPerLine = 50;

moe::Place place_in(const muster::World& world) { return {world.slot->value, world.size()}; }

}  // namespace

Trainer::Trainer(muster::Session& session, const moe::Dataset& data, const Options& options, Saver* saver)
    : session_(session),
      data_(data),
      options_(options),
      saver_(saver),
      kills_(options.kills, session.rank()),
      vault_(session, moe::kExperts) {}

bool Trainer::train() {
    const std::uint64_t step = committed_ ? *committed_ + 1 : 0;
    begun_ = step;
    if (!compute(step) || !keep(step)) return false;
    begun_.reset();
    return true;
}

bool Trainer::compute(std::uint64_t step) {
    auto& to = generation(step);
    kills_.die_if_due(Point::in_step, step);
    if (step == 0)
        to.model = moe::initial_model(place_);
    else if (!compute_next(generation(step - 1).model, step, to.model))
        return false;
    to.step = step;
    return true;
}

/// As train() in examples/plain_train. `to` changes after the last collective only: until then the step before the
/// previous one is still whole.
bool Trainer::compute_next(const moe::Model& from, std::uint64_t step, moe::Model& to) {
    std::this_thread::sleep_for(std::chrono::milliseconds(options_.step_ms));
    moe::DensePass dense(from, data_.batch(step, place_), place_);
    moe::ExpertPass experts(from);
    const auto tokens = dense.tokens();
    if (kills_.due(Point::in_alltoall, step)) exchange_.die_in_all_to_all(tokens);
    const auto received = exchange_.all_to_all(tokens);
    if (!received) return false;
    const auto answers = exchange_.all_to_all(experts.answers(*received));
    if (!answers) return false;
    const auto errors = exchange_.all_to_all(dense.errors(*answers));
    if (!errors) return false;
    const auto token_gradients = exchange_.all_to_all(experts.token_gradients(*errors));
    if (!token_gradients) return false;
    const auto gradients = exchange_.all_gather(dense.gradients(*token_gradients), moe::kGradientSize);
    if (!gradients) return false;
    moe::update(from, *gradients, experts.gradients(), step, to);
    show_progress(step, moe::loss_of(*gradients));
    return true;
}

/// Copies first, then the agreement: a committed step can be had back after any single death.
bool Trainer::keep(std::uint64_t step) {
    const auto& model = generation(step).model;
    for (auto expert = model.mine.first; expert < model.mine.last; ++expert)
        vault_.put(expert, {step}, std::as_bytes(std::span(model.experts[expert - model.mine.first])));
    kills_.die_if_due(Point::in_replicate, step);
    if (!went_well(vault_.replicate({step}))) return false;
    kills_.die_if_due(Point::in_commit, step);
    const std::uint64_t order = moe::data_order(step);
    if (!went_well(session_.commit({step}, std::as_bytes(std::span(&order, 1))))) return false;
    committed_ = step;
    if (saver_ != nullptr) saver_->save_if_due(step, model, place_);
    return true;
}

void Trainer::save() {
    if (saver_ == nullptr || !committed_) return;
    saver_->save(*committed_, generation(*committed_).model, place_);
    saver_->flush();
}

bool Trainer::rewire() {
    wired_ = false;
    const auto& world = session_.world();
    place_ = place_in(world);
    committed_.reset();
    count_repeated();
    if (!connect()) return false;
    kills_.die_if_due(Point::in_restore, world.step ? world.step->value + 1 : 0);
    if (world.step ? !take_over(world.step->value) : !begin()) return false;
    wired_ = true;
    return true;
}

/// Nothing is committed in this job: it goes on from where an earlier one has saved, or begins with step 0.
bool Trainer::begin() {
    if (saver_ == nullptr) return true;
    auto start = saver_->newest(place_);
    if (!start) return went_well(start.error());
    if (!*start) return true;
    const auto step = (*start)->step;
    generation(step) = {.step = step, .model = std::move((*start)->model)};
    committed_ = step;
    return true;
}

/// A commit that failed here may have succeeded for somebody else: only World::step says whether the step counts.
void Trainer::count_repeated() {
    const auto agreed = session_.world().step;
    if (begun_ && (!agreed || agreed->value < *begun_)) ++steps_repeated_;
    begun_.reset();
}

bool Trainer::connect() {
    MPI_Comm comm = muster::communicator(session_);
    if (options_.track) {
        close();
        if (MPI_Comm_split(comm, 0, static_cast<int>(place_.slot), &own_comm_) != MPI_SUCCESS) return false;
        if (!muster::track(session_, own_comm_)) return false;
        comm = own_comm_;
    }
    exchange_ = Exchange(comm, place_);
    return true;
}

/// Goes on from `step`: those who hold its dense state keep it, newcomers have it from World::source. Those who hold it
/// receive it aside, so that a death in the middle of the broadcast leaves them whole.
bool Trainer::take_over(std::uint64_t step) {
    if (!went_well(vault_.restore())) return false;
    auto& state = generation(step);
    const bool held = state.step == step;
    auto dense = held ? state.model.dense : moe::State(3 * moe::kDenseSize);
    auto repeated = steps_repeated_;
    const auto source = session_.world().source->value;
    if (!exchange_.broadcast(dense, source) || !exchange_.broadcast(repeated, source)) return false;
    steps_repeated_ = std::max(steps_repeated_, repeated);
    state.model.dense = std::move(dense);
    const auto mine = state.model.mine = vault_.mine();
    state.model.experts.assign(mine.count(), moe::State(3 * moe::kExpertSize));
    for (auto expert = mine.first; expert < mine.last; ++expert) {
        const auto bytes = vault_.get(expert, {step});
        auto& into = state.model.experts[expert - mine.first];
        if (bytes.size() != into.size() * sizeof(float)) {
            session_.stop(muster::ExitCode::state_lost, "expert " + std::to_string(expert) + " was not restored");
            return false;
        }
        std::memcpy(into.data(), bytes.data(), bytes.size());
    }
    state.step = committed_ = step;
    return went_well(session_.took_over());
}

std::optional<Outcome> Trainer::evaluate() {
    const auto& model = generation(*committed_).model;
    moe::DensePass dense(model, data_.held_back(place_), place_, moe::kNoLimit);
    moe::ExpertPass experts(model);
    const auto tokens = exchange_.all_to_all(dense.tokens());
    if (!tokens) return std::nullopt;
    kills_.die_if_due(Point::in_eval, *committed_);
    const auto answers = exchange_.all_to_all(experts.answers(*tokens));
    if (!answers) return std::nullopt;
    const auto right = exchange_.reduce(dense.count_right(*answers), MPI_SUM);
    if (!right) return std::nullopt;
    const auto hashes = exchange_.all_gather(moe::expert_fingerprints(model));
    if (!hashes) return std::nullopt;
    const auto repeated = exchange_.reduce(steps_repeated_, MPI_MAX);
    if (!repeated) return std::nullopt;
    return Outcome{.accuracy = static_cast<double>(*right) / static_cast<double>(data_.held_back_size()),
                   .weights = moe::fingerprint_text(model.dense, *hashes),
                   .steps_repeated = *repeated};
}

/// Taken back before it is freed: muster may be about to revoke it.
void Trainer::close() {
    if (saver_ != nullptr) saver_->flush();
    if (own_comm_ == MPI_COMM_NULL) return;
    muster::untrack(session_, own_comm_);
    MPI_Comm_free(&own_comm_);
}

/// A lost peer is next()'s business. Anything else that is not the end already ends the job.
bool Trainer::went_well(const muster::Error& error) {
    using muster::ExitCode;
    using muster::Fault;
    if (error.fault == Fault::state_lost) session_.stop(ExitCode::state_lost, error.text);
    if (error.fault == Fault::timed_out) session_.stop(ExitCode::timed_out, error.text);
    if (error.fault == Fault::refused) session_.stop(ExitCode::bad_usage, error.text);
    if (error.fault == Fault::internal) session_.stop(ExitCode::internal, error.text);
    return false;
}

void Trainer::show_progress(std::uint64_t step, float loss) const {
    if (place_.slot != 0 || (step % kStepsPerLine != 0 && step != options_.steps)) return;
    std::fprintf(stderr, "step %llu/%llu loss %.3f\n", static_cast<unsigned long long>(step),
                 static_cast<unsigned long long>(options_.steps), static_cast<double>(loss));
}

void warm_up(const moe::Dataset& data) {
    constexpr moe::Place alone{};
    const auto model = moe::initial_model(alone);
    moe::DensePass dense(model, data.batch(0, alone), alone);
    moe::ExpertPass experts(model);
    const auto token_gradients = experts.token_gradients(dense.errors(experts.answers(dense.tokens())));
    moe::Model next;
    moe::update(model, dense.gradients(token_gradients), experts.gradients(), 1, next);
}

}  // namespace train
