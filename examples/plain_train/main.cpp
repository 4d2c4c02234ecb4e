// SPDX-License-Identifier: Apache-2.0
// Expert-parallel training in plain MPI: the loop that examples/train embeds in muster. It dies with its first rank.

#include <mpi.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "moe/dense_pass.hpp"
#include "moe/expert_pass.hpp"
#include "moe/fingerprint.hpp"

namespace {

struct Options {
    std::uint64_t steps = 300;
    std::string json;
    std::string data = moe::default_data_path();
};

/// Sends each slot its part of a parcel; has what the others sent here, in slot order.
moe::Parcel all_to_all(const moe::Parcel& out) {
    moe::Parcel in;
    in.counts.resize(out.counts.size());
    MPI_Alltoall(out.counts.data(), 1, MPI_INT, in.counts.data(), 1, MPI_INT, MPI_COMM_WORLD);
    in.values.resize(std::accumulate(in.counts.begin(), in.counts.end(), std::size_t{0}));
    MPI_Alltoallv(out.values.data(), out.counts.data(), out.offsets().data(), MPI_FLOAT, in.values.data(),
                  in.counts.data(), in.offsets().data(), MPI_FLOAT, MPI_COMM_WORLD);
    return in;
}

/// Everybody has everybody's values, in slot order: `each` of them for every item (virtual shard or expert).
template <class Value>
std::vector<Value> all_gather(const std::vector<Value>& mine, MPI_Datatype type, std::size_t each, moe::Place place) {
    moe::Parcel all;
    for (std::uint32_t slot = 0; slot < place.size; ++slot)
        all.counts.push_back(static_cast<int>(muster::items_of({slot}, place.size, moe::kShards).count() * each));
    std::vector<Value> values(moe::kShards * each);
    MPI_Allgatherv(mine.data(), static_cast<int>(mine.size()), type, values.data(), all.counts.data(),
                   all.offsets().data(), type, MPI_COMM_WORLD);
    return values;
}

/// Computes one step and returns the loss.
float train(moe::Model& model, const moe::Dataset& data, std::uint64_t step, moe::Place place) {
    moe::DensePass dense(model, data.batch(step, place), place);
    moe::ExpertPass experts(model);
    const auto answers = all_to_all(experts.answers(all_to_all(dense.tokens())));
    const auto token_gradients = all_to_all(experts.token_gradients(all_to_all(dense.errors(answers))));
    const auto gradients = all_gather(dense.gradients(token_gradients), MPI_FLOAT, moe::kGradientSize, place);
    moe::Model next;
    moe::update(model, gradients, experts.gradients(), step, next);
    model = std::move(next);
    return moe::loss_of(gradients);
}

/// The share of the held-back images that get their right label.
double evaluate(const moe::Model& model, const moe::Dataset& data, moe::Place place) {
    moe::DensePass dense(model, data.held_back(place), place, moe::kNoLimit);
    moe::ExpertPass experts(model);
    const auto mine = dense.count_right(all_to_all(experts.answers(all_to_all(dense.tokens()))));
    std::uint32_t right = 0;
    MPI_Allreduce(&mine, &right, 1, MPI_UINT32_T, MPI_SUM, MPI_COMM_WORLD);
    return static_cast<double>(right) / static_cast<double>(data.held_back_size());
}

void write_result(const Options& options, double accuracy, const std::string& weights, moe::Place place) {
    const nlohmann::ordered_json result{
        {"steps", options.steps}, {"accuracy", accuracy}, {"weights", weights}, {"size", place.size}};
    if (options.json.empty() || options.json == "-")
        std::cout << result.dump(2) << "\n";
    else
        std::ofstream(options.json) << result.dump(2) << "\n";
}

int run(const Options& options) {
    int slot = 0, size = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &slot);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    const moe::Place place{static_cast<std::uint32_t>(slot), static_cast<std::uint32_t>(size)};
    const auto data = moe::Dataset::load(options.data);
    if (!data) {
        std::cerr << "plain_train: " << data.error().text << "\n";
        return 2;
    }
    auto model = moe::initial_model(place);
    for (std::uint64_t step = 1; step <= options.steps; ++step) {
        const float loss = train(model, *data, step, place);
        if (slot == 0 && step % 50 == 0)
            std::fprintf(stderr, "step %d/%d loss %.3f\n", int(step), int(options.steps), double(loss));
    }
    const double accuracy = evaluate(model, *data, place);
    const auto experts = all_gather(moe::expert_fingerprints(model), MPI_UINT64_T, 1, place);
    if (slot == 0) write_result(options, accuracy, moe::fingerprint_text(model.dense, experts), place);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    CLI::App app(
        "Trains a mixture of experts on handwritten digits in plain MPI.\n"
        "Example: mpirun -n 4 plain_train --steps 300 --json plain.json");
    app.add_option("--steps", options.steps, "Steps to train")->capture_default_str();
    app.add_option("--json", options.json, "File for the result; - or nothing: standard output");
    app.add_option("--data", options.data, "The digits, CSV, gzipped or not")->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    MPI_Init(&argc, &argv);
    const int code = run(options);
    MPI_Finalize();
    return code;
}
