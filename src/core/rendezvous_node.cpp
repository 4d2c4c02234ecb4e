// SPDX-License-Identifier: Apache-2.0
#include "core/rendezvous_node.hpp"

#include <charconv>
#include <string_view>

namespace muster::core::rendezvous {

namespace {

/// Takes "_123" from the end of `rest`.
std::optional<std::int64_t> take_number(std::string_view& rest) {
    const auto bar = rest.rfind('_');
    if (bar == std::string_view::npos) return std::nullopt;
    const auto digits = rest.substr(bar + 1);
    if (digits.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
    std::int64_t value = 0;
    if (std::from_chars(digits.data(), digits.data() + digits.size(), value).ec != std::errc()) return std::nullopt;
    rest = rest.substr(0, bar);
    return value;
}

}  // namespace

std::string text_of(const Node& node) {
    return node.addr + "_" + std::to_string(node.pid) + "_" + std::to_string(node.local_id);
}

std::optional<Node> node_from(const std::string& text) {
    std::string_view rest = text;
    const auto local_id = take_number(rest);
    const auto pid = local_id ? take_number(rest) : std::nullopt;
    if (!pid || rest.empty()) return std::nullopt;
    return Node{std::string(rest), *pid, *local_id};
}

Node NodeNames::next(const Host& host, const std::string& local_addr) {
    return {local_addr.empty() ? host.full_name : local_addr, host.pid, next_.fetch_add(1)};
}

}  // namespace muster::core::rendezvous
