// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Handlers that meet through files in a directory of their own, quickly.

#include "meet/rendezvous.hpp"
#include "meet/round_store.hpp"
#include "persist/support.hpp"

namespace muster::meet::testing {

using core::rendezvous::millis;
using core::rendezvous::Settings;
using core::rendezvous::Time;

/// Polls every 2 ms; a keep-alive every 20 ms, dead after 3 s (so that a slow machine kills nobody).
inline Settings quick(std::int64_t min, std::int64_t max) {
    Settings settings;
    settings.run_id = "job";
    settings.min_nodes = min;
    settings.max_nodes = max;
    settings.timeouts = {millis(30'000), millis(50), millis(10'000), millis(10'000)};
    settings.keep_alive_interval = millis(20);
    settings.keep_alive_max_attempt = 150;
    settings.poll_sleep = millis(2);
    settings.cache = settings.join_delay = Time{0};
    settings.replace_dead_participants = false;
    return settings;
}

class Meeting : public persist::testing::Directory {
protected:
    [[nodiscard]] std::unique_ptr<persist::FileBackend> file() const {
        return std::make_unique<persist::FileBackend>(settings());
    }
    [[nodiscard]] RendezvousOptions options(const Settings& of, const std::string& address = "n") const {
        return {.settings = of, .backend = file(), .address = address, .on_event = {}, .chance = {}};
    }
    [[nodiscard]] std::unique_ptr<Rendezvous> handler(const Settings& of, const std::string& address = "n") const {
        auto made = Rendezvous::create(options(of, address));
        return std::move(std::get<0>(made));
    }
    [[nodiscard]] RoundStorePlace place(const Joined& joined) const {
        return {.directory = path,
                .prefix = joined.store_prefix,
                .round = joined.round,
                .owner = joined.world.at(0),
                .poll = std::chrono::milliseconds(2)};
    }
};

inline Joined in(Or<std::optional<Joined>> met) { return std::get<0>(std::move(met)).value(); }

}  // namespace muster::meet::testing
