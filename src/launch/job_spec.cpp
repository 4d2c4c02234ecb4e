// SPDX-License-Identifier: Apache-2.0
#include "launch/job_spec.hpp"

#include <charconv>
#include <sstream>

namespace muster::launch {

namespace {
bool parse_slots(const std::string& text, int& slots) {
    const auto* end = text.data() + text.size();
    const auto [last, fault] = std::from_chars(text.data(), end, slots);
    return fault == std::errc{} && last == end && slots > 0;
}
}  // namespace

HostList parse_hosts(const std::string& text) {
    HostList list;
    std::stringstream stream(text);
    for (std::string entry; std::getline(stream, entry, ',');) {
        HostSlots host{.name = entry.substr(0, entry.find(':'))};
        const auto colon = entry.find(':');
        const bool slots_good = colon == std::string::npos || parse_slots(entry.substr(colon + 1), host.slots);
        if (host.name.empty() || !slots_good)
            return {.hosts = {}, .error = "--hosts: '" + entry + "' is not HOST or HOST:SLOTS with SLOTS of 1 or more"};
        list.hosts.push_back(host);
    }
    if (list.hosts.empty()) list.error = "--hosts: the list is empty; write it as a:2,b:2";
    return list;
}

}  // namespace muster::launch
