// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Signals as something to poll for. While a SignalBox lives, INT, TERM, HUP, USR1, USR2 and CHLD are blocked in this
/// thread and arrive through its descriptor; then the thread's mask is as before.
/// HUP stays ignored where it was (nohup).

#include <csignal>
#include <vector>

#include "launch/child.hpp"

namespace muster::launch {

class SignalBox {
public:
    SignalBox();
    ~SignalBox();
    SignalBox(const SignalBox&) = delete;
    SignalBox& operator=(const SignalBox&) = delete;

    [[nodiscard]] int descriptor() const { return descriptor_.get(); }
    [[nodiscard]] std::vector<int> take();  ///< What has come since, oldest first. Never blocks.

private:
    sigset_t before_{};
    Descriptor descriptor_;
};

}  // namespace muster::launch
