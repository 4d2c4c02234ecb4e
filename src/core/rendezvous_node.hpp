// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Who takes part in a rendezvous: one handler of one process on one host.
/// Shape: printed addr_pid_localid, ordered by (addr, pid, local_id), numbers as numbers. The address may hold
/// underscores, so a name is read from the right. Errors: a name that is none is nothing. Source: acceptance T3.
/// Thread safety: plain values; NodeNames may be shared by threads.

#include <atomic>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace muster::core::rendezvous {

struct Node {
    std::string addr;  ///< Full name of the host, or whatever the user calls it. Never empty.
    std::int64_t pid = 0;
    std::int64_t local_id = 0;  ///< Counts the handlers of one process.
    auto operator<=>(const Node&) const = default;
};

[[nodiscard]] std::string text_of(const Node& node);
/// Nothing where the text has no address, or does not end in two numbers of 0 to 2^63 - 1.
[[nodiscard]] std::optional<Node> node_from(const std::string& text);

/// The host as the caller knows it; the core asks no system.
struct Host {
    std::string full_name;
    std::int64_t pid = 0;
};

/// Gives each handler of a process another name.
class NodeNames {
public:
    /// `local_addr` replaces the host's name unless it is empty.
    [[nodiscard]] Node next(const Host& host, const std::string& local_addr = {});

private:
    std::atomic<std::int64_t> next_{0};
};

}  // namespace muster::core::rendezvous

template <>
struct std::hash<muster::core::rendezvous::Node> {
    std::size_t operator()(const muster::core::rendezvous::Node& node) const noexcept {
        const std::size_t numbers = std::hash<std::int64_t>{}(node.pid) * 31 + std::hash<std::int64_t>{}(node.local_id);
        return std::hash<std::string>{}(node.addr) * 31 + numbers;
    }
};
