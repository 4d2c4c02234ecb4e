// SPDX-License-Identifier: Apache-2.0
#include "agent/inject.hpp"

#include <atomic>
#include <csignal>
#include <mutex>
#include <regex>
#include <sstream>
#include <vector>

namespace muster::agent {
namespace {

struct Order {
    std::string point;
    unsigned long countdown = 1;
};

std::atomic<bool> any{false};
std::mutex mutex;
std::vector<Order> orders;

}  // namespace

Result<Done> order_faults(const char* order, Rank self) {
    if (order == nullptr || *order == '\0') return Done{};
    static const std::regex form(R"(kill:rank=(\d+)@point=([a-z_.]+)(?:#(\d+))?)");
    std::stringstream parts{std::string(order)};
    for (std::string part; std::getline(parts, part, ';');) {
        std::smatch match;
        if (!std::regex_match(part, match, form))
            return Error{Fault::bad_setup,
                         "MUSTER_INJECT: '" + part + "' is not of the form kill:rank=R@point=NAME or ...@point=NAME#N"};
        if (std::stoul(match[1]) != self.value) continue;
        const std::scoped_lock lock(mutex);
        orders.push_back({match[2], match[3].matched ? std::stoul(match[3]) : 1});
        any = true;
    }
    return Done{};
}

void reach_point(const char* point) {
    if (!any.load(std::memory_order_relaxed)) return;
    const std::scoped_lock lock(mutex);
    for (auto& order : orders)
        if (order.point == point && --order.countdown == 0) std::raise(SIGKILL);
}

bool faults_ordered() { return any.load(std::memory_order_relaxed); }

void reach_point(const char* where, const char* what) {
    if (any.load(std::memory_order_relaxed)) reach_point((std::string(where) + '.' + what).c_str());
}

}  // namespace muster::agent
