// SPDX-License-Identifier: Apache-2.0
#include "agent/ledger.hpp"

namespace muster::agent {

bool Ledger::begin(Step step, Round round, std::span<const std::byte> blob) {
    std::uint32_t word = word_.load(std::memory_order_acquire);
    if ((word & kFrozen) != 0) return false;
    Entry& entry = entries_[1 - index_of(word)];
    entry.step = step;
    entry.round = round;
    entry.blob.assign(blob.begin(), blob.end());
    return word_.compare_exchange_strong(word, word | kAttempting, std::memory_order_acq_rel);
}

bool Ledger::record() {
    std::uint32_t word = word_.load(std::memory_order_acquire);
    if ((word & kFrozen) != 0) return false;
    const std::uint32_t done = ((word ^ kIndex) & ~kAttempting) | kHas;
    return word_.compare_exchange_strong(word, done, std::memory_order_acq_rel);
}

Ledger::Picture Ledger::freeze() {
    const std::uint32_t word = word_.fetch_or(kFrozen, std::memory_order_acq_rel);
    Picture picture;
    const std::size_t index = index_of(word);
    if ((word & kHas) != 0) {
        picture.committed = entries_[index].step;
        picture.committed_in = entries_[index].round;
    }
    if ((word & kAttempting) != 0) picture.attempted = entries_[1 - index].step;
    return picture;
}

void Ledger::thaw(const std::optional<Step>& agreed) {
    const std::uint32_t word = word_.load(std::memory_order_acquire);
    const std::size_t index = index_of(word);
    std::uint32_t next = 0;
    if (agreed && (word & kHas) != 0 && entries_[index].step == *agreed)
        next = (word & kIndex) | kHas;
    else if (agreed && (word & kAttempting) != 0 && entries_[1 - index].step == *agreed)
        next = ((word ^ kIndex) & kIndex) | kHas;
    word_.store(next, std::memory_order_release);
}

std::optional<Step> Ledger::committed() const {
    const std::uint32_t word = word_.load(std::memory_order_acquire);
    if ((word & kHas) == 0) return std::nullopt;
    return entries_[index_of(word)].step;
}

const Ledger::Entry* Ledger::entry_of(Step step) const {
    const std::uint32_t word = word_.load(std::memory_order_acquire);
    const std::size_t index = index_of(word);
    if ((word & kHas) != 0 && entries_[index].step == step) return &entries_[index];
    if ((word & kAttempting) != 0 && entries_[1 - index].step == step) return &entries_[1 - index];
    return nullptr;
}

}  // namespace muster::agent
