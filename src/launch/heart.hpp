// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The launcher's own sign of life to every member, and what it asks of them.
/// Intuition: members that do not hear it for their lease stop themselves (agent/pulse.hpp), so the beats come from a
/// thread of their own: whoever reads `muster run`'s output slowly must not end the job. Once the job is given up the
/// beats end, and after one lease nobody of it is left anywhere, not even on a node that cannot be reached.
/// Thread safety: all calls from any thread.

#include <chrono>
#include <map>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <thread>

#include "launch/child.hpp"

namespace muster::launch {

class Heart {
public:
    explicit Heart(std::chrono::milliseconds interval);
    void add(int rank, int socket);  ///< Keeps a copy of the descriptor.
    void remove(int rank);
    void stop();  ///< No beat after this.
    /// False where there is no such member, or it does not take the line at once.
    bool tell(int rank, const nlohmann::json& order);

private:
    void run(const std::stop_token& stop);

    std::chrono::milliseconds interval_;
    std::mutex mutex_;
    std::map<int, Descriptor> members_;
    std::jthread thread_;
};

}  // namespace muster::launch
