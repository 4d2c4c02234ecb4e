// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <mpi.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <vector>

#include "bench/board.hpp"
#include "bench/changes.hpp"
#include "core/controller_call.hpp"
#include "core/job_state.hpp"
#include "core/message.hpp"
#include "persist/descriptor.hpp"

namespace muster::bench {
namespace {

enum Tag : int { update_tag = 1, traffic_tag, copy_tag, kept_tag, told_tag, end_tag };

struct Places {
    int rank = 0, size = 0, followers = 0;
    [[nodiscard]] int client() const { return size - 1; }
};

double us(std::int64_t ns) { return static_cast<double>(ns) / 1e3; }

/// What muster's journal does for a record, and nothing else.
class BareLog {
public:
    BareLog(const ChangeSettings& settings, int rank) : settings_(settings) {
        if (settings.directory.empty()) return;
        path_ = settings.directory + "/bare." + std::to_string(rank);
        file_ = persist::Descriptor(::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600));
        failed_ = !file_;
        if (failed_) std::perror(("muster-bench: " + path_).c_str());
    }
    ~BareLog() {
        if (file_) ::unlink(path_.c_str());
    }
    BareLog(const BareLog&) = delete;
    BareLog& operator=(const BareLog&) = delete;

    void append(std::size_t bytes) {
        if (!file_ || failed_) return;
        record_.resize(bytes, 'r');
        failed_ = ::write(file_.get(), record_.data(), bytes) != static_cast<ssize_t>(bytes) ||
                  (settings_.sync && ::fdatasync(file_.get()) != 0);
        if (failed_) std::perror(("muster-bench: " + path_).c_str());
    }
    [[nodiscard]] bool failed() const { return failed_; }

private:
    const ChangeSettings& settings_;
    std::string path_;
    persist::Descriptor file_;
    std::vector<char> record_;
    bool failed_ = false;
};

class Wire {
public:
    Wire() {
        std::size_t most = 0;
        for (const auto& one : bytes_) most = std::max({most, one.ask, one.copy, one.kept, one.told});
        buffer_.resize(most);
    }
    [[nodiscard]] const ChangeBytes& bytes_of(int change) const { return bytes_[static_cast<std::size_t>(change % 2)]; }
    void send(std::size_t bytes, int to, int tag) {
        MPI_Send(buffer_.data(), static_cast<int>(bytes), MPI_BYTE, to, tag, MPI_COMM_WORLD);
    }
    MPI_Status receive(int from) {
        MPI_Status status;
        MPI_Recv(buffer_.data(), static_cast<int>(buffer_.size()), MPI_BYTE, from, MPI_ANY_TAG, MPI_COMM_WORLD,
                 &status);
        return status;
    }

private:
    std::array<ChangeBytes, 2> bytes_ = bytes_of_changes();
    std::vector<char> buffer_;
};

void coordinate(const Places& at, Wire& wire, BareLog& log) {
    std::vector<int> kept(static_cast<std::size_t>(at.followers) + 1, 0);  // Of each follower.
    for (int told = 0, asked = 0;;) {
        const auto status = wire.receive(MPI_ANY_SOURCE);
        if (status.MPI_TAG == end_tag) break;
        if (status.MPI_TAG == kept_tag) {
            ++kept[static_cast<std::size_t>(status.MPI_SOURCE)];
        } else {
            kept[0] = ++asked;
            const auto& bytes = wire.bytes_of(status.MPI_TAG == update_tag ? 0 : 1);
            log.append(bytes.record);
            for (int follower = 1; follower <= at.followers; ++follower) wire.send(bytes.copy, follower, copy_tag);
        }
        // What all have is safe, in the order in which it was asked.
        for (const int safe = *std::min_element(kept.begin(), kept.end()); told < safe; ++told)
            wire.send(wire.bytes_of(0).told, at.client(), told_tag);
    }
    for (int follower = 1; follower <= at.followers; ++follower) wire.send(0, follower, end_tag);
}

void follow(Wire& wire, BareLog& log) {
    while (wire.receive(0).MPI_TAG != end_tag) {
        log.append(wire.bytes_of(0).record);
        wire.send(wire.bytes_of(0).kept, 0, kept_tag);
    }
}

/// Microseconds a change, of so many with at most `window` open.
double ask(Wire& wire, int count, int window) {
    const auto begin = now_ns();
    for (int sent = 0, answered = 0; answered < count; ++answered) {
        for (; sent < count && sent - answered < window; ++sent)
            wire.send(wire.bytes_of(sent).ask, 0, sent % 2 == 0 ? update_tag : traffic_tag);
        (void)wire.receive(0);
    }
    return us(now_ns() - begin) / count;
}

void call(const ChangeSettings& settings, Wire& wire, BareLog& log, Samples& samples) {
    const int singles = settings.singles();
    (void)ask(wire, settings.window * 4, settings.window);
    for (int block = 0; block < settings.blocks; ++block) {
        samples["bare_window"].push_back(ask(wire, settings.changes, settings.window));
        samples["bare_single"].push_back(ask(wire, singles, 1));
        if (settings.directory.empty()) continue;
        const auto begin = now_ns();
        for (int i = 0; i < singles; ++i) log.append(wire.bytes_of(i).record);
        samples[settings.sync ? "bare_fsync" : "bare_write"].push_back(us(now_ns() - begin) / singles);
    }
    wire.send(0, 0, end_tag);
}

ChangeBytes bytes_of(const core::controller::Command& command, const core::controller::Event& event) {
    using namespace core;  // NOLINT: every name here is one of its.
    const auto size = [](Message message) { return encode(Packet{{}, {}, 0, 0, std::move(message)}).size(); };
    const Bytes entry = JobState::entry(JobState::ControllerStep{CallBook::Call{}, {controller::encode(event)}});
    return {
        .ask = size(message::ControllerAsk{{}, controller::encode(command), {}, {}}),
        .copy = size(message::Copy{{}, 0, false, entry}),
        .kept = size(message::Kept{}),
        .told = size(message::ControllerTold{{}, {}, controller::encode(controller::CallDone{controller::GoalId{1}})}),
        .record = entry.size()};
}

}  // namespace

std::array<ChangeBytes, 2> bytes_of_changes() {
    namespace ctl = core::controller;
    BackendConfigUpdate update;
    update.user_config = "10000";
    BackendConfig config;
    config.user_config = "10000";
    const ctl::TrafficDict traffic{{"backend10", 0.25}, {"backend11", 0.75}};
    const Endpoint endpoint{{}, {"GET"}, {traffic.begin(), traffic.end()}, {}};
    return {bytes_of(ctl::UpdateBackendConfig{"backend10", update},
                     ctl::event::BackendSet{"backend10", ctl::Backend{config}, ctl::GoalId{1}}),
            bytes_of(ctl::SetTraffic{"endpoint10", traffic}, ctl::event::EndpointSet{"endpoint10", endpoint})};
}

bool bare_changes(const ChangeSettings& settings, Samples& samples) {
    Places at;
    MPI_Comm_rank(MPI_COMM_WORLD, &at.rank);
    MPI_Comm_size(MPI_COMM_WORLD, &at.size);
    at.followers = std::min(settings.followers, at.size - 2);
    Wire wire;
    BareLog log(settings, at.rank);
    if (at.rank == at.client())
        call(settings, wire, log, samples);
    else if (at.rank == 0)
        coordinate(at, wire, log);
    else if (at.rank <= at.followers)
        follow(wire, log);
    int failed = log.failed() ? 1 : 0;
    MPI_Allreduce(MPI_IN_PLACE, &failed, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    return failed == 0;
}

}  // namespace muster::bench
