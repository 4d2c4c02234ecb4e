// SPDX-License-Identifier: Apache-2.0
// Lockstep groups, each with its fronts' and its engines' messages in the order they came. Fields: DESIGN.md, "Waves".
#include <deque>
#include <optional>
#include <vector>

#include "transcript/transcript.hpp"
#include "transcript/waves_fields.hpp"

namespace muster::transcript {

namespace {

constexpr const char* kFirst[] = {"settings", nullptr};

/// One group: the source's loop over two sockets, a turn of which is a line.
class Group {
public:
    explicit Group(const WavesSettings& settings) : settings_(settings) {}

    Json answer(WavesLine line) {
        if (!start_) begin(line);
        if (line.subscribe) return subscribe(line);
        if (line.front) fronts_.push_back(std::move(*line.front));
        if (line.engine) engines_.push_back(std::move(*line.engine));
        if (!tracker_) return wait(line);
        if (line.paused) return answer_of(tracker_->pause(line.now_ms, *line.paused));
        return turn(line.now_ms);
    }

    /// A line that says nothing is a poll that finds what an earlier turn has left, where there is something.
    [[nodiscard]] bool has_something_left() const { return !fronts_.empty() || !engines_.empty(); }

private:
    void begin(const WavesLine& line) {
        start_.emplace(core::WaveStartSettings{.engines = settings_.wave.load.engines,
                                               .limit_ms = settings_.start_limit_ms,
                                               .ready_at_once = !line.subscribe,
                                               .source_timing = settings_.wave.source_timing},
                       line.now_ms);
        if (start_->ready()) tracker_.emplace(settings_.wave, line.now_ms);
    }

    Json subscribe(const WavesLine& line) {
        auto effects = start_->tick(line.now_ms);
        if (!start_->failed())
            effects = *line.subscribe ? start_->subscribed(line.subscriber.value_or(start_->next_missing()))
                                      : start_->other_message();
        if (start_->failed()) return {{"error", start_->why()}};
        if (start_->ready() && !tracker_) tracker_.emplace(settings_.wave, line.now_ms);
        return with_timeout(json_of(effects), line.now_ms);
    }

    /// What comes before READY waits in its socket.
    Json wait(const WavesLine& line) {
        const auto effects = start_->tick(line.now_ms);
        if (start_->failed()) return {{"error", start_->why()}};
        return with_timeout(json_of(effects), line.now_ms);
    }

    Json turn(std::int64_t now_ms) {
        core::WaveInput input;
        if (!fronts_.empty()) input.front = fronts_.front();
        if (!engines_.empty()) input.engine = engines_.front();
        const auto turn = tracker_->step(now_ms, input);
        if (input.front) fronts_.pop_front();
        if (input.engine && !turn.engine_waits) engines_.pop_front();
        return answer_of(turn);
    }

    static Json answer_of(const core::WaveTurn& turn) {
        Json answer = json_of(turn.effects);
        if (!turn.fault) {
            answer["next_poll_ms"] = turn.next_poll_ms;
            return answer;
        }
        Json error{{"error", *turn.fault}};  // And what had gone out before.
        for (const auto& [field, list] : answer.items())
            if (!list.empty()) error[field] = list;
        return error;
    }

    Json with_timeout(Json answer, std::int64_t now_ms) const {
        answer["next_poll_ms"] = nullptr;
        if (tracker_)
            answer["next_poll_ms"] = tracker_->board().poll_timeout_ms(now_ms);
        else if (const auto deadline = start_->deadline_ms())
            answer["next_poll_ms"] = *deadline - now_ms;
        return answer;
    }

    WavesSettings settings_;
    std::optional<core::WaveStart> start_;
    std::optional<core::WaveTracker> tracker_;
    std::deque<core::FrontNews> fronts_;
    std::deque<core::EngineNews> engines_;
};

class Waves : public Machine {
public:
    Json answer(const Json& line) override {
        if (!settings_) return begin(line);
        if (line.contains("settings")) throw BadLine("the settings are given once, on the first line");
        auto read = waves_line_of(line, *settings_);
        auto& group = groups_[read.group];
        const bool says = read.front || read.engine || read.tick || read.subscribe || read.paused;
        if (!says && !group.has_something_left())
            throw BadLine("a line has front, engine, tick, subscribe or paused: nothing waits from an earlier one");
        return group.answer(std::move(read));
    }

private:
    Json begin(const Json& line) {
        if (!line.contains("settings")) throw BadLine("the first line is {\"settings\":{...}}");
        expect_only(line, kFirst);
        settings_ = waves_settings_of(line);
        groups_.assign(settings_->groups, Group(*settings_));
        return no_answer();
    }

    std::optional<WavesSettings> settings_;
    std::vector<Group> groups_;
};

}  // namespace

std::unique_ptr<Machine> make_waves() { return std::make_unique<Waves>(); }

}  // namespace muster::transcript
