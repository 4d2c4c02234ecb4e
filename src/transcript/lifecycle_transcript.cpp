// SPDX-License-Identifier: Apache-2.0
// The lifecycle's two tables in JSON. Fields: DESIGN.md, "Lifecycle".
#include <map>

#include "core/lifecycle.hpp"
#include "transcript/transcript.hpp"

namespace muster::transcript {

namespace {

using core::Event;
using core::Outcome;

constexpr const char* kFields[] = {"who", "engine", "event", "work", "consensus", nullptr};

Json json_of(const Outcome& outcome) {
    Json answer{{"accepted", outcome.accepted}, {"from", name_of(outcome.from)}};
    if (outcome.via) answer["via"] = name_of(*outcome.via);
    answer["to"] = name_of(outcome.to);
    answer["act"] = name_of(outcome.act);
    if (!outcome.accepted) answer["reason"] = outcome.reason;
    return answer;
}

template <class Enum>
std::string all_names(std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += (i == 0 ? "" : ", ") + std::string(name_of(static_cast<Enum>(i)));
    return text;
}

class Lifecycle : public Machine {
public:
    Json answer(const Json& line) override {
        expect_only(line, kFields);
        const auto who = text_of(line, "who", "engine");
        const auto name = text_of(line, "event");
        const auto event = core::event_from(name);
        if (!event) throw BadLine("unknown event \"" + name + "\": there are " + all_names<Event>(core::kEvents));
        if (who == "coordinator") return coordinators_answer(line, *event);
        if (who == "engine") return engines_answer(line, *event);
        throw BadLine("unknown \"who\": engine or coordinator");
    }

private:
    Json coordinators_answer(const Json& line, Event event) {
        for (const char* field : {"engine", "work", "consensus"})
            if (line.contains(field)) throw BadLine(std::string("\"") + field + "\" is an engine's");
        if (event != Event::votes_counted && event != Event::barrier_crossed)
            return json_of(coordinator_.step(static_cast<Signal>(event)));
        const auto state = coordinator_.state();
        return json_of({.from = state, .to = state, .reason = "the coordinator's table has signals only"});
    }

    Json engines_answer(const Json& line, Event event) {
        const auto name = text_of(line, "consensus", "none");
        const auto consensus = core::consensus_from(name);
        if (!consensus) throw BadLine("unknown consensus \"" + name + "\": there are " + all_names<core::Consensus>(4));
        const core::Situation situation{.work = count_of(line, "work", 0), .consensus = *consensus};
        auto& engine = engines_[count_of(line, "engine", 0)];
        const auto outcome = engine.step(event, situation);
        Json answer = json_of(outcome);
        if (outcome.accepted && event == Event::barrier_crossed) release_held(engine, answer);
        if (engine.held() > 0) answer["held"] = engine.held();
        answer["milestones"] = Json::array();
        for (std::size_t i = 0; i < kMilestones; ++i)
            if (engine.reached(static_cast<Milestone>(i)))
                answer["milestones"].push_back(name_of(static_cast<Milestone>(i)));
        return answer;
    }

    /// In a stable state held signals are judged at once, until one leads on.
    static void release_held(core::EngineLifecycle& engine, Json& answer) {
        while (const auto signal = engine.take_held()) {
            Json one{{"event", core::name_of(core::event_of(*signal))}};
            one.update(json_of(engine.step(core::event_of(*signal))));
            answer["then"].push_back(std::move(one));
        }
    }

    std::map<std::uint64_t, core::EngineLifecycle> engines_;
    core::CoordinatorLifecycle coordinator_;
};

}  // namespace

std::unique_ptr<Machine> make_lifecycle() { return std::make_unique<Lifecycle>(); }

}  // namespace muster::transcript
