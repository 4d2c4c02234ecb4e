// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Whose changes were done, so that one that is made again (to a successor) is not done again.
/// Intuition: a client numbers its calls and says with each which answers it still waits for; what is below that number
/// is forgotten. Refusals are not here: they have changed nothing.
/// Shape: part of a mirrored state, of the registry's and of the controller's. Errors: nonsense shows in the Reader.
/// Thread safety: none.

#include <cstddef>
#include <map>
#include <optional>

#include "core/codec.hpp"
#include "core/controller_state.hpp"
#include "core/store_message.hpp"

namespace muster::core {

constexpr std::size_t kRememberedMax = 1024;  ///< Changes of one client that it has not said to have the answers to.

class CallBook {
public:
    struct Call {
        Rank author;
        CallId id, settled;  ///< It waits for no answer to its calls below `settled`.
        std::optional<controller::GoalId> goal{};
        bool operator==(const Call&) const = default;
    };
    void add(const Call& call);
    /// Nothing: it was not done, as far as is known here.
    [[nodiscard]] std::optional<Call> find(Rank author, CallId id) const;
    [[nodiscard]] CallId settled(Rank author) const;
    [[nodiscard]] std::size_t unsettled(Rank author, CallId settled) const;  ///< Remembered from `settled` on.

    void put(Writer& out) const;
    [[nodiscard]] static CallBook take(Reader& in);

private:
    struct Author {
        CallId settled;
        std::map<CallId, std::optional<controller::GoalId>> done;
    };
    std::map<Rank, Author> authors_;
};

}  // namespace muster::core
