// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What the members of one round tell each other in a rendezvous that is not the job's own: keys and values beside the
/// rendezvous state, in a file or wherever else a rendezvous Backend keeps them, changed by compare and swap.
/// Intuition: rank 0 of the round opens it, empty; until then nobody reads or writes. It names who has opened it, so a
/// file that an earlier life of the same run id has left is never taken for this round's. For a few small values (how
/// to begin, how it ended): every change writes the whole file; in the job the store is Session::store().
/// Shape: the file is the FileBackend's of the run id `prefix` ("muster.rendezvous.job.3"). Units: milliseconds.
/// Errors: Fault::timed_out names key, round and who should have opened it; Fault::refused is a store that is gone,
/// since a later round was opened; Fault::internal carries the file system's words.
/// Thread safety: all calls from any thread. Source: acceptance T28, T30.

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "core/rendezvous_node.hpp"
#include "muster/types.hpp"
#include "persist/file_backend.hpp"

namespace muster::meet {

using RoundKeys = std::map<std::string, std::string>;

struct RoundStorePlace {
    std::string directory{};  ///< Empty where a Backend is given.
    std::string prefix{};     ///< Joined::store_prefix.
    Round round{};
    core::rendezvous::Node owner{};        ///< Rank 0 of the round.
    std::chrono::milliseconds poll{1000};  ///< Between two looks.
};

class RoundStore {
public:
    explicit RoundStore(RoundStorePlace place);
    /// `backend`: of the key `place.prefix`.
    RoundStore(RoundStorePlace place, std::unique_ptr<core::rendezvous::Backend> backend);

    /// For the owner, once: an empty store of this round, whatever lies there.
    [[nodiscard]] Result<Done> open();
    /// False: the owner has not opened it yet.
    [[nodiscard]] Result<bool> try_set(const std::string& key, const std::string& value);
    /// Nothing: not there, or not opened yet.
    [[nodiscard]] Result<std::optional<std::string>> look(const std::string& key);

    [[nodiscard]] Result<Done> set(const std::string& key, const std::string& value, std::chrono::milliseconds limit);
    [[nodiscard]] Result<std::string> get(const std::string& key, std::chrono::milliseconds limit);
    /// All of it at one moment; empty while it is not opened.
    [[nodiscard]] Result<RoundKeys> contents();
    /// Takes the file away, where it is one. For whoever opens a later round, when nobody is in this one any more.
    void discard();

    [[nodiscard]] const RoundStorePlace& place() const { return place_; }

private:
    struct Version;
    [[nodiscard]] Result<Version> read();
    [[nodiscard]] Error waited_for(const std::string& what, std::chrono::milliseconds limit);
    [[nodiscard]] Error failed(const std::string& text) const;

    RoundStorePlace place_;
    std::unique_ptr<core::rendezvous::Backend> backend_;
    persist::FileBackend* file_ = nullptr;  ///< The backend, where it is a file.
};

}  // namespace muster::meet
