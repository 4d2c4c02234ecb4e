// SPDX-License-Identifier: Apache-2.0
#include "bench/changes.hpp"

#include <mpi.h>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <chrono>
#include <cstdio>
#include <optional>
#include <thread>
#include <vector>

#include "bench/board.hpp"
#include "muster/session.hpp"

namespace muster::bench {
namespace {

constexpr auto kPatience = std::chrono::seconds(30);

void complain(const char* what, const Error& error) {
    std::fprintf(stderr, "muster-bench: %s: %s\n", what, error.text.c_str());
}

/// The caller: as many backends and endpoints as calls are open at once.
class Caller {
public:
    Caller(Controller controller, const ChangeSettings& settings)
        : controller_(std::move(controller)), settings_(settings), last_(static_cast<std::size_t>(settings.window)) {}

    [[nodiscard]] bool measure(Samples& into) {
        if (!begin() || !changes(settings_.window * 4, settings_.window)) return false;
        for (int block = 0; block < settings_.blocks; ++block) {
            const auto full = changes(settings_.changes, settings_.window);
            const auto single = changes(settings_.singles(), 1);
            if (!full || !single) return false;
            into["window"].push_back(*full);
            into["single"].push_back(*single);
        }
        return all_there();
    }

private:
    static std::string backend(int number) { return "backend" + std::to_string(number); }
    static std::string endpoint(int number) { return "endpoint" + std::to_string(number); }
    [[nodiscard]] int backends() const { return std::max(2, settings_.window); }

    /// Without replicas: starting them would cost something else.
    bool begin() {
        for (int i = 0; i < backends(); ++i)
            if (const auto made = controller_.create_backend(backend(i), {.num_replicas = 0}); !made)
                return complain("create_backend", made.error()), false;
        for (int i = 0; i < settings_.window; ++i)
            if (const auto made = controller_.create_endpoint(endpoint(i), {{backend(i), 1.0}}); !made)
                return complain("create_endpoint", made.error()), false;
        return true;
    }

    /// Never what is there already. False: it was said why not.
    bool change(int lane, int number) {
        if (number % 2 == 0) {
            BackendConfigUpdate update;
            update.user_config = last_[static_cast<std::size_t>(lane)] = std::to_string(++serial_);
            const auto changed = controller_.update_backend_config(backend(lane), update, kPatience);
            if (!changed) complain("update_backend_config", changed.error());
            return bool(changed);
        }
        constexpr std::uint64_t kSteps = 1'000'000'000;
        const double weight = static_cast<double>(++serial_ % kSteps + 1) / (kSteps + 2);
        const auto changed = controller_.set_traffic(
            endpoint(lane), {{backend(lane), weight}, {backend((lane + 1) % backends()), 1 - weight}}, kPatience);
        if (!changed) complain("set_traffic", changed.error());
        return bool(changed);
    }

    /// Each lane's last change is what the controller knows.
    bool all_there() {
        const auto known = controller_.list_backends(kPatience);
        if (!known) return complain("list_backends", known.error()), false;
        for (int lane = 0; lane < settings_.window; ++lane) {
            const auto& last = last_[static_cast<std::size_t>(lane)];
            const auto found = known->find(backend(lane));
            if (last.empty() || (found != known->end() && found->second.user_config == last)) continue;
            std::fprintf(stderr, "muster-bench: change %s of %s was answered and is gone\n", last.c_str(),
                         backend(lane).c_str());
            return false;
        }
        return true;
    }

    /// Microseconds a change, of so many by `open` threads that call one after the other.
    std::optional<double> changes(int count, int open) {
        std::atomic<bool> whole{true};
        std::atomic<int> next{0};
        std::barrier<> ready(open + 1);
        std::vector<std::thread> lanes;
        for (int lane = 0; lane < open; ++lane)
            lanes.emplace_back([&, lane] {
                ready.arrive_and_wait();
                for (int number = next++; number < count && whole; number = next++)
                    if (!change(lane, number)) whole = false;
            });
        ready.arrive_and_wait();
        const auto begin = now_ns();
        for (auto& lane : lanes) lane.join();
        if (!whole) return std::nullopt;
        return static_cast<double>(now_ns() - begin) / 1e3 / count;
    }

    Controller controller_;
    const ChangeSettings& settings_;
    std::atomic<std::uint64_t> serial_{0};
    std::vector<std::string> last_;  ///< Shape: one per lane: its backend's config, set by its thread.
};

bool run_session(const ChangeSettings& settings, Samples& into) {
    auto from_launcher = Config::from_environment();
    Config config = from_launcher ? *from_launcher : Config{};
    config.work = Work::requests;  // Engines rest.
    auto session = Session::join(std::move(config));
    if (!session) return complain("join", session.error()), false;
    bool whole = false;
    std::thread calling;
    if (session->is_client())
        calling = std::thread([&] {
            whole = Caller(session->controller(), settings).measure(into);
            auto client = session->client(kPatience);
            if (client && client->stop().wait(kPatience)) return;
            session->abort("the client of the benchmark broke off");
        });
    while (session->next()) {
    }
    if (calling.joinable()) calling.join();
    return whole;
}

}  // namespace

Samples controller_changes(const ChangeSettings& settings) {
    Samples samples;
    const bool wrote = bare_changes(settings, samples);
    if (!wrote || !run_session(settings, samples)) return {};
    return samples;
}

}  // namespace muster::bench
