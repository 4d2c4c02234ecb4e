// SPDX-License-Identifier: Apache-2.0
#include "serve/operator.hpp"

#include <algorithm>
#include <chrono>

namespace serve {
namespace {

/// Requests that come in before the operator goes on, so that every state meets some.
constexpr std::uint64_t kLinger = 20;

}  // namespace

OperatorReport Operator::run() {
    bool going = true;
    for (std::uint32_t number = 1; going && number <= options_.cycles; ++number) going = cycle(number);
    if (going && !tally_.wait_answered(options_.requests)) going = fail("some requests were not answered");
    if (going && !tally_.wait_deployed()) going = fail("the deployment was not finished");
    if (going) (void)step("stop", &muster::Client::stop);
    return std::move(report_);
}

/// At equal distances in the course of the requests.
bool Operator::cycle(std::uint32_t number) {
    if (!tally_.wait_answered(options_.requests * number / (options_.cycles + 1)))
        return fail("some requests were not answered");
    return step("pause", &muster::Client::pause) && linger() && step("suspend", &muster::Client::suspend) && linger() &&
           step("resume", &muster::Client::resume) && linger() && step("unpause", &muster::Client::unpause);
}

bool Operator::step(const char* name, muster::Operation (muster::Client::*signal)()) {
    const auto begin = std::chrono::steady_clock::now();
    auto operation = (client_.*signal)();
    const auto done = operation.wait(std::chrono::seconds(options_.patience_s));
    if (!done) return fail(std::string(name) + ": " + done.error().text);
    const std::chrono::duration<double, std::milli> taken = std::chrono::steady_clock::now() - begin;
    report_.transitions.push_back({name, taken.count(), client_.open_requests()});
    tally_.count_transition();
    return true;
}

bool Operator::linger() {
    return tally_.wait_sent(std::min(tally_.sent() + kLinger, options_.requests)) || fail("the traffic ended early");
}

bool Operator::fail(const std::string& why) {
    report_.failure = why;
    return false;
}

}  // namespace serve
