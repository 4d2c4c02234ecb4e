// SPDX-License-Identifier: Apache-2.0
#include "core/job_keeper.hpp"

#include <iterator>
#include <utility>

#include "core/assert.hpp"

namespace muster::core {
namespace {

JournalKind kind_of_record(JobEntry kind) { return JournalKind{static_cast<std::uint16_t>(kind)}; }

JournalRecord entry_record(const MirrorPosition& at, const Bytes& entry) {
    const auto kind = kind_of(entry);
    return {JournalRecord::entry, at, kind ? kind_of_record(*kind) : JournalKind{}, entry};
}

}  // namespace

bool JobKeeper::restore(const RestoredJob& restored) {
    if (!state_.load(restored.snapshot)) return false;
    state_.forget_callers();
    differs_ = true;
    mirror_.emplace(self_, state_, restored.position);
    return true;
}

MirrorEffects JobKeeper::complete(Round round, Rank coordinator, const std::vector<Rank>& followers,
                                  std::optional<Rank> source) {
    auto out = mirror_->complete(round, coordinator, followers, source);
    if (coordinator == self_ && position().term == round) catch_up(nullptr);
    return out;
}

MirrorEffects JobKeeper::received(Rank from, message::Copy copy) {
    const auto before = position();
    auto out = mirror_->received(from, copy);
    if (position() != before) catch_up(&copy);
    return out;
}

std::optional<std::string> JobKeeper::append(Bytes entry, MirrorEffects& out) {
    MUSTER_ASSERT(mirror_->serving());
    if (journal_ != nullptr) {
        const auto& at = position();
        if (journal_->position() != at) {
            if (auto why = write_snapshot()) return why;
        } else if (journal_->wants_snapshot()) {
            complain(write_snapshot());  // The entry may have room where the snapshot has none.
        }
        if (auto why = journal_->append(entry_record({at.term, at.index + 1}, entry))) return why;
        complained_ = false;
    }
    auto effects = mirror_->append(std::move(entry));
    std::move(effects.begin(), effects.end(), std::back_inserter(out));
    return std::nullopt;
}

void JobKeeper::compact() {
    if (journal_ != nullptr) complain(write_snapshot());
}

/// The journal follows the mirror: a term that has begun, a copy that has come.
void JobKeeper::catch_up(const message::Copy* copy) {
    if (journal_ == nullptr || journal_->position() == position()) return;
    const bool is_entry = copy != nullptr && !copy->whole;
    auto next =
        is_entry ? entry_record(position(), copy->bytes) : JournalRecord{JournalRecord::term, position(), {}, {}};
    const bool is_term = copy == nullptr && !differs_;
    const bool follows = (is_entry || is_term) && why_not_next(journal_->position(), next).empty();
    complain(follows ? journal_->append(next) : write_snapshot());
}

std::optional<std::string> JobKeeper::write_snapshot() {
    auto why =
        journal_->append({JournalRecord::snapshot, position(), kind_of_record(JobEntry::whole), state_.snapshot()});
    if (!why) differs_ = false;
    return why;
}

/// Once, until it works again.
void JobKeeper::complain(std::optional<std::string> why) {
    if (why && !complained_) complaint_ = std::move(why);
    complained_ = why.has_value();
}

}  // namespace muster::core
