// SPDX-License-Identifier: Apache-2.0
#include "launch/verdict.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace muster::launch {
namespace {

const char* const kJoining = R"({"event":"joining"})";
const char* const kJoined = R"({"event":"joined","engines":4,"round":1})";
const char* const kLost3 = R"({"event":"round","from":1,"to":2,"lost":[{"rank":3}],"size":4})";
const char* const kFinished = R"({"event":"ended","code":0,"reason":""})";
const char* const kBelowMin = R"({"event":"ended","code":12,"reason":"1 of 2 left"})";

struct Case {
    const char* name;
    std::vector<const char*> events;
    LauncherView view;
    int code;
    const char* text;
    bool detail = false;
};

const std::vector<Case> kCases = {
    {"finished", {kJoined, kFinished}, {}, 0, ""},
    {"mpirun gave the job up and the job took its TERM for a stop",
     {kJoined, kLost3, kFinished},
     {.gave_up = true, .last_words = "PRTE has lost communication with a remote daemon."},
     15,
     "launcher_failed (15): mpirun ended the job in round 2; its last words: PRTE has lost communication with a remote "
     "daemon."},
    {"a repaired death leaves 137 in mpirun",
     {kJoined, kLost3, kFinished},
     {.mpirun_status = 137},
     0,
     "mpirun returned 137 because of the ranks that were lost; the job finished",
     true},
    {"the job's own code wins over mpirun's 0", {kJoined, kBelowMin}, {}, 12, "below_min (12): 1 of 2 left"},
    {"a process fails after the ending",
     {kJoined, kFinished, R"({"event":"exit","rank":2,"status":3})"},
     {.mpirun_status = 3},
     1,
     "program_failed (1): rank 2 returned 3 after the job had ended"},
    {"it says so before the ending arrives",
     {kJoined, R"({"event":"exit","rank":2,"status":3})", kFinished},
     {},
     1,
     "program_failed (1): rank 2 returned 3 after the job had ended"},
    {"the exit of a rank that was lost is repaired",
     {kJoined, R"({"event":"exit","rank":3,"status":9})", kLost3, kFinished},
     {},
     0,
     ""},
    {"an exit that nobody told",
     {kJoined, kFinished},
     {.mpirun_status = 139},
     1,
     "program_failed (1): mpirun returned 139: a process failed after the job had ended"},
    {"mpirun was killed after the ending", {kJoined, kFinished}, {.mpirun_status = 143, .killed_late = true}, 0, ""},
    {"the launcher killed the job",
     {kJoined, kLost3},
     {.mpirun_status = 0, .last_words = "lost a daemon"},
     15,
     "launcher_failed (15): mpirun ended with 0 while the job was in round 2; its last words: lost a daemon"},
    {"stopped by a signal",
     {kJoined},
     {.mpirun_status = 143, .stop_asked = true},
     10,
     "stopped (10): a signal asked muster run to stop"},
    {"a request to stop that the ranks heed",
     {kJoined, R"({"event":"state","state":"STOPPED","number":2,"by":0})", kFinished},
     {.stop_asked = true},
     10,
     "stopped (10): a signal asked muster run to stop"},
    {"a request to stop that comes as the job finishes", {kJoined, kFinished}, {.stop_asked = true}, 0, ""},
    {"srun kills the last processes of a job that has finished",
     {kJoined, kFinished},
     {.mpirun_status = 137, .by_srun = true},
     0,
     "srun returned 137 because its processes did not end all at once; the job had finished",
     true},
    {"under srun too a process that says it failed has failed",
     {kJoined, kFinished, R"({"event":"exit","rank":2,"status":3})"},
     {.mpirun_status = 3, .by_srun = true},
     1,
     "program_failed (1): rank 2 returned 3 after the job had ended"},
    {"lost, whatever mpirun says of it",
     {kJoined, kLost3},
     {.mpirun_status = 0, .loss = "every member's link has closed"},
     15,
     "launcher_failed (15): every member's link has closed; the job was in round 2"},
    {"saved to go on later",
     {kJoined, R"({"event":"ended","code":11,"reason":"USR1 has come"})"},
     {.mpirun_status = 11, .requeue = true},
     11,
     "requeue_wanted (11): USR1 has come"},
    {"it did not save in time",
     {kJoined},
     {.mpirun_status = 143, .requeue = true},
     11,
     "requeue_wanted (11): the job was stopped before it had saved; the same command goes on from its last checkpoint"},
    {"it finished before it could be asked to save", {kJoined, kFinished}, {.requeue = true}, 0, ""},
    {"what the ranks say while they are stopped",
     {kJoined, kBelowMin},
     {.mpirun_status = 143, .stop_asked = true},
     10,
     "stopped (10): a signal asked muster run to stop"},
    {"it had ended before the signal",
     {kJoined, kBelowMin},
     {.stop_asked = true, .ended_before_stop = true},
     12,
     "below_min (12): 1 of 2 left"},
    {"it finished in spite of the signal", {kJoined, kFinished}, {.mpirun_status = 143, .stop_asked = true}, 0, ""},
    {"never joined, failed",
     {},
     {.mpirun_status = 5},
     5,
     "the program never joined a session; mpirun's exit code 5 is passed on"},
    {"never joined, fine", {}, {}, 0, "the program never joined a session; mpirun's exit code 0 is passed on", true},
    {"ended while it joined",
     {kJoining},
     {},
     15,
     "launcher_failed (15): the program began to join and ended before its first round was complete; mpirun returned "
     "0"},
    {"could not join, and said so",
     {kJoining},
     {.mpirun_status = 5},
     5,
     "the program never joined a session; mpirun's exit code 5 is passed on"},
    {"never joined, stopped",
     {},
     {.mpirun_status = 143, .stop_asked = true},
     10,
     "stopped (10): a signal asked muster run to stop"},
    {"out of time",
     {},
     {.mpirun_status = 143, .out_of_time = true},
     17,
     "timed_out (17): the job was still running at its time limit"},
};

TEST(Verdict, Table) {
    for (const auto& row : kCases) {
        SCOPED_TRACE(row.name);
        Story story;
        for (const auto* event : row.events) story.take(0, nlohmann::json::parse(event));
        const auto verdict = judge(story, row.view);
        EXPECT_EQ(verdict.code, row.code);
        EXPECT_EQ(verdict.text, row.text);
        EXPECT_EQ(verdict.detail, row.detail);
    }
}

}  // namespace
}  // namespace muster::launch
