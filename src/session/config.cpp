// SPDX-License-Identifier: Apache-2.0
#include "muster/config.hpp"

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <optional>
#include <type_traits>

namespace muster {
namespace {

/// Reads environment variables one by one and remembers the first that makes no sense.
class Environment {
public:
    void number(const char* name, std::uint32_t& value) {
        const char* text = std::getenv(name);
        if (text == nullptr || wrong_) return;
        const char* end = text + std::strlen(text);
        std::uint32_t parsed = 0;
        const auto [stop, error] = std::from_chars(text, end, parsed);
        if (error != std::errc() || stop != end || stop == text)
            complain(name, text, "a whole number from 0 to 4294967295");
        else
            value = parsed;
    }

    template <class Enum>
    struct Name {
        const char* text;
        Enum value;
    };

    template <class Enum>
    void choice(const char* name, Enum& value, std::initializer_list<Name<std::type_identity_t<Enum>>> names) {
        const char* text = std::getenv(name);
        if (text == nullptr || wrong_) return;
        std::string may_be;
        std::size_t left = names.size();
        for (const auto& one : names) {
            if (std::strcmp(text, one.text) == 0) {
                value = one.value;
                return;
            }
            --left;
            may_be += one.text + std::string(left > 1 ? ", " : left == 1 ? " or " : "");
        }
        complain(name, text, may_be);
    }

    void text(const char* name, std::string& value) {
        if (const char* found = std::getenv(name)) value = found;
    }

    [[nodiscard]] const std::optional<std::string>& wrong() const { return wrong_; }

private:
    void complain(const char* name, const char* is, const std::string& may_be) {
        wrong_ = std::string(name) + " is '" + is + "'; it must be " + may_be;
    }
    std::optional<std::string> wrong_;
};

void read_shape(Environment& env, Config& config) {
    env.number("MUSTER_ENGINES", config.engines);
    env.number("MUSTER_STANDBYS", config.standbys);
    env.number("MUSTER_CLIENTS", config.clients);
    env.number("MUSTER_MIN", config.engines_min);
    env.number("MUSTER_ENGINE_RANKS", config.engine_ranks);
    env.number("MUSTER_GROUP_SIZE", config.group_size);
    env.choice("MUSTER_SLOT_ORDER", config.slot_order, {{"stable", SlotOrder::stable}, {"sorted", SlotOrder::sorted}});
    env.choice("MUSTER_QUORUM", config.quorum, {{"majority", Quorum::majority}, {"none", Quorum::none}});
    env.choice("MUSTER_CONTROLLER", config.controller, {{"no", false}, {"yes", true}});
}

void read_turns(Environment& env, Config& config) {
    env.choice("MUSTER_CONSENSUS", config.consensus,
               {{"blocking", ConsensusMode::blocking},
                {"overlapped", ConsensusMode::overlapped},
                {"off", ConsensusMode::off}});
    env.number("MUSTER_CONSENSUS_EVERY", config.consensus_every);
    env.choice("MUSTER_WORK", config.work, {{"always", Work::always}, {"requests", Work::requests}});
    env.choice("MUSTER_STAY", config.stay, {{"no", false}, {"yes", true}});
    env.number("MUSTER_FAN_OUT", config.fan_out);
    env.choice("MUSTER_ROUTING", config.routing,
               {{"round_robin", Routing::round_robin},
                {"least_loaded", Routing::least_loaded},
                {"power_of_two", Routing::power_of_two},
                {"prefix_affinity", Routing::prefix_affinity}});
    env.number("MUSTER_QUEUE_MAX_PER_ENGINE", config.queue_max_per_engine);
    env.number("MUSTER_QUEUE_MAX", config.queue_max);
    env.number("MUSTER_LOAD_INTERVAL_MS", config.load_interval_ms);
    env.number("MUSTER_FOLLOWERS", config.followers);
    env.text("MUSTER_SIGNALS", config.posix_signals);
}

void read_deadlines(Environment& env, Config& config) {
    env.number("MUSTER_JOIN_DEADLINE_MS", config.join_deadline_ms);
    env.number("MUSTER_RECOVERY_DEADLINE_MS", config.recovery_deadline_ms);
    env.number("MUSTER_COMMIT_DEADLINE_MS", config.commit_deadline_ms);
    env.number("MUSTER_TURN_DEADLINE_MS", config.turn_deadline_ms);
    env.number("MUSTER_BARRIER_DEADLINE_MS", config.barrier_deadline_ms);
    env.number("MUSTER_PREPARE_DEADLINE_MS", config.prepare_deadline_ms);
    env.number("MUSTER_LEAVE_WINDOW_MS", config.leave_window_ms);
    env.number("MUSTER_FINALIZE_DEADLINE_MS", config.finalize_deadline_ms);
}

}  // namespace

Result<Config> Config::from_environment() {
    Config config;
    Environment env;
    read_shape(env, config);
    read_turns(env, config);
    env.text("MUSTER_RUN_ID", config.run_id);
    env.text("MUSTER_EVENTS", config.events);
    env.text("MUSTER_LOCATION", config.location);
    env.text("MUSTER_STATE", config.state_directory);
    env.choice("MUSTER_DURABILITY", config.durability, {{"file", Durability::file}, {"fsync", Durability::fsync}});
    env.number("MUSTER_CONTROLLER_PERIOD_MS", config.controller_period_ms);
    env.choice("MUSTER_AGENT_THREAD", config.agent, {{"own", AgentThread::own}, {"engine", AgentThread::engine}});
    read_deadlines(env, config);
    if (env.wrong()) return Error{Fault::bad_setup, *env.wrong()};
    return config;
}

}  // namespace muster
