// SPDX-License-Identifier: Apache-2.0
#include "serve/kill_order.hpp"

#include <regex>

namespace serve {

muster::Result<KillOrder> parse_kill(const std::string& text) {
    static const std::regex form("([0-9]{1,9})@(?:([1-9][0-9]{0,8})|(suspend)|(resume))");
    std::smatch parts;
    if (!std::regex_match(text, parts, form))
        return muster::Error{muster::Fault::refused,
                             "--kill " + text + ": should look like 1@150, 1@suspend or 1@resume"};
    KillOrder order{.rank = {static_cast<std::uint32_t>(std::stoul(parts[1]))}};
    if (parts[2].matched) order.request = std::stoul(parts[2]);
    if (parts[3].matched) order.moment = KillOrder::in_suspend;
    if (parts[4].matched) order.moment = KillOrder::in_resume;
    return order;
}

}  // namespace serve
