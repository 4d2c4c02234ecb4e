// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <vector>

#include "bench/board.hpp"
#include "bench/pause.hpp"
#include "bench/serving.hpp"

namespace muster::bench {
namespace {

enum : Command { nothing = 1, start_counting = 2, stop_counting = 3 };

/// Counts the CPU time of every rank between two turns that all of them have.
class Meter {
public:
    void turn(Command command, MPI_Comm comm) {
        if (command == start_counting) cpu_ = cpu_ns(), start_ = now_ns();
        if (command == stop_counting) stop(comm);
    }
    [[nodiscard]] const std::vector<double>& us_per_second() const { return us_per_second_; }  ///< On rank 0.

private:
    void stop(MPI_Comm comm) {
        constexpr double kUsPerSecond = 1e6;
        const double mine =
            static_cast<double>(cpu_ns() - cpu_) / static_cast<double>(now_ns() - start_) * kUsPerSecond;
        int rank = 0, size = 0;
        MPI_Comm_rank(comm, &rank);
        MPI_Comm_size(comm, &size);
        if (rank == 0) us_per_second_.resize(static_cast<std::size_t>(size));
        MPI_Gather(&mine, 1, MPI_DOUBLE, us_per_second_.data(), 1, MPI_DOUBLE, 0, comm);
    }

    std::int64_t cpu_ = 0, start_ = 0;
    std::vector<double> us_per_second_;
};

/// Requests to engines that have been at rest for a while, at ever other moments of whatever ticks in them.
bool wake_often(Client& client, int wakes, std::vector<double>& samples) {
    constexpr int kRestUsMin = 12'000, kRestUsStep = 370, kSteps = 31;
    for (int wake = 0; wake < wakes; ++wake) {
        pause_us(kRestUsMin + wake % kSteps * kRestUsStep);
        const auto submitted = now_ns();
        const auto began = ask(client, nothing);
        if (!began) return false;
        samples.push_back(static_cast<double>(*began - submitted) / 1e3);
    }
    return true;
}

}  // namespace

Samples rest(const RestSettings& settings) {
    constexpr int kUsPerSecond = 1'000'000;
    Meter meter;
    std::vector<double> wakes;
    bool whole = true;
    const bool served = serve(
        [&](Client& client) {
            whole = wake_often(client, settings.wakes, wakes) && ask(client, start_counting);
            if (whole) pause_us(settings.seconds * kUsPerSecond);
            whole = whole && ask(client, stop_counting);
        },
        [&](Command command, MPI_Comm comm) { meter.turn(command, comm); });
    if (!served || !whole) return {};
    return {{"resting_cpu", meter.us_per_second()}, {"wake", wakes}};
}

}  // namespace muster::bench
