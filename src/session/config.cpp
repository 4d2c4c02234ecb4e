// SPDX-License-Identifier: Apache-2.0
#include "muster/config.hpp"

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <optional>

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
    void choice(const char* name, Enum& value, const char* first, Enum first_value, const char* second,
                Enum second_value) {
        const char* text = std::getenv(name);
        if (text == nullptr || wrong_) return;
        if (std::strcmp(text, first) == 0)
            value = first_value;
        else if (std::strcmp(text, second) == 0)
            value = second_value;
        else
            complain(name, text, std::string(first) + " or " + second);
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

}  // namespace

Result<Config> Config::from_environment() {
    Config config;
    Environment env;
    env.number("MUSTER_ENGINES", config.engines);
    env.number("MUSTER_STANDBYS", config.standbys);
    env.number("MUSTER_MIN", config.engines_min);
    env.number("MUSTER_GROUP_SIZE", config.group_size);
    env.choice("MUSTER_SLOT_ORDER", config.slot_order, "stable", SlotOrder::stable, "sorted", SlotOrder::sorted);
    env.choice("MUSTER_QUORUM", config.quorum, "majority", Quorum::majority, "none", Quorum::none);
    env.choice("MUSTER_AGENT_THREAD", config.agent, "own", AgentThread::own, "engine", AgentThread::engine);
    env.text("MUSTER_RUN_ID", config.run_id);
    env.text("MUSTER_LOCATION", config.location);
    env.number("MUSTER_JOIN_DEADLINE_MS", config.join_deadline_ms);
    env.number("MUSTER_RECOVERY_DEADLINE_MS", config.recovery_deadline_ms);
    env.number("MUSTER_COMMIT_DEADLINE_MS", config.commit_deadline_ms);
    env.number("MUSTER_LEAVE_WINDOW_MS", config.leave_window_ms);
    env.number("MUSTER_FINALIZE_DEADLINE_MS", config.finalize_deadline_ms);
    if (env.wrong()) return Error{Fault::bad_setup, *env.wrong()};
    return config;
}

}  // namespace muster
