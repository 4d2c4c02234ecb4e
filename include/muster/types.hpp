// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The words of the project as types: numbers that cannot be mixed up, and outcomes that are values.
/// Nothing here knows MPI. Thread safety: plain values, no shared state.

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <variant>

namespace muster {

/// A number with a meaning. Two Ids of different tags do not compare or convert.
template <class Tag, class Value = std::uint32_t>
struct Id {
    Value value{};
    auto operator<=>(const Id&) const = default;
};

using Rank = Id<struct RankTag>;                 ///< Number in MPI_COMM_WORLD at launch: a member's name for life.
using Slot = Id<struct SlotTag>;                 ///< Place in this round's world communicator. Changes at a rebuild.
using Round = Id<struct RoundTag>;               ///< One agreed membership. +1 per rebuild; the first is 1, or goes on
                                                 ///< where a job is started again from its state.
using Step = Id<struct StepTag, std::uint64_t>;  ///< The program's own count of committed transactions.
using RequestId = Id<struct RequestTag, std::uint64_t>;  ///< A submitter's choice; unique per submitting member.
/// One run of one replica of a backend, in a job with a controller; upwards from 1, never given twice.
using ReplicaId = Id<struct ReplicaTag, std::uint64_t>;
/// Names a block of a request's prefix together with all blocks before it: equal where the whole prefix is equal.
using BlockHash = std::uint64_t;

/// Why a call did not do what it was asked to, and what its caller does next.
enum class Fault {
    peer_lost,   ///< A member died or the round was revoked. Return to next(); it says rebuilt.
    timed_out,   ///< No answer by the deadline. The text says what was waited for.
    refused,     ///< Not legal now. Nothing has changed; the text says why.
    busy,        ///< As many requests are open as may be. Nothing has changed; ask again later.
    aborted,     ///< The caller took it back before an engine had begun with it.
    ended,       ///< The session is over. Session::ending() says how.
    state_lost,  ///< No live member holds the state that was asked for.
    bad_setup,   ///< The surroundings do not allow it (MPI, threads, environment). The text says what to do.
    internal,    ///< MPI or the system said something unexpected; the text carries its words.
};

/// The name of a fault as it is written above.
[[nodiscard]] const char* name_of(Fault fault);

/// A fault and, in a sentence, where it happened and what to do.
struct Error {
    Fault fault = Fault::internal;
    std::string text;
};

/// Holds a T or an Error. Asking for the one that is not there is a bug in the caller and stops the process.
template <class T>
class [[nodiscard]] Result {
public:
    Result(T value) : held_(std::move(value)) {}      // NOLINT(google-explicit-constructor)
    Result(Error error) : held_(std::move(error)) {}  // NOLINT(google-explicit-constructor)
    explicit operator bool() const { return held_.index() == 0; }
    [[nodiscard]] T& operator*() { return std::get<0>(held_); }
    [[nodiscard]] const T& operator*() const { return std::get<0>(held_); }
    [[nodiscard]] T* operator->() { return &std::get<0>(held_); }
    [[nodiscard]] const T* operator->() const { return &std::get<0>(held_); }
    [[nodiscard]] const Error& error() const { return std::get<1>(held_); }

private:
    std::variant<T, Error> held_;
};

/// "It is done" for calls that return nothing else.
struct Done {};

}  // namespace muster

template <class Tag, class Value>
struct std::hash<muster::Id<Tag, Value>> {
    std::size_t operator()(const muster::Id<Tag, Value>& id) const noexcept { return std::hash<Value>{}(id.value); }
};
