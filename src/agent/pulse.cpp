// SPDX-License-Identifier: Apache-2.0
#include "agent/pulse.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "agent/log.hpp"
#include "agent/process.hpp"

namespace muster::agent {
namespace {

using nlohmann::json;

std::chrono::milliseconds from_environment(const char* name) {
    const char* text = std::getenv(name);
    return std::chrono::milliseconds(text != nullptr ? std::max(0, std::atoi(text)) : 0);
}

/// Where `muster run` finds this member: its node, and in Slurm the step that can be cancelled by its name.
std::string hello() {
    json more{{"pulse", true}, {"node", host_name()}};
    if (const char* step = std::getenv("SLURM_STEP_ID"); step != nullptr) more["slurm_step"] = step;
    return more.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

Pulse::Pulse(Rank self, Mailbox& mailbox, detail::Desk& desk)
    : mailbox_(mailbox),
      desk_(desk),
      interval_(from_environment("MUSTER_PULSE_MS")),
      lease_(from_environment("MUSTER_LEASE_MS")),
      link_(self, hello()),
      end_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (interval_.count() > 0 && beat()) thread_ = std::thread([this] { run(); });
}

Pulse::~Pulse() {
    if (!thread_.joinable()) return;
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto rung = ::write(end_.get(), &one, sizeof one);
    thread_.join();
}

void Pulse::run() {
    auto heard = Clock::now();
    auto next = heard + interval_;
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now());
        const auto orders = link_.listen(end_.get(), std::max(left, std::chrono::milliseconds(0)));
        if (!orders) break;  // The end.
        if (!orders->empty()) heard = Clock::now();
        for (const auto& order : *orders) obey(order);
        if (!link_.open()) {
            if (lease_.count() > 0) stop_cut_off("its link to muster run is broken");
            return;
        }
        const auto now = Clock::now();
        if (lease_.count() > 0 && now - heard > lease_) stop_cut_off("muster run was not heard of for its lease");
        if (now < next) continue;
        beat();
        next = now + interval_;
    }
    link_.send({{"event", "left"}});
}

/// What is committed, and how long ago the round's first commit was: `muster run` tells the parts of a relaunch by it.
bool Pulse::beat() {
    json event{{"event", "beat"}};
    if (const auto step = mailbox_.last_step()) event["step"] = step->value;
    if (const auto first = mailbox_.first_commit(); first != Clock::time_point())
        event["first_ms"] = std::chrono::duration<double, std::milli>(Clock::now() - first).count();
    return link_.send(event);
}

void Pulse::obey(const json& order) {
    const auto what = order.value("order", "");
    if (what == "suspend") (void)desk_.ask(core::Wanted::suspended);
    if (what == "end")
        mailbox_.wish({static_cast<ExitCode>(order.value("code", static_cast<int>(ExitCode::requeue_wanted))),
                       order.value("reason", "muster run asked for it")});
}

/// A death that MPI notices, on this side of whatever has cut it off.
void Pulse::stop_cut_off(const char* how) const {
    say(std::string(how) + ": the job may be running again elsewhere; this process stops");
    std::fflush(nullptr);
    (void)std::raise(SIGKILL);
    std::abort();
}

}  // namespace muster::agent
