// SPDX-License-Identifier: Apache-2.0
#include "serve/traffic.hpp"

#include <algorithm>
#include <cmath>

#include "moe/random.hpp"
#include "serve/deployment.hpp"

namespace serve {
namespace {

/// What the random numbers are for.
enum Use : std::uint64_t { kMoment = 1, kChoice = 2 };

/// Where all requests fail, a few words are enough.
constexpr std::size_t kFailuresToTell = 5;

std::string name_of(muster::RequestId id) { return "request " + std::to_string(id.value) + ": "; }

}  // namespace

Traffic::Traffic(const moe::Dataset& data, const std::vector<float>& weights, const Options& options, Tally& tally)
    : options_(options), tally_(tally) {
    for (const auto& shard : data.held_back({}))
        for (const moe::Image* image : shard.images) {
            const auto picture = picture_of(*image);
            samples_.push_back({picture, image->label, class_of(weights, picture)});
        }
    sendings_.reserve(options.requests);
}

TrafficReport Traffic::run(muster::Client& client) {
    due_ = Clock::now();
    while (send(client) && receive(client)) {
    }
    tally_.close();
    return std::move(report_);
}

/// Everything that is due. False: nothing can be sent any more.
bool Traffic::send(muster::Client& client) {
    while (sendings_.size() < options_.requests && Clock::now() >= due_) {
        const auto number = sendings_.size();
        const auto& sample = samples_[moe::random_bits(options_.seed, kChoice, number) % samples_.size()];
        sendings_.push_back({.sample = &sample, .at = Clock::now()});
        const muster::RequestId id{number + 1};
        muster::SubmitOptions to{.id = id};
        if (options_.only_slots > 0) to.engine = muster::Slot{static_cast<std::uint32_t>(number) % options_.only_slots};
        if (!options_.replicas.empty()) to.endpoint = kEndpoint;
        const auto sent = client.submit(sample.picture, std::move(to));
        if (!sent) return fail(name_of(id) + sent.error().text);
        ++report_.sent;
        tally_.count_sent();
        due_ += pause_before(number + 1);
    }
    return true;
}

/// At most one answer. False: the job is over, or silent for too long.
bool Traffic::receive(muster::Client& client) {
    const auto reply = client.next(until_next());
    if (reply) {
        judge(*reply);
        return true;
    }
    if (reply.error().fault == muster::Fault::timed_out) {
        const bool all_sent = sendings_.size() == options_.requests;
        const bool silent = all_sent && tally_.quiet_for() > std::chrono::seconds(options_.patience_s);
        return !silent || fail("no answer for " + std::to_string(options_.patience_s) + " s");
    }
    if (report_.answered < options_.requests) fail(reply.error().text);
    return false;
}

bool Traffic::fail(const std::string& why) {
    if (report_.failures.size() < kFailuresToTell) report_.failures.push_back(why);
    return false;
}

void Traffic::judge(const muster::Reply& reply) {
    const auto number = reply.id.value - 1;
    if (number >= sendings_.size()) {
        ++report_.strange;
        return;
    }
    auto& sending = sendings_[number];
    if (sending.answered) {
        ++report_.twice;
        return;
    }
    sending.answered = true;
    const auto answer = answer_from(reply.bytes);
    if (reply.error)
        fail(name_of(reply.id) + reply.error->text);
    else if (!answer)
        fail(name_of(reply.id) + "the answer makes no sense");
    else
        judge(sending, *answer);
    tally_.count_answered();
}

void Traffic::judge(const Sending& sending, const Answer& answer) {
    ++report_.answered;
    if (answer.label == sending.sample->label) ++report_.right;
    if (answer.label != sending.sample->quiet_answer) ++report_.differing;
    report_.times_ms.push_back(std::chrono::duration<double, std::milli>(Clock::now() - sending.at).count());
    if (answer.engine.replica != 0) report_.replicas.insert(answer.engine.replica);
    auto& engine = report_.engines[answer.engine.rank];
    ++engine.answered;
    engine.word = answer.engine;
}

/// Exponential: requests come independently of each other.
Traffic::Clock::duration Traffic::pause_before(std::uint64_t request) const {
    const auto uniform = 0.5 * (1.0 - static_cast<double>(moe::random_unit(options_.seed, kMoment, request)));
    const std::chrono::duration<double> pause(-std::log(uniform) / options_.rate);
    return std::chrono::duration_cast<Clock::duration>(pause);
}

std::chrono::milliseconds Traffic::until_next() const {
    constexpr std::chrono::milliseconds longest(200);
    if (sendings_.size() == options_.requests) return longest;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(due_ - Clock::now());
    return std::clamp(left, std::chrono::milliseconds(1), longest);
}

}  // namespace serve
