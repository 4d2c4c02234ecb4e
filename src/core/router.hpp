// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The coordinator's table of requests: which engine has which, and who asked.
/// Intuition: engines come and go with rounds; a request stays in the table until its reply has passed, so that it can
/// be given to another engine when its own is gone. The submitter keeps it too, for the day the coordinator is gone.
/// Errors: no engine and no rebuild under way: "No engines connected", at once.
/// Thread safety: none. Source: Megatron-LM's coordinator (M16, M17); engines' requests survive them: ours.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "core/message.hpp"

namespace muster::core {

constexpr const char* kNoEngines = "No engines connected";           ///< Answer::reason; refused.
constexpr const char* kEnginesStopped = "the engines have stopped";  ///< Answer::reason; ended.

/// Chooses an engine for each request. Later policies look at load and at what a request carries.
class RoutingPolicy {
public:
    virtual ~RoutingPolicy() = default;
    /// Index into `engines`, which is not empty.
    [[nodiscard]] virtual std::size_t choose(const std::vector<Rank>& engines, const Bytes& request) = 0;
};

/// The next engine's index modulo the present list; the index moves on after each choice (M16).
class RoundRobin : public RoutingPolicy {
public:
    [[nodiscard]] std::size_t choose(const std::vector<Rank>& engines, const Bytes& request) override;

private:
    std::size_t next_ = 0;
};

struct Routed {  ///< To an engine.
    Rank engine;
    message::Deliver deliver;
};
struct Answered {  ///< To a client.
    Rank client;
    message::Answer answer;
};
using Routings = std::vector<std::variant<Routed, Answered>>;

class Router {
public:
    explicit Router(std::unique_ptr<RoutingPolicy> policy) : policy_(std::move(policy)) {}

    [[nodiscard]] Routings submit(Rank client, RequestId id, Bytes bytes);
    [[nodiscard]] Routings reply(Rank engine, message::Reply reply);
    void interrupted();  ///< A rebuild is under way: requests wait.
    /// The engines (their receiving ranks) of a complete round and its members, ascending. Requests of engines that are
    /// gone go to others; those of clients that are gone are forgotten.
    [[nodiscard]] Routings complete(const std::vector<Rank>& engines, const std::vector<Rank>& members);
    void engine_registers(Rank engine);               ///< Late (M16).
    [[nodiscard]] Routings engine_gone(Rank engine);  ///< M17: the next engine is tried.
    /// Engines have stopped: all that is open is answered with an error, there are no engines (M11).
    [[nodiscard]] Routings stopped();

    [[nodiscard]] const std::vector<Rank>& engines() const { return engines_; }
    [[nodiscard]] std::size_t open() const { return open_.size(); }

private:
    struct Open {
        Bytes bytes;
        std::optional<Rank> engine;  ///< Nothing while it waits for a rebuild.
    };
    using Key = std::pair<Rank, RequestId>;
    [[nodiscard]] bool route(const Key& key, Open& open, Routings& out);
    template <class Which>
    [[nodiscard]] Routings reroute(Which which);  ///< Those of the open requests.

    std::unique_ptr<RoutingPolicy> policy_;
    std::vector<Rank> engines_;
    bool rebuilding_ = true;
    std::map<Key, Open> open_;
};

}  // namespace muster::core
