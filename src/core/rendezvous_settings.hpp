// SPDX-License-Identifier: Apache-2.0
#pragma once
/// What a rendezvous is told beforehand: how many, how long, and where ours may differ from the source.
/// Intuition: Settings{} waits and polls as the source does; in_job() is for members that MPI's shrink has already
/// agreed on, where nothing needs to be waited for. Units: Time (microseconds). Errors: complaint_about() is the
/// source's ValueError with its text, the first one in its order. Source: acceptance T1, T2, T34. Thread safety: plain.

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "core/rendezvous_failure.hpp"
#include "core/rendezvous_time.hpp"
#include "muster/config.hpp"
#include "muster/types.hpp"

namespace muster::core::rendezvous {

struct Timeouts {
    Time join = seconds(600);      ///< From a handler's call until it is in a complete round.
    Time last_call = seconds(30);  ///< From min nodes on until a round is complete without max.
    Time close = seconds(30);
    Time heartbeat = seconds(5);  ///< Within which one heartbeat must get through.
};

struct Settings {
    std::string run_id;
    std::int64_t min_nodes = 1;
    std::int64_t max_nodes = 1;
    Timeouts timeouts{};
    Time keep_alive_interval = seconds(5);
    std::int64_t keep_alive_max_attempt = 3;  ///< Dead: no heartbeat for more than interval x this.
    Time cache = seconds(1);                  ///< A state read this long ago need not be read again. 0: always read.
    Time poll_sleep = seconds(1);             ///< Between two looks at a state in which there is nothing to do.
    Time join_delay = millis(300);            ///< In round 0 a handler waits up to this, by chance.
    Time rollback = seconds(5);               ///< After the deadline: still time to take oneself off the lists.

    /// A participant of a complete round that dies starts the next round: round + 1, incomplete, survivors in it.
    /// Off: the round stays complete until all have left or died, as in the source.
    bool replace_dead_participants = true;
    /// Complete as soon as all agreed members are participants, without last call. Needs Question::agreed.
    bool complete_when_all_present = false;
    SlotOrder slot_order = SlotOrder::sorted;        ///< Ranks: sorted descriptors, or survivors keep theirs.
    std::string store_prefix = "muster.rendezvous";  ///< The source's is "torch.rendezvous".
};

/// Nothing is waited for: no poll sleep, no join delay, no cache; a heartbeat every 200 ms, dead after 1 s without.
[[nodiscard]] Settings in_job(std::string run_id, std::int64_t min_nodes, std::int64_t max_nodes);

[[nodiscard]] std::optional<Failure> complaint_about(const Timeouts& timeouts);
/// Timeouts first: the source has them checked before it sees the rest.
[[nodiscard]] std::optional<Failure> complaint_about(const Settings& settings);

/// Settings with what `parameters` says, in whole seconds: "join_timeout", "last_call_timeout", "close_timeout",
/// "heartbeat_timeout", "keep_alive_interval"; and "keep_alive_max_attempt". Others are left to whom they concern
/// ("local_addr": NodeNames).
[[nodiscard]] Or<Settings> settings_from(Settings settings, const std::map<std::string, std::string>& parameters);

/// No heartbeat since before this: dead.
[[nodiscard]] Time expiry(const Settings& settings, Time now);

/// Prefix of a round's keys in the store: "muster.rendezvous.{run_id}.{round}" (T28, T35).
[[nodiscard]] std::string store_prefix(const Settings& settings, Round round);

}  // namespace muster::core::rendezvous
