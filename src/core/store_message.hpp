// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What is said about the store: a client's call, the coordinator's answer, and the entries that followers fold.
/// Shape: put() writes one of them behind whatever is there, take_...() reads it back; there is one way to write each.
/// Values are shared and never changed, so that an answer to ten thousand clients holds one copy.
/// Units: milliseconds, bytes. Errors: nonsense (cut short, too large, an unknown kind, a choice that is none) is
/// nothing; never a read beyond the end, never an allocation above the input's own size. Thread safety: plain values.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "core/codec.hpp"
#include "muster/store.hpp"
#include "muster/types.hpp"

namespace muster::core {

constexpr std::size_t kFaults = static_cast<std::size_t>(Fault::internal) + 1;  ///< How many there are.

using CallId = Id<struct CallTag, std::uint64_t>;  ///< A client's own count, upwards from 1.
using Value = std::shared_ptr<const Bytes>;        ///< Null: there is no value, which is not an empty one.

[[nodiscard]] inline Value value_of(Bytes bytes) { return std::make_shared<const Bytes>(std::move(bytes)); }

namespace store {
// clang-format off
struct Set { std::string key; Value value; };
struct Add { std::string key; std::int64_t amount = 0; };
struct CompareSet { std::string key; Bytes expected; Value desired; };
struct Erase { std::string key; };
struct Get { std::string key; };
struct Wait { std::vector<std::string> keys; };
struct NumKeys {};
struct Begin {};  ///< Entry only: the round begins, its store is empty.
struct Gone {};   ///< Entry only: the client is gone; what was remembered for it is forgotten.
// clang-format on
}  // namespace store

/// The first four may change something.
using StoreOperation =
    std::variant<store::Set, store::Add, store::CompareSet, store::Erase, store::Get, store::Wait, store::NumKeys>;
using StoreChange = std::variant<store::Set, store::Add, store::CompareSet, store::Erase, store::Begin, store::Gone>;
[[nodiscard]] inline bool may_change(const StoreOperation& operation) { return operation.index() < 4; }

/// Client -> coordinator; to the successor again, with the same id, where no answer has come.
struct StoreCall {
    CallId id;
    CallId settled;  ///< The client has the answers to all of its calls that may change something, below this one.
    Round round;     ///< The client's.
    std::uint64_t patience_ms = 0;  ///< What is left of its deadline.
    StoreOperation operation;
};

/// Coordinator -> client.
struct StoreAnswer {
    std::optional<Error> error{};
    Value value{};            ///< get; compare_set: what is there now.
    std::int64_t number = 0;  ///< add: the sum; num_keys.
    bool done = false;        ///< compare_set: it was accepted; erase: the key was there.
};

/// One change of the store, as followers fold it. Numbered from 1 in each round; number 1 is Begin.
struct StoreEntry {
    Round round{};
    std::uint64_t number = 0;
    Rank client{};
    CallId id{}, settled{};
    StoreChange change;
};

void put(Writer& out, const StoreCall& call);
void put(Writer& out, const StoreEntry& entry);
void put(Writer& out, const StoreAnswer& answer);
[[nodiscard]] std::optional<StoreCall> take_store_call(Reader& in);
[[nodiscard]] std::optional<StoreAnswer> take_store_answer(Reader& in);
[[nodiscard]] std::optional<StoreEntry> take_store_entry(Reader& in);

}  // namespace muster::core
