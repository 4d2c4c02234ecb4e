// SPDX-License-Identifier: Apache-2.0
// The controller's calls, one a line. Fields: DESIGN.md, "Controller".
#include <algorithm>
#include <functional>
#include <limits>

#include "transcript/controller_fields.hpp"
#include "transcript/controller_line.hpp"
#include "transcript/controller_stage.hpp"

namespace muster::transcript {

namespace ctl = core::controller;

namespace {

constexpr std::uint64_t kTurnMs = 1000;  ///< The source's period: what a tick without "now" adds.

constexpr const char* kCommands =
    "create_backend, delete_backend, update_backend_config, create_endpoint, delete_endpoint, set_traffic, "
    "shadow_traffic, wait_for_goal, num_pending_goals, listen_for_change, tick, crash_and_recover, shutdown, "
    "get_backend_config, get_all_backends, get_all_endpoints, get_replica_handles, get_http_proxies, get_http_config, "
    "fail_next_scale, fail_next_checkpoint, fail_next_start, kill_replica, set_nodes, set_room, observe";

/// What a line is answered with, before the scene is added.
struct Reply {
    Json result;
    std::optional<ctl::GoalId> goal{};
    bool waits = false;
};

std::map<std::string, core::SnapshotId> keys_of(const Json& value) {
    if (!value.is_object()) throw BadLine("\"keys_to_snapshot_ids\" must be an object of whole numbers");
    std::map<std::string, core::SnapshotId> keys;
    for (const auto& [key, id] : value.items()) {
        if (!id.is_number_integer()) throw BadLine("\"keys_to_snapshot_ids\" must be an object of whole numbers");
        keys[key] = id.get<core::SnapshotId>();
    }
    return keys;
}

std::optional<std::uint32_t> room_of(Fields& fields) {
    const auto room = fields.count({"room"});
    if (room && *room > std::numeric_limits<std::uint32_t>::max()) throw BadLine("\"room\" is too large");
    return room ? std::optional(static_cast<std::uint32_t>(*room)) : std::nullopt;
}

class Controller : public Machine {
public:
    Json answer(const Json& line) override {
        const Json plain = plain_call(line);
        Fields fields(plain);
        auto name = fields.text({"cmd", "command", "op", "call", "method"});
        name.erase(0, name.find_first_not_of('_'));  // Some of the source's queries begin with one.
        const auto now = fields.millis({"now"});
        if (now && *now < stage_.now_ms()) throw BadLine("\"now\" must not go back");
        Scene scene;
        scene.crash_after = fields.count({"crash_after"});
        auto carry_out = read(name, fields);
        fields.expect_no_more();
        ++line_;  // From here on the line counts.
        if (now) stage_.set_now(*now);
        if (!now && name == "tick") stage_.set_now(stage_.now_ms() + kTurnMs);
        if (!stage_.is_up() && name != "crash_and_recover") {
            scene.error = "The controller is down: crash_and_recover comes next.";
            return answer_of({}, scene);
        }
        const auto reply = carry_out(scene);
        return answer_of(reply, scene);
    }

    [[nodiscard]] bool is_fault(const Json&) const override { return false; }

private:
    using CarryOut = std::function<Reply(Scene&)>;

    static Json answer_of(const Reply& reply, const Scene& scene) {
        Json answer{{"result", reply.result}};
        answer["goal"] = json_of(reply.goal);
        answer["error"] = scene.error ? Json(*scene.error) : Json();
        answer["order"] = scene.order;
        if (reply.waits) answer["waits"] = true;
        if (scene.effects != scene.order) answer["effects"] = scene.effects;
        if (!scene.then.empty()) answer["then"] = scene.then;
        if (!scene.warnings.empty()) answer["warnings"] = scene.warnings;
        return answer;
    }

    /// Reads the whole line before anything is done, so that a bad one changes nothing.
    CarryOut read(const std::string& name, Fields& fields) {
        if (auto command = command_of(name, fields)) {
            const bool fails = fields.flag({"fail_next_scale"}, false);
            return [this, fails, call = std::move(*command)](Scene& scene) {
                if (fails) stage_.fail_next_scale();
                return Reply{{}, stage_.call(call, scene)};
            };
        }
        if (auto waiting = read_waiting(name, fields)) return waiting;
        if (auto query = read_query(name, fields)) return query;
        if (auto fault = read_fault(name, fields)) return fault;
        if (name == "tick" || name == "run_control_loop")
            return [this](Scene& scene) {
                stage_.turn(scene);
                return Reply{};
            };
        if (name == "crash_and_recover")
            return [this](Scene& scene) {
                stage_.crash_and_recover(scene);
                return Reply{};
            };
        throw BadLine("unknown command \"" + name + "\": there are " + kCommands);
    }

    CarryOut read_waiting(const std::string& name, Fields& fields) {
        const auto limit = [&fields] { return fields.millis({"timeout_s", "timeout"}); };
        if (name == "wait_for_goal" || name == "wait_for_event") {
            const auto goal = goal_from(fields.get({"goal_id", "goal", "uuid", "id"}));
            return [this, goal, until = limit()](Scene& scene) {
                if (!goal) return Reply{true};  // R9: an unknown one.
                return reply_of(stage_.wait_for_goal(ctl::WaiterId{line_}, *goal, until), scene);
            };
        }
        if (name != "listen_for_change") return nullptr;
        auto keys = keys_of(fields.get({"keys_to_snapshot_ids", "keys", "snapshot_ids"}));
        return [this, keys = std::move(keys), until = limit()](Scene& scene) {
            return reply_of(stage_.listen(ctl::WaiterId{line_}, keys, until), scene);
        };
    }

    static Reply reply_of(const std::optional<Json>& answered, Scene& scene) {
        if (!answered) return {.result = {}, .waits = true};
        if (answered->contains("error")) scene.error = (*answered)["error"].get<std::string>();
        return {(*answered)["result"]};
    }

    CarryOut read_query(const std::string& name, Fields& fields) {
        const auto view = [this](ctl::Topic topic) {
            return [this, topic](Scene&) { return Reply{view_of(stage_.state(), topic)}; };
        };
        if (name == "get_backend_config") {
            auto tag = fields.text({"backend_tag", "tag", "backend", "backend_name"});
            return [this, tag = std::move(tag)](Scene& scene) { return backend_config(tag, scene); };
        }
        if (name == "get_all_backends" || name == "list_backends") return view(ctl::Topic::backend_configs);
        if (name == "get_all_endpoints" || name == "list_endpoints" || name == "get_endpoints")
            return [this](Scene&) { return Reply{endpoints_of(stage_.state())}; };
        if (name == "get_replica_handles" || name == "all_replica_handles" || name == "replica_handles" ||
            name == "get_all_replica_handles")
            return view(ctl::Topic::replica_handles);
        if (name == "get_http_proxies" || name == "http_proxies" || name == "proxies" || name == "get_proxies")
            return [this](Scene&) { return Reply{Json(stage_.controller().gates().handles())}; };
        if (name == "get_http_config" || name == "http_config")
            return [this](Scene&) { return Reply{json_of(stage_.controller().gates().config())}; };
        if (name == "num_pending_goals" || name == "get_num_pending_goals" || name == "num_inflight_results")
            return [this](Scene&) { return Reply{stage_.controller().num_pending_goals()}; };
        return nullptr;
    }

    Reply backend_config(const std::string& tag, Scene& scene) const {
        auto config = view_of(stage_.state(), ctl::Topic::backend_configs, tag);
        if (config.is_null()) scene.error = "Backend " + tag + " is not registered.";
        return {std::move(config)};
    }

    CarryOut read_fault(const std::string& name, Fields& fields) {
        if (name == "fail_next_scale")
            return [this](Scene&) {
                stage_.fail_next_scale();
                return Reply{};
            };
        if (name == "fail_next_checkpoint")
            return [this](Scene&) {
                stage_.fail_next_checkpoint();
                return Reply{};
            };
        if (name == "fail_next_start")
            return [this, count = fields.count({"count"}).value_or(1)](Scene&) {
                stage_.fail_starts(count);
                return Reply{};
            };
        if (name == "set_room")
            return [this, room = room_of(fields)](Scene&) {
                stage_.set_room(room);
                return Reply{};
            };
        if (name == "kill_replica")
            return [this, replica = fields.text({"replica", "replica_tag"})](Scene&) {
                return Reply{stage_.kill_replica(replica)};
            };
        if (name == "observe") {
            auto tag = fields.text({"backend_tag", "tag", "backend"});
            const auto ongoing = fields.real({"ongoing"}).value_or(0);
            return [this, tag = std::move(tag), ongoing](Scene&) {
                stage_.controller().observe(tag, ongoing);
                return Reply{};
            };
        }
        return name == "set_nodes" ? read_nodes(fields) : nullptr;
    }

    CarryOut read_nodes(Fields& fields) {
        const auto& nodes = fields.get({"nodes"});
        const bool texts = nodes.is_array() &&
                           std::all_of(nodes.begin(), nodes.end(), [](const Json& one) { return one.is_string(); });
        if (!texts) throw BadLine("\"nodes\" must be a list of texts");
        return [this, names = nodes.get<std::vector<std::string>>()](Scene&) {
            stage_.set_nodes(names);
            return Reply{};
        };
    }

    ControllerStage stage_;
    std::uint64_t line_ = 0;
};

}  // namespace

std::unique_ptr<Machine> make_controller() { return std::make_unique<Controller>(); }

}  // namespace muster::transcript
