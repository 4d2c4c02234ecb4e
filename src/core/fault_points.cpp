// SPDX-License-Identifier: Apache-2.0
#include "core/fault_points.hpp"

#include <algorithm>
#include <array>

#include "core/message.hpp"
#include "muster/lifecycle.hpp"

namespace muster::core {
namespace {

constexpr std::array kWhole = {"noticed",        "revoked",       "shrunk",         "gathered", "planned",
                               "world_split",    "group_split",   "built",          "agreed",   "handed_over",
                               "commit.entered", "commit.agreed", "commit.recorded"};
constexpr std::array kBesideBarrier = {"before", "inside", "after"};
constexpr std::array kBesideMessage = {"send", "sent", "got"};
/// A barrier is crossed in one of these states.
constexpr std::array kBarriers = {"pausing", "unpausing", "suspending", "resuming", "stopping"};

template <class List>
bool holds(const List& list, std::string_view word) {
    return std::find(list.begin(), list.end(), word) != list.end();
}

template <class List>
std::string listed(const List& list) {
    std::string text;
    for (const std::string_view word : list) text += (text.empty() ? "" : " ") + std::string(word);
    return text;
}

}  // namespace

bool is_fault_point(std::string_view name) {
    if (holds(kWhole, name)) return true;
    const auto dot = name.find('.');
    if (dot == std::string_view::npos) return false;
    const auto where = name.substr(0, dot), what = name.substr(dot + 1);
    return (holds(kBesideBarrier, where) && holds(kBarriers, what)) ||
           (holds(kBesideMessage, where) && holds(names_of_messages(), what));
}

std::string fault_points_text() {
    return listed(kWhole) + ", before, inside or after and a barrier (before.pausing; " + listed(kBarriers) +
           "), or send, sent or got and a message (got.submit; " + listed(names_of_messages()) + ")";
}

}  // namespace muster::core
