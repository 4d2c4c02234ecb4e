// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Named versions that outlive rounds and coordinators: what a rendezvous inside a job keeps its state in.
/// Intuition: get a version with its token; set another one where the token still fits. The coordinator serves them
/// (core/registry_server), its followers fold the same entries (core/mirror), and an answer leaves when they have them.
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

    void forget_callers() { clients_.clear(); }  ///< Others will call under their ranks.

    [[nodiscard]] static Bytes entry(const Change& change);  ///< For apply().
    /// An entry in one line, for people; nothing where the bytes are none.
    [[nodiscard]] static std::optional<std::string> describe(std::span<const std::byte> entry);

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

}  // namespace muster::core
