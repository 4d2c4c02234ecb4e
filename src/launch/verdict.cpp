// SPDX-License-Identifier: Apache-2.0
#include "launch/verdict.hpp"

namespace muster::launch {

namespace {

std::string number(int value) { return std::to_string(value); }

Verdict verdict_of(ExitCode code, const std::string& reason) {
    const int value = static_cast<int>(code);
    return {.code = value, .text = std::string(name_of(code)) + " (" + number(value) + "): " + reason};
}

std::string said_last(const LauncherView& view) {
    return view.last_words.empty() ? "" : "; its last words: " + view.last_words;
}

Verdict after_stop_request() { return verdict_of(ExitCode::stopped, "a signal asked muster run to stop"); }

/// The job finished; did every process that was still part of it return 0?
Verdict judge_exits(const Story& story, const LauncherView& view) {
    std::string culprits;
    for (const auto& report : story.exits()) {
        if (report.status == 0 || story.lost().contains(report.rank)) continue;
        culprits +=
            (culprits.empty() ? "rank " : ", rank ") + number(report.rank) + " returned " + number(report.status);
    }
    if (!culprits.empty()) return verdict_of(ExitCode::program_failed, culprits + " after the job had ended");
    if (view.killed_late || view.stop_asked || view.mpirun_status == 0) return {};
    if (view.by_srun)
        return {.code = 0,
                .text = "srun returned " + number(view.mpirun_status) +
                        " because its processes did not end all at once; the job had finished",
                .detail = true};
    if (story.lost().empty())
        return verdict_of(ExitCode::program_failed, "mpirun returned " + number(view.mpirun_status) +
                                                        ": a process failed after the job had ended" + said_last(view));
    return {.code = 0,
            .text = "mpirun returned " + number(view.mpirun_status) +
                    " because of the ranks that were lost; the job finished",
            .detail = true};
}

Verdict judge_ending(const Story& story, const LauncherView& view) {
    const auto& ending = *story.ended();
    const bool asked = view.stop_asked && !view.ended_before_stop;
    if (asked && (ending.code != 0 || story.state() == "STOPPED")) return after_stop_request();
    // mpirun's TERM is a stop to the job, which obeys and has not finished.
    if (ending.code == 0 && view.gave_up && !view.stop_asked)
        return verdict_of(ExitCode::launcher_failed,
                          "mpirun ended the job in round " + number(story.round()) + said_last(view));
    if (ending.code == 0) return judge_exits(story, view);
    const auto reason = ending.reason.empty() ? "the job gave no reason" : ending.reason;
    return {
        .code = ending.code,
        .text = std::string(name_of(static_cast<ExitCode>(ending.code))) + " (" + number(ending.code) + "): " + reason};
}

}  // namespace

Verdict judge(const Story& story, const LauncherView& view) {
    if (story.ended()) return judge_ending(story, view);
    if (view.stop_asked) return after_stop_request();
    if (view.requeue)
        return verdict_of(ExitCode::requeue_wanted,
                          "the job was stopped before it had saved; the same command goes on "
                          "from its last checkpoint");
    if (!view.loss.empty())
        return verdict_of(ExitCode::launcher_failed,
                          view.loss + "; the job was in round " + number(story.round()) + said_last(view));
    if (view.out_of_time) return verdict_of(ExitCode::timed_out, "the job was still running at its time limit");
    if (story.joined())
        return verdict_of(ExitCode::launcher_failed, "mpirun ended with " + number(view.mpirun_status) +
                                                         " while the job was in round " + number(story.round()) +
                                                         said_last(view));
    if (story.joining() && view.mpirun_status == 0)
        return verdict_of(ExitCode::launcher_failed,
                          "the program began to join and ended before its first round was complete; mpirun returned 0" +
                              said_last(view));
    return {.code = view.mpirun_status,
            .text = "the program never joined a session; mpirun's exit code " + number(view.mpirun_status) +
                    " is passed on",
            .detail = view.mpirun_status == 0};
}

}  // namespace muster::launch
