// SPDX-License-Identifier: Apache-2.0
#include "agent/roster.hpp"

#include <unistd.h>

#include "mpi/pool.hpp"

namespace muster::agent {
namespace {

constexpr std::size_t kEntrySize = 512;
constexpr std::size_t kNameMax = 200;

core::Bytes encode(const RosterEntry& entry) {
    core::Writer out;
    out.id(entry.member.rank);
    out.text(entry.member.node.substr(0, kNameMax));
    out.text(entry.member.location.substr(0, kNameMax));
    out.u32(entry.process.pid);
    out.u64(entry.process.start_time);
    out.u64(entry.process.space);
    out.u32(entry.bell.ipv4);
    out.u32(entry.bell.port);
    out.u64(entry.settings);
    auto bytes = out.take();
    bytes.resize(kEntrySize);
    return bytes;
}

RosterEntry decode(const core::Bytes& bytes) {
    core::Reader in(bytes);
    RosterEntry entry;
    entry.member.rank = in.id<Rank>();
    entry.member.node = in.text();
    entry.member.location = in.text();
    entry.process.pid = in.u32();
    entry.process.start_time = in.u64();
    entry.process.space = in.u64();
    entry.bell.ipv4 = in.u32();
    entry.bell.port = static_cast<std::uint16_t>(in.u32());
    entry.settings = in.u64();
    return entry;
}

std::uint64_t hash_of(const Config& config) {
    core::Writer out;
    for (const std::uint32_t value : {config.engines,
                                      config.standbys,
                                      config.clients,
                                      config.engines_min,
                                      config.engine_ranks,
                                      config.group_size,
                                      static_cast<std::uint32_t>(config.consensus),
                                      config.consensus_every,
                                      static_cast<std::uint32_t>(config.work),
                                      static_cast<std::uint32_t>(config.stay),
                                      config.fan_out,
                                      config.followers,
                                      static_cast<std::uint32_t>(config.routing),
                                      config.queue_max_per_engine,
                                      config.queue_max,
                                      config.load_interval_ms,
                                      static_cast<std::uint32_t>(config.slot_order),
                                      static_cast<std::uint32_t>(config.quorum),
                                      static_cast<std::uint32_t>(config.controller),
                                      static_cast<std::uint32_t>(!config.state_directory.empty())})
        out.u32(value);
    return core::hash_of(out.take());
}

}  // namespace

RosterEntry own_entry(Rank self, const Config& config, const BellAddress& bell) {
    RosterEntry entry;
    entry.member = {self, host_name(), config.location.empty() ? host_name() : config.location};
    entry.process = this_process();
    entry.bell = bell;
    entry.settings = hash_of(config);
    return entry;
}

Result<std::vector<RosterEntry>> exchange(const mpi::Communicator& pool, const RosterEntry& own,
                                          std::uint32_t launched) {
    auto all = mpi::all_gather(pool, encode(own));
    if (!all) return all.error();
    std::vector<RosterEntry> roster(launched);
    for (std::uint32_t r = 0; r < launched; ++r) roster[r].member = {Rank{r}, "?", "?"};
    std::optional<Rank> odd;
    for (const auto& bytes : *all) {
        auto entry = decode(bytes);
        if (entry.settings != own.settings && !odd) odd = entry.member.rank;
        const std::uint32_t rank = entry.member.rank.value;
        roster.at(rank) = std::move(entry);
    }
    if (odd)
        return Error{Fault::bad_setup, "rank " + std::to_string(odd->value) + " joined with other settings than rank " +
                                           std::to_string(own.member.rank.value) +
                                           " (engines, standbys, clients, min, engine ranks, group size, consensus, "
                                           "work, stay, routing, queue bounds, load interval, fan-out, slot order and "
                                           "quorum must be the same everywhere)"};
    return roster;
}

}  // namespace muster::agent
