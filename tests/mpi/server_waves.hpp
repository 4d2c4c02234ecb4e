// SPDX-License-Identifier: Apache-2.0
#pragma once
/// The client of the server program that sends bursts and silences, and looks at loads and waves meanwhile.
/// That a group has no turn without work is the engines' own check (Engine::turn); that none sleeps with work shows in
/// every burst being answered.
#include <algorithm>
#include <thread>

#include "server_asker.hpp"

namespace server {

class Bursts {
public:
    Bursts(Session& session, Asker& asker)
        : session_(session), asker_(asker), dice_(static_cast<unsigned>(options["seed"])) {}

    /// Bursts to this group, that group or both, until so many waves have been published.
    void run() {
        const auto wanted = static_cast<std::uint64_t>(options["waves"]);
        const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(options["deadline"] * 4);
        while (waves_ < wanted) {
            if (std::chrono::steady_clock::now() > until)
                return wrong(session_, "only " + std::to_string(waves_) + " waves in time");
            const auto which = dice_() % 3;
            for (std::uint32_t group = 0; group < 2; ++group)
                if (which == 2 || which == group) burst(group);
            asker_.collect(true);
            ++bursts_;
            look();
            if (dice_() % 4 == 0) std::this_thread::sleep_for(std::chrono::microseconds(dice_() % 2000));
        }
        quiet();
        std::printf("waves %lu bursts %lu looks %lu\n", waves_, bursts_, looks_);
    }

    /// A number of requests to the first group alone: the other has no turn.
    void one_group() {
        for (int i = 0; i < 50; ++i) {
            burst(0);
            asker_.collect(true);
        }
        quiet();
        const auto loads = session_loads();
        if (loads && loads->groups[1].wave != 0) wrong(session_, "the second group has had a wave");
    }

private:
    /// Requests for this group's engines: any of them by its slot.
    void burst(std::uint32_t group) {
        const auto size = static_cast<std::uint32_t>(options["group-size"]);
        for (auto left = 1 + dice_() % 4; left > 0; --left)
            asker_.submit_to(muster::Slot{group * size + static_cast<std::uint32_t>(dice_()) % size});
    }

    std::optional<muster::JobLoads> session_loads() {
        auto loads = asker_.client().loads(Asker::deadline());
        if (loads) return std::move(*loads);
        wrong(session_, "loads: " + loads.error().text);
        return std::nullopt;
    }

    /// Waves never go back, and rounds do not either.
    void look() {
        const auto loads = session_loads();
        if (!loads) return;
        ++looks_;
        if (loads->round < round_) wrong(session_, "loads of an older round");
        const bool is_new = round_ != loads->round;  // Its numbers begin above all that anybody knew.
        round_ = loads->round;
        for (std::size_t group = 0; group < loads->groups.size(); ++group) {
            auto& last = last_[group];
            if (loads->groups[group].wave < last)
                wrong(session_, "wave " + std::to_string(loads->groups[group].wave) + " of group " +
                                    std::to_string(group) + " after wave " + std::to_string(last));
            if (!is_new) waves_ += loads->groups[group].wave - last;
            last = loads->groups[group].wave;
        }
    }

    /// Everything is answered: all groups rest and nobody has anything to do, as soon as the news is here.
    void quiet() {
        const auto until = std::chrono::steady_clock::now() + Asker::deadline();
        for (;;) {
            const auto loads = session_loads();
            if (!loads) return;
            bool rests = true;
            for (const auto& group : loads->groups) {
                rests = rests && !group.running;
                for (const auto& engine : group.engines)
                    rests = rests && engine.load.waiting == 0 && engine.load.running == 0;
            }
            if (rests && loads->groups.size() == 2) return look();
            if (std::chrono::steady_clock::now() > until) return wrong(session_, "loads do not come to rest");
            std::this_thread::sleep_for(5ms);  // News comes by itself; there is no call that waits for it.
        }
    }

    Session& session_;
    Asker& asker_;
    std::mt19937 dice_;
    std::uint64_t waves_ = 0, bursts_ = 0, looks_ = 0;
    muster::Round round_;
    std::map<std::size_t, std::uint64_t> last_;
};

}  // namespace server
