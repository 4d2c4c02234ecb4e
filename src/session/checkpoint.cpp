// SPDX-License-Identifier: Apache-2.0
/// Checkpoints between the session, which knows what is committed, and the directory, which knows what is whole. What
/// the members must agree on (the round's series, the newest step) goes through the round's store.
#include "muster/checkpoint.hpp"

#include <cstdio>

#include "persist/checkpoint_writer.hpp"
#include "persist/files.hpp"
#include "session/impl.hpp"

namespace muster {
namespace {

constexpr std::chrono::milliseconds kSeriesDeadline{10'000};

enum class Finding : std::uint8_t { nothing, found, unreadable };

Bytes encode(const persist::Or<std::optional<persist::CheckpointSet>>& newest) {
    core::Writer out;
    if (const auto* failure = std::get_if<persist::Failure>(&newest)) {
        out.u8(static_cast<std::uint8_t>(Finding::unreadable));
        out.text(failure->text);
        return out.take();
    }
    const auto& set = std::get<std::optional<persist::CheckpointSet>>(newest);
    out.u8(static_cast<std::uint8_t>(set ? Finding::found : Finding::nothing));
    if (!set) return out.take();
    out.id(set->step);
    out.u64(set->series);
    out.u32(set->slots);
    return out.take();
}

Result<std::optional<Checkpoint>> decode_newest(const Bytes& bytes) {
    core::Reader in(bytes);
    const auto finding = static_cast<Finding>(in.u8());
    if (finding == Finding::nothing) return std::optional<Checkpoint>();
    if (finding == Finding::unreadable) return Error{Fault::state_lost, in.text()};
    Checkpoint found{.step = in.id<Step>(), .series = in.u64(), .slots = in.u32()};
    if (!in.finished()) return Error{Fault::internal, "slot 0 said something unknown about the newest checkpoint"};
    return std::optional(found);
}

void say_on_stderr(const std::string& line) { std::fprintf(stderr, "muster: checkpoint: %s\n", line.c_str()); }

}  // namespace

class Checkpoints::Impl {
public:
    Impl(Session& of, CheckpointSettings given, const persist::CheckpointDirectory& into)
        : session(of),
          settings(std::move(given)),
          directory(into),
          writer(into, settings.keep, settings.say, settings.close_deadline) {}

    [[nodiscard]] std::string key(const char* what) const { return "muster.checkpoint." + directory.name() + what; }
    Error lost_or(Error error) const;
    [[nodiscard]] std::optional<Error> refusal(Step step) const;
    Result<std::uint64_t> series();
    Result<Done> earlier();

    Session& session;
    CheckpointSettings settings;
    persist::CheckpointDirectory directory;
    persist::CheckpointWriter writer;
    std::optional<std::pair<Round, std::uint64_t>> series_of;
};

/// A call on the store that ends with its round is refused; what its caller is to do about it is next().
Error Checkpoints::Impl::lost_or(Error error) const {
    if (error.fault == Fault::refused && session.interrupted()) error.fault = Fault::peer_lost;
    return error;
}

std::optional<Error> Checkpoints::Impl::refusal(Step step) const {
    const auto& impl = session.impl();
    const auto comm = impl.ours();
    if (!comm) return comm.error();
    const auto committed = impl.mailbox.ledger.committed();
    if (committed == step) return std::nullopt;
    return Error{Fault::refused, "step " + std::to_string(step.value) + " cannot be saved: " +
                                     (committed ? "step " + std::to_string(committed->value) + " is the last"
                                                : std::string("no step was")) +
                                     " committed"};
}

/// Whoever comes first in a round draws it; a new round draws anew, so what two attempts at a step left never mixes.
Result<std::uint64_t> Checkpoints::Impl::series() {
    const auto round = session.world().round;
    if (series_of && series_of->first == round) return series_of->second;
    const auto drawn = persist::random_number();
    if (!drawn) return Error{Fault::internal, "the system gives no random number for a series of checkpoints"};
    core::Writer out;
    out.u64(*drawn);
    const auto agreed = session.store()->compare_set(key(".series"), {}, out.take(), kSeriesDeadline);
    if (!agreed) return lost_or(agreed.error());
    core::Reader in(*agreed->value);
    series_of = {round, in.u64()};
    return series_of->second;
}

Result<Done> Checkpoints::Impl::earlier() {
    if (auto failure = writer.take_failure()) return Error{Fault::internal, failure->text};
    return Done{};
}

Checkpoints::Checkpoints(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Checkpoints::Checkpoints(Checkpoints&&) noexcept = default;
Checkpoints& Checkpoints::operator=(Checkpoints&&) noexcept = default;
Checkpoints::~Checkpoints() = default;

Result<Checkpoints> Checkpoints::open(Session& session, CheckpointSettings settings) {
    if (settings.keep == 0) return Error{Fault::bad_setup, "checkpoints: keep is 0, it must be at least 1"};
    const auto directory = persist::CheckpointDirectory::open(settings.directory, settings.name);
    if (const auto* failure = std::get_if<persist::Failure>(&directory))
        return Error{Fault::bad_setup, failure->text + "; it must be there and be the same for all ranks"};
    if (!settings.say) settings.say = say_on_stderr;
    return Checkpoints(std::make_unique<Impl>(session, settings, std::get<persist::CheckpointDirectory>(directory)));
}

Result<Done> Checkpoints::save(Step step, std::span<const std::byte> part) {
    if (auto error = impl_->refusal(step)) return *error;
    if (part.size() > persist::kCheckpointPartMax) return Error{Fault::refused, "a part has at most 1 TiB"};
    const auto series = impl_->series();
    if (!series) return series.error();
    const auto& world = impl_->session.world();
    const persist::CheckpointHead head{.step = step,
                                       .series = *series,
                                       .slot = *world.slot,
                                       .slots = world.size(),
                                       .round = world.round,
                                       .name = impl_->directory.name(),
                                       .size = part.size()};
    auto earlier = impl_->earlier();
    impl_->writer.put(head, persist::lay_out(head, part));
    return earlier;
}

Result<std::optional<Checkpoint>> Checkpoints::newest() {
    const auto comm = impl_->session.impl().ours();
    if (!comm) return comm.error();
    const auto store = impl_->session.store();
    const auto key = impl_->key(".newest");
    if (impl_->session.world().slot != Slot{0}) {
        const auto told = store->get(key, impl_->settings.newest_deadline);
        if (!told) return impl_->lost_or(told.error());
        return decode_newest(*told);
    }
    const auto found = encode(impl_->directory.newest(impl_->settings.say));
    const auto agreed = store->compare_set(key, {}, found, kSeriesDeadline);
    if (!agreed) return impl_->lost_or(agreed.error());
    return decode_newest(*agreed->value);
}

Result<Bytes> Checkpoints::load(const Checkpoint& checkpoint, Slot slot) const {
    auto part = impl_->directory.load({checkpoint.step, checkpoint.series, checkpoint.slots}, slot);
    if (const auto* failure = std::get_if<persist::Failure>(&part)) return Error{Fault::state_lost, failure->text};
    return std::move(std::get<Bytes>(part));
}

Result<Done> Checkpoints::flush(std::chrono::milliseconds deadline) {
    if (!impl_->writer.wait_idle(deadline))
        return Error{Fault::timed_out, "a checkpoint in '" + impl_->settings.directory +
                                           "' is still being written after " + std::to_string(deadline.count()) +
                                           " ms"};
    return impl_->earlier();
}

}  // namespace muster
