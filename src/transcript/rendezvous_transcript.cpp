// SPDX-License-Identifier: Apache-2.0
// Executors on one shared backend, one iteration a line. Fields: DESIGN.md, "Rendezvous".
#include <map>
#include <optional>

#include "core/rendezvous_run.hpp"
#include "transcript/rendezvous_fields.hpp"
#include "transcript/transcript.hpp"

namespace muster::transcript {

namespace {

namespace rdzv = core::rendezvous;

constexpr const char* kFirst[] = {"settings", nullptr};
constexpr const char* kBackend[] = {"backend", nullptr};
constexpr const char* kIteration[] = {"now", "node", "op", "deadline", nullptr};

Json raised(const rdzv::Failure& failure) { return {{"raises", rdzv::name_of(failure.kind)}, {"text", failure.text}}; }

/// Where a sync or a decision raises there is nothing else to say; error actions are said beside what they raise.
Json answer_of(const rdzv::Step& step, const rdzv::State& state) {
    if (!step.action) return raised(*step.failure);
    Json answer;
    answer["synced"] = step.synced ? Json(*step.synced) : Json();
    answer["action"] = rdzv::name_of(*step.action);
    answer["state"] = json_of(state);
    if (step.new_deadline) answer["new_deadline"] = json_of(*step.new_deadline);
    if (step.failure) answer.update(raised(*step.failure));
    return answer;
}

class Rendezvous : public Machine {
public:
    Json answer(const Json& line) override {
        if (!settings_) return begin(line);
        if (line.contains("settings")) throw BadLine("the settings are given once, on the first line");
        if (line.contains("backend")) return change_backend(line);
        return iterate(line);
    }

private:
    Json begin(const Json& line) {
        if (!line.contains("settings")) throw BadLine("the first line is {\"settings\":{...}}");
        expect_only(line, kFirst);
        auto settings = rendezvous_settings_of(line["settings"]);
        if (const auto complaint = complaint_about(settings)) return raised(*complaint);
        settings_ = std::move(settings);
        return no_answer();
    }

    Json change_backend(const Json& line) {
        expect_only(line, kBackend);
        const auto what = text_of(line, "backend");
        if (what == "lost")
            backend_.lose();
        else if (what == "corrupt")
            backend_.replace(core::Bytes(7, std::byte{0x2e}));
        else
            throw BadLine("unknown \"backend\": lost or corrupt");
        return no_answer();
    }

    Json iterate(const Json& line) {
        expect_only(line, kIteration);
        const auto now = time_of(line, "now");
        const auto name = text_of(line, "op");
        const auto operation = rdzv::operation_from(name);
        if (!operation) throw BadLine("unknown \"op\": join, exit, close or keep_alive");
        const auto node = rdzv::node_from(text_of(line, "node"));
        if (!node) throw BadLine("\"node\" must be addr_pid_localid");
        const auto deadline = deadline_of(line);
        auto& holder = holders_.try_emplace(*node, backend_, *settings_).first->second;
        const auto step = rdzv::iterate(holder, {*node, *settings_, now}, {*operation, deadline});
        return answer_of(step, holder.state());
    }

    std::optional<rdzv::Settings> settings_;
    rdzv::MemoryBackend backend_;
    std::map<rdzv::Node, rdzv::StateHolder> holders_;
};

}  // namespace

std::unique_ptr<Machine> make_rendezvous() { return std::make_unique<Rendezvous>(); }

}  // namespace muster::transcript
