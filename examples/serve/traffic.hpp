// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The client: sends held-back images at random moments, and looks hard at what comes back.
/// Intuition: every answer is compared with what the same weights say in this process, without MPI, a cache or a death.
/// Thread safety: one thread; the Tally it counts in is shared. Units: milliseconds where the name ends in _ms.

#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "moe/dataset.hpp"
#include "muster/client.hpp"
#include "serve/answer.hpp"
#include "serve/classifier.hpp"
#include "serve/options.hpp"
#include "serve/tally.hpp"

namespace serve {

struct TrafficReport {
    std::uint64_t sent = 0;
    std::uint64_t answered = 0;         ///< Requests, not answers.
    std::uint64_t right = 0;            ///< The answer is the image's label.
    std::uint64_t differing = 0;        ///< The answer is not what a quiet run says.
    std::uint64_t twice = 0;            ///< Answers to what was already answered.
    std::uint64_t strange = 0;          ///< Answers to what was never asked.
    std::vector<std::string> failures;  ///< The first few: requests that ended with an error, what ended it all.
    std::vector<double> times_ms;       ///< Shape: one per answered request; sent -> answered.
    struct Engine {
        std::uint64_t answered = 0;
        EngineWord word;  ///< Its last.
    };
    std::map<std::uint32_t, Engine> engines;  ///< By rank.
    std::set<std::uint32_t> replicas;         ///< That have answered, where there is a controller.
};

class Traffic {
public:
    Traffic(const moe::Dataset& data, const std::vector<float>& weights, const Options& options, Tally& tally);

    /// Until all requests are answered and the job has ended, or nothing has happened for Options::patience_s.
    [[nodiscard]] TrafficReport run(muster::Client& client);

private:
    using Clock = std::chrono::steady_clock;
    struct Sample {
        Picture picture;
        std::uint32_t label = 0, quiet_answer = 0;
    };
    struct Sending {
        const Sample* sample = nullptr;
        Clock::time_point at;
        bool answered = false;
    };

    [[nodiscard]] bool send(muster::Client& client);
    [[nodiscard]] bool receive(muster::Client& client);
    bool fail(const std::string& why);
    void judge(const muster::Reply& reply);
    void judge(const Sending& sending, const Answer& answer);
    [[nodiscard]] Clock::duration pause_before(std::uint64_t request) const;
    [[nodiscard]] std::chrono::milliseconds until_next() const;

    const Options& options_;
    Tally& tally_;
    std::vector<Sample> samples_;
    std::vector<Sending> sendings_;  ///< Request i has the id i + 1.
    Clock::time_point due_;          ///< Of the next sending.
    TrafficReport report_;
};

}  // namespace serve
