// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What the members of one round tell each other by name: a NCCL unique id, an address, a counter.
/// Intuition: a dictionary that all members of a round share and that is empty when the round begins. The coordinator
/// keeps it; a call is a message there and back. A Store belongs to its round: once the job is in a later one, every
/// call on it is refused, so nobody ever reads the last round's NCCL id.
///
///     if (world.slot == Slot{0}) store.set("nccl", unique_id);
///     auto id = store.get("nccl", 30s);       // waits until it is there
///     auto arrived = store.add("arrived", 1, 10s);
///
/// Shape: keys are texts of 1 to kStoreKeyMax bytes, values any bytes up to kStoreValueMax, an empty one too.
/// Units: deadlines from now on; a call returns by then. Numbers are kept as decimal text, as torch's stores do.
/// Errors of every call: timed_out (the text names the keys that were missing), refused (nothing has changed; the text
/// names the key: too large, store full, not a number, or "key 'x' is of round 3, the job is in round 4"), ended.
/// A call that timed out may still take effect where the coordinator was not heard from in time.
/// Thread safety: every call from any thread. Source: torch.distributed's Store; where ours differs: DESIGN.md,
/// "Store".

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "muster/client.hpp"
#include "muster/types.hpp"

namespace muster {

constexpr std::size_t kStoreValueMax = 64U << 20;  ///< Bytes of a value.
constexpr std::size_t kStoreKeyMax = 4096;         ///< Bytes of a key.
constexpr std::size_t kStoreWaitKeysMax = 65'536;  ///< Keys that one wait may name.

/// What a compare_set has come to.
struct Swapped {
    bool accepted = false;       ///< The key has the desired value because of this call.
    std::optional<Bytes> value;  ///< What the key has now; nothing where it is not there.
};

class Store {
public:
    using Deadline = std::chrono::milliseconds;
    static constexpr Deadline kDeadline{300'000};  ///< torch's default.

    virtual ~Store() = default;
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    [[nodiscard]] virtual Round round() const = 0;
    /// What the full names of this round's keys begin with: "muster.rendezvous.{run_id}.{round}".
    [[nodiscard]] virtual std::string prefix() const = 0;

    /// Copies `value`.
    virtual Result<Done> set(std::string_view key, std::span<const std::byte> value, Deadline deadline) = 0;
    /// Waits until the key is there.
    [[nodiscard]] virtual Result<Bytes> get(std::string_view key, Deadline deadline) = 0;
    /// Until all keys are there at the same moment. No keys: done at once.
    virtual Result<Done> wait(const std::vector<std::string>& keys, Deadline deadline) = 0;
    /// The new sum; a key that is not there counts as 0. Errors: refused where the value is no decimal number of 64
    /// bits, or the sum would not be one.
    virtual Result<std::int64_t> add(std::string_view key, std::int64_t amount, Deadline deadline) = 0;
    /// Sets `desired` where the value equals `expected`; where `expected` is empty, also where the key is not there.
    virtual Result<Swapped> compare_set(std::string_view key, std::span<const std::byte> expected,
                                        std::span<const std::byte> desired, Deadline deadline) = 0;
    /// True where the key was there.
    virtual Result<bool> erase(std::string_view key, Deadline deadline) = 0;
    /// Keys of this round.
    [[nodiscard]] virtual Result<std::uint64_t> num_keys(Deadline deadline) = 0;

protected:
    Store() = default;
};

}  // namespace muster
