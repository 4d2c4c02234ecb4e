// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Keeps state that is spread over the world alive when members die: each item (an expert, a shard) lives on its owner
/// and, as a copy, on the owner's partner, which sits on another node where there is one.
/// Intuition: a dictionary (item, step) -> bytes, in memory, two steps deep, that can be dealt again after a rebuild.
///
///     for (auto item : vault.mine()) vault.put(item, step, bytes);   // after the step was computed
///     vault.replicate(step); session.commit(step);                   // copies first, then the agreement
///     ... on Turn::rebuilt:  vault.restore();  then vault.get(item) for each item in vault.mine()
///
/// Shape: items 0 .. items-1 are dealt to slots in contiguous blocks. Units: bytes. An item's size may change.
/// Errors: peer_lost (return to next()); state_lost (owner and partner of an item both gone: the text names it).
/// Collective over the world: replicate() and restore(). Thread safety: engine thread only.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "muster/session.hpp"

namespace muster {

/// The items of one slot: [first, last).
struct ItemRange {
    std::uint32_t first = 0, last = 0;
    [[nodiscard]] std::uint32_t count() const { return last - first; }
};

/// Which items a slot owns in a world of `size`: contiguous blocks whose sizes differ by at most one.
[[nodiscard]] ItemRange items_of(Slot slot, std::uint32_t size, std::uint32_t items);

/// Which slot owns an item in a world of `size`.
[[nodiscard]] Slot owner_of(std::uint32_t item, std::uint32_t size, std::uint32_t items);

class Vault {
public:
    Vault(Session& session, std::uint32_t items);
    ~Vault();
    Vault(const Vault&) = delete;
    Vault& operator=(const Vault&) = delete;

    [[nodiscard]] ItemRange mine() const;  ///< Of this slot in the current world.
    void put(std::uint32_t item, Step step, std::span<const std::byte> bytes);
    /// Sends this slot's items of `step` to its partner and takes its ward's. Call it before commit(step).
    Result<Done> replicate(Step step);
    /// Deals the items of World::step to the slots of the new world. A no-op where World::step is nothing.
    Result<Done> restore();
    /// The bytes of an owned item at `step`; empty where it is not here.
    [[nodiscard]] std::span<const std::byte> get(std::uint32_t item, Step step) const;
    [[nodiscard]] std::size_t bytes_held() const;

private:
    struct Store;
    Session& session_;
    std::uint32_t items_;
    std::unique_ptr<Store> store_;
};

}  // namespace muster
