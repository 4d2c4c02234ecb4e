// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The store's contents as a fold of its entries: the coordinator and its followers hold the same.
/// Intuition: a dictionary that is emptied when a round begins, and beside it the answers to the calls that have
/// changed it, so that a call that is made again (to a successor) is answered again and not done again.
/// Shape: apply() is the only way to change it, and what it does follows from the entry, the state and the settings
/// alone; so settings must be the same on all members. Units: bytes.
/// Memory: bytes() is keys, values, kStoreKeyCost for each key, and the values of remembered answers; it is at most
/// StoreSettings::bytes_max. Beside it a client has at most remembered_max small answers.
/// Errors: apply() says false (a repeat, a gap, an old round) and changes nothing. Thread safety: none.

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/store_message.hpp"

namespace muster::core {

struct StoreSettings {
    std::string prefix = "muster.rendezvous";  ///< torch's is "torch.rendezvous" (T28, T35).
    std::string run_id{};
    std::size_t bytes_max = std::size_t{1} << 30;         ///< What StoreState::bytes() may come to.
    std::size_t open_bytes_max = std::size_t{256} << 20;  ///< Calls that wait for keys or for their round.
    std::uint32_t remembered_max = 1024;                  ///< Answers per client that it has not said to have.
};

/// What the full names of a round's keys begin with: "muster.rendezvous.{run_id}.{round}".
[[nodiscard]] std::string store_prefix(const StoreSettings& settings, Round round);

/// A key in an error text: in quotes, what cannot be printed as \xNN, cut where it is long.
[[nodiscard]] std::string in_quotes(std::string_view key);

constexpr std::size_t kStoreKeyCost = 64;  ///< What a key costs beside its own bytes.

class StoreState {
public:
    explicit StoreState(const StoreSettings& settings) : bytes_max_(settings.bytes_max) {}

    /// The next entry of this round, or the first one of a later round.
    bool apply(const StoreEntry& entry);

    [[nodiscard]] Round round() const { return round_; }
    [[nodiscard]] std::uint64_t entries() const { return entries_; }  ///< Of this round, so far.
    [[nodiscard]] Value find(const std::string& key) const;           ///< Null where it is not there.
    [[nodiscard]] std::size_t size() const { return keys_.size(); }
    [[nodiscard]] std::size_t bytes() const { return bytes_; }

    /// The answer to a call that was done in this round; nothing where there was none or it has been forgotten.
    [[nodiscard]] const StoreAnswer* remembered(Rank client, CallId id) const;
    /// The client has said that it has the answers to all calls below the returned one.
    [[nodiscard]] CallId settled(Rank client) const;
    /// Remembered answers of the client from `settled` on.
    [[nodiscard]] std::size_t unsettled(Rank client, CallId settled) const;

    /// Everything, for a new follower; the same bytes for the same contents.
    [[nodiscard]] Bytes snapshot() const;
    /// Errors: nonsense is nothing.
    [[nodiscard]] static std::optional<StoreState> from_snapshot(const StoreSettings& settings,
                                                                 std::span<const std::byte> bytes);

private:
    struct Client {
        CallId settled;
        std::map<CallId, StoreAnswer> answers;
    };
    StoreAnswer change(const store::Set& set);
    StoreAnswer change(const store::Add& add);
    StoreAnswer change(const store::CompareSet& swap);
    StoreAnswer change(const store::Erase& erase);
    [[nodiscard]] std::optional<Error> set(const std::string& key, const Value& value, std::size_t beside);
    [[nodiscard]] std::optional<Error> full(const std::string& key, std::size_t needed, std::size_t freed) const;
    void settle(Rank client, CallId settled);
    void remember(Rank client, CallId id, StoreAnswer answer);
    void forget(Rank client);

    std::size_t bytes_max_;
    Round round_;
    std::uint64_t entries_ = 0;
    std::size_t bytes_ = 0;
    std::map<std::string, Value> keys_;
    std::map<Rank, Client> clients_;  ///< Who has changed something in this round.
};

}  // namespace muster::core
