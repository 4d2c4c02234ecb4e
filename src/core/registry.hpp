// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Named versions that outlive rounds and coordinators: what a rendezvous inside a job keeps its state in.
/// Intuition: get a version with its token; set another one where the token still fits. The coordinator serves them
/// (RegistryServer), its followers fold the same entries (core/mirror), and an answer leaves when they have them.
/// Shape: keys of 1 to kStoreKeyMax bytes; a token names one version of the job's life and never comes again.
/// Errors: refused (no key, the registry is full, too many calls under way), as answers. A change that is made again
/// under the same id is not done again: it is remembered with the state until its client has said to have the answer,
/// whatever others have made of the key meanwhile. Thread safety: none. Source: torch's RendezvousBackend (acceptance
/// T4).

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/mirror.hpp"

namespace muster::core {

/// The fold.
class Registry : public Mirrored {
public:
    struct Version {
        RegistryToken token;
        Bytes bytes;
    };
    struct Change {  ///< An entry.
        Rank author;
        CallId call, settled;
        std::string key;
        std::optional<Version> version;  ///< Nothing: the key is erased.
    };
    [[nodiscard]] bool apply(std::span<const std::byte> entry) override;
    [[nodiscard]] Bytes snapshot() const override;
    [[nodiscard]] bool load(std::span<const std::byte> snapshot) override;

    [[nodiscard]] const Version* find(const std::string& key) const;
    [[nodiscard]] bool was_done(Rank client, CallId call) const;
    /// The client waits for no answer to a call below the returned one.
    [[nodiscard]] CallId settled(Rank client) const;
    /// Its remembered changes from `settled` on.
    [[nodiscard]] std::size_t unsettled(Rank client, CallId settled) const;
    [[nodiscard]] std::size_t bytes() const { return bytes_; }  ///< Of keys and values.

    [[nodiscard]] static Bytes entry(const Change& change);  ///< For apply().

private:
    void put(const std::string& key, std::optional<Version> version);
    struct Client {
        CallId settled;
        std::set<CallId> done;
    };
    std::map<std::string, Version> versions_;
    std::map<Rank, Client> clients_;  ///< Who has changed something.
    std::size_t bytes_ = 0;
};

struct RegistryReply {
    Rank client;
    message::RegistryTold told;
};

/// What the coordinator does with calls. One on every member, since any may coordinate.
class RegistryServer {
public:
    RegistryServer(Rank self, std::size_t bytes_max)
        : self_(self), registry_(std::make_unique<Registry>()), mirror_(self, *registry_), bytes_max_(bytes_max) {}

    [[nodiscard]] MirrorEffects complete(Round round, Rank coordinator, const std::vector<Rank>& followers,
                                         std::optional<Rank> source);
    [[nodiscard]] MirrorEffects received(Rank from, message::Copy copy) {
        return mirror_.received(from, std::move(copy));
    }
    [[nodiscard]] MirrorEffects received(Rank from, message::Kept kept) { return mirror_.received(from, kept); }
    /// On the coordinator. The answer comes with take_replies(), not before the state is here and mirrored.
    [[nodiscard]] MirrorEffects ask(Rank client, message::RegistryAsk ask);
    [[nodiscard]] MirrorEffects serve();  ///< After MirrorSafe.
    [[nodiscard]] std::vector<RegistryReply> take_replies();

    [[nodiscard]] const MirrorPosition& position() const { return mirror_.position(); }
    [[nodiscard]] const Registry& registry() const { return *registry_; }

private:
    struct Held {
        std::uint64_t after = 0;  ///< Entries that must be safe.
        RegistryReply reply;
    };
    [[nodiscard]] MirrorEffects change(Rank client, message::RegistryAsk ask);
    [[nodiscard]] std::optional<std::string> objection_to(Rank client, const message::RegistryAsk& ask) const;
    void answer(Rank client, message::RegistryTold told);
    [[nodiscard]] message::RegistryTold told(const message::RegistryAsk& ask) const;

    Rank self_;
    std::unique_ptr<Registry> registry_;  ///< Stays where it is, wherever this object moves to.
    Mirror mirror_;
    std::size_t bytes_max_;
    std::vector<std::pair<Rank, message::RegistryAsk>> early_;  ///< Came before the state.
    std::vector<Held> held_;                                    ///< In order of `after`.
};

}  // namespace muster::core
