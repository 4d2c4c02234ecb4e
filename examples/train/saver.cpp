// SPDX-License-Identifier: Apache-2.0
#include "train/saver.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <utility>

namespace train {
namespace {

constexpr std::chrono::seconds kFlushDeadline{10};

/// Before the floats of a part: how many of each there are. Tells another model from this one.
struct PartHead {
    std::uint64_t seed = moe::kSeed;
    std::uint64_t experts = moe::kExperts;
    std::uint64_t expert_floats = 3 * moe::kExpertSize;
    std::uint64_t dense_floats = 0;  ///< 0 but in slot 0's part.
    std::uint64_t first = 0, last = 0;
    bool operator==(const PartHead&) const = default;

    [[nodiscard]] std::size_t bytes() const {
        return sizeof(PartHead) + (dense_floats + (last - first) * expert_floats) * sizeof(float);
    }
};

/// What the part of a slot must begin with.
PartHead head_of(std::uint32_t slot, muster::ItemRange experts) {
    return {.dense_floats = slot == 0 ? 3 * moe::kDenseSize : 0, .first = experts.first, .last = experts.last};
}

muster::Bytes to_part(const moe::Model& model, std::uint32_t slot) {
    const auto head = head_of(slot, model.mine);
    muster::Bytes part(head.bytes());
    std::memcpy(part.data(), &head, sizeof head);
    std::size_t at = sizeof head;
    const auto add = [&](const moe::State& state) {
        std::memcpy(part.data() + at, state.data(), state.size() * sizeof(float));
        at += state.size() * sizeof(float);
    };
    if (head.dense_floats > 0) add(model.dense);
    for (const auto& expert : model.experts) add(expert);
    return part;
}

}  // namespace

Saver::Saver(muster::Checkpoints checkpoints, const Options& options)
    : checkpoints_(std::move(checkpoints)), options_(options) {}

muster::Result<std::unique_ptr<Saver>> Saver::open(muster::Session& session, const Options& options) {
    if (options.checkpoint.empty()) return std::unique_ptr<Saver>();
    auto checkpoints = muster::Checkpoints::open(session, {.directory = options.checkpoint, .name = "train"});
    if (!checkpoints) return checkpoints.error();
    return std::make_unique<Saver>(std::move(*checkpoints), options);
}

void Saver::save_if_due(std::uint64_t step, const moe::Model& model, moe::Place place) {
    if (step > 0 && step % options_.every == 0) save(step, model, place);
}

void Saver::save(std::uint64_t step, const moe::Model& model, moe::Place place) {
    (void)checkpoints_.save({step}, to_part(model, place.slot));
}

muster::Result<muster::Done> Saver::read_part(const muster::Checkpoint& from, muster::Slot slot,
                                              moe::Model& into) const {
    const auto experts = muster::items_of(slot, from.slots, moe::kExperts);
    const auto from_expert = std::max(experts.first, into.mine.first);
    const auto to_expert = std::min(experts.last, into.mine.last);
    if (slot.value > 0 && from_expert >= to_expert) return muster::Done{};
    const auto part = checkpoints_.load(from, slot);
    if (!part) return part.error();
    const auto wanted = head_of(slot.value, experts);
    PartHead head;
    if (part->size() >= sizeof head) std::memcpy(&head, part->data(), sizeof head);
    if (part->size() != wanted.bytes() || head != wanted)
        return muster::Error{muster::Fault::refused, "the checkpoint of step " + std::to_string(from.step.value) +
                                                         " in " + options_.checkpoint + " is of another model"};
    const auto take = [&](std::uint64_t float_at, moe::State& state) {
        std::memcpy(state.data(), part->data() + sizeof head + float_at * sizeof(float), state.size() * sizeof(float));
    };
    if (slot.value == 0) take(0, into.dense);
    for (auto expert = from_expert; expert < to_expert; ++expert)
        take(head.dense_floats + (expert - experts.first) * head.expert_floats, into.experts[expert - into.mine.first]);
    return muster::Done{};
}

muster::Result<std::optional<Start>> Saver::newest(moe::Place place) {
    const auto found = checkpoints_.newest();
    if (!found) return found.error();
    if (!*found) return std::optional<Start>();
    const auto& from = **found;
    if (from.step.value > options_.steps)
        return muster::Error{muster::Fault::refused, "the checkpoint in " + options_.checkpoint + " is of step " +
                                                         std::to_string(from.step.value) + ", behind --steps " +
                                                         std::to_string(options_.steps)};
    Start start{.step = from.step.value, .model = {}};
    auto& model = start.model;
    model.mine = muster::items_of({place.slot}, place.size, moe::kExperts);
    model.dense.resize(3 * moe::kDenseSize);
    model.experts.assign(model.mine.count(), moe::State(3 * moe::kExpertSize));
    for (std::uint32_t slot = 0; slot < from.slots; ++slot)
        if (const auto read = read_part(from, {slot}, model); !read) return read.error();
    if (place.slot == 0)
        std::fprintf(stderr, "goes on from step %llu, saved by %u engines\n",
                     static_cast<unsigned long long>(start.step), from.slots);
    return std::optional(std::move(start));
}

/// Where it fails muster has said so, and the weights are none the worse.
void Saver::flush() { (void)checkpoints_.flush(kFlushDeadline); }

}  // namespace train
