// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Which engine gets a request: the policies, as pure choices over what is known of each engine.
/// Intuition: the router keeps the books (who has how much, who is full); a policy only picks among those that are not
/// full. The same engines, request and dice give the same choice.
/// Shape: engines by slot, one entry each; an index into that list is answered.
/// Errors: nothing where every engine is full. Thread safety: none.
/// Source: vLLM's load balancer (least loaded), Ray Serve's router (power of two), Megatron-LM's coordinator (round
/// robin, M16; prefix affinity); where ours differs: DESIGN.md, "Routing".

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "core/codec.hpp"
#include "core/dice.hpp"
#include "core/router_affinity.hpp"
#include "muster/config.hpp"
#include "muster/types.hpp"

namespace muster::core {

/// An engine as a policy sees it.
struct Candidate {
    Rank rank;                   ///< That receives.
    std::uint64_t load = 0;      ///< Requests: by its last report, and by what was routed and answered since.
    std::uint64_t capacity = 0;  ///< Requests that it can have; 0: nobody has said.
    bool full = false;           ///< Must not be chosen.
};

/// What a policy may look at in a request.
struct RequestFace {
    const Bytes& bytes;
    const std::vector<BlockHash>& blocks;  ///< Of its prefix, from the first block on; may be empty.
};

class RoutingPolicy {
public:
    virtual ~RoutingPolicy() = default;
    [[nodiscard]] virtual std::optional<std::size_t> choose(const std::vector<Candidate>& engines,
                                                            const RequestFace& request) = 0;
    /// `engine` got the request, by this policy's choice or because the caller named it.
    virtual void routed(Rank engine, const RequestFace& request);
    virtual void engine_gone(Rank engine);  ///< Whatever was remembered of it is void.
};

/// The next engine's index modulo the present list; the index moves on after each choice (M16).
class RoundRobin : public RoutingPolicy {
public:
    [[nodiscard]] std::optional<std::size_t> choose(const std::vector<Candidate>& engines,
                                                    const RequestFace& request) override;

private:
    std::size_t next_ = 0;
};

/// The lowest load; of several the next one after the last choice, so that no engine is favoured.
class LeastLoaded : public RoutingPolicy {
public:
    [[nodiscard]] std::optional<std::size_t> choose(const std::vector<Candidate>& engines,
                                                    const RequestFace& request) override;

private:
    std::size_t next_ = 0;
};

/// The less loaded of two engines drawn by chance; of equals the first drawn. Where both are full, the least loaded.
class PowerOfTwo : public RoutingPolicy {
public:
    explicit PowerOfTwo(std::uint64_t seed) : dice_(seed) {}
    [[nodiscard]] std::optional<std::size_t> choose(const std::vector<Candidate>& engines,
                                                    const RequestFace& request) override;

private:
    Dice dice_;
    LeastLoaded otherwise_;
};

/// The highest a x match + (1 - a) x free capacity, both 0 .. 1: an engine that has the request's prefix in its cache
/// is worth half its capacity. Of equals the one that was asked for that prefix last, then the lowest index.
class PrefixAffinity : public RoutingPolicy {
public:
    struct Settings {
        double weight = 0.5;                        ///< a.
        std::size_t blocks_max = kAffinityBlocks;   ///< Remembered per engine; the longest unused go first.
        std::uint64_t capacity = kDefaultCapacity;  ///< Of an engine that has not said how many requests it takes.
    };
    static constexpr std::uint64_t kDefaultCapacity = 256;
    explicit PrefixAffinity(const Settings& settings) : settings_(settings) {}
    PrefixAffinity() : PrefixAffinity(Settings{}) {}
    [[nodiscard]] std::optional<std::size_t> choose(const std::vector<Candidate>& engines,
                                                    const RequestFace& request) override;
    void routed(Rank engine, const RequestFace& request) override;
    void engine_gone(Rank engine) override { memories_.erase(engine); }
    [[nodiscard]] std::size_t remembered(Rank engine) const;  ///< Blocks.

private:
    Settings settings_;
    std::unordered_map<Rank, AffinityMemory> memories_;
    std::uint64_t now_ = 0;  ///< Requests routed so far: recency.
};

[[nodiscard]] std::unique_ptr<RoutingPolicy> make_policy(Routing routing, std::uint64_t seed);

}  // namespace muster::core
