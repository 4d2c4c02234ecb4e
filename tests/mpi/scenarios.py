#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Members that die, leave, abort and disagree, under plain mpirun: each scenario is a function below.

scenarios.py MPIRUN TEST_DIR BIN_DIR [--list | NAME ...]   (a NAME may be a prefix, or `all`)
Every run has a deadline; what it started is killed by process group. Exit code 1 where a scenario failed.
"""
import json
import os
import re
import sys
import tempfile

from harness import BIN, MPIRUN, TESTS, Failure, execute, expect, job, launch, main, scenario

POINTS = ["noticed", "revoked", "shrunk", "gathered#2", "planned#2", "world_split#2", "group_split#2",
          "built#2", "agreed#2", "handed_over#2"]


def stepper(ranks, *arguments, **settings):
    return launch(ranks, os.path.join(TESTS, "stepper"), *arguments, **settings)


def member(ranks, *arguments, **settings):
    return launch(ranks, os.path.join(TESTS, "member"), *arguments, **settings)


def expect_ended(output, ending, count):
    """`count` ranks said that the job ended so, none another way, and none has a wrong sum."""
    ended = re.findall(r"^rank \d+ (?:ended )?(\w+):? step", output, re.M)
    expect("WRONG" not in output, "a wrong sum", output)
    expect(ended == [ending] * count, f"expected {count} times {ending}, got {ended}", output)


def right(ranks_left, *run):
    code, output = run
    expect(code in (0, 137), f"exit code {code}", output)
    expect_ended(output, "finished", ranks_left)


# ---- deaths: 4 engines, 2 standbys, every survivor ends with the right sum ----

@scenario
def death_and_standby():
    right(4, *stepper(6, 120, "--kill", "2@40", "--kill", "4@80", STANDBYS=2))


@scenario
def death_of_rank_0():
    right(5, *stepper(6, 60, "--kill", "0@30", STANDBYS=2))


@scenario
def two_at_once():
    right(4, *stepper(6, 60, "--kill", "0@30", "--kill", "1@30", STANDBYS=2))


@scenario
def world_shrinks_to_one():
    right(1, *stepper(4, 60, "--kill", "0@10", "--kill", "1@20", "--kill", "3@30", STANDBYS=0))


@scenario
def three_of_four_at_once_are_proven_dead():
    right(1, *stepper(4, 60, "--kill", "0@10", "--kill", "1@10", "--kill", "2@10", STANDBYS=0))


@scenario
def standby_dies():
    right(5, *stepper(6, 60, STANDBYS=2, INJECT="kill:rank=5@point=handed_over"))


@scenario
def sorted_slots_and_groups():
    right(3, *stepper(6, 60, "--kill", "0@10", "--kill", "4@20", "--kill", "1@30", STANDBYS=2, SLOT_ORDER="sorted",
                      GROUP_SIZE=2))


@scenario
def agent_on_the_engine_thread():
    right(4, *stepper(6, 60, "--kill", "0@10", "--kill", "4@20", STANDBYS=2, AGENT_THREAD="engine"))


def in_recovery(point, victim):
    """A first death at step 20; in its recovery a second one, at a point of it."""
    right(4, *stepper(6, 60, "--kill", "3@20", STANDBYS=2, INJECT=f"kill:rank={victim}@point={point}"))


def in_first_round(point, victim):
    right(5, *stepper(6, 30, STANDBYS=2, INJECT=f"kill:rank={victim}@point={point}"))


def in_ending(point, victim):
    right(5, *stepper(6, 30, STANDBYS=2, INJECT=f"kill:rank={victim}@point={point}"))


def in_commit(point, victim):
    right(5, *stepper(6, 30, STANDBYS=2, INJECT=f"kill:rank={victim}@point={point}"))


# ---- endings ----

@scenario
def below_min():
    code, output = job(4, 2, "stepper", 60, "--kill", "0@10", "--kill", "1@20", "--kill", "2@30",
                       options=["--min", "4"])
    expect_ended(output, "below_min", 3)
    expect(code == 12, f"exit code {code}", output)
    expect("fewer than the 4 that the job needs" in output, "no reason", output)


@scenario
def state_lost_with_all_engines():
    """Standbys that hold nothing do not begin anew in silence."""
    kills = [word for rank in range(4) for word in ("--kill", f"{rank}@30")]
    code, output = job(4, 2, "stepper", 60, *kills, "--step-us", 2000)
    expect_ended(output, "state_lost", 2)
    expect(code == 14, f"exit code {code}", output)


@scenario
def lost_quorum():
    """Without proof of anybody's death (the survivor has no witness here) one of three may be a cut-off island."""
    code, output = job(3, 0, "stepper", 60, "--kill", "1@10", "--kill", "2@10", PROOF="off")
    expect_ended(output, "lost_quorum", 1)
    expect(code == 13, f"exit code {code}", output)
    right(1, *stepper(3, 60, "--kill", "1@10", "--kill", "2@10", STANDBYS=0, PROOF="off", QUORUM="none"))


@scenario
def abort_names_rank_and_round():
    code, output = job(4, 1, "member", "abort")
    expect(code == 16, f"exit code {code}", output)
    expect(output.count("reason 'rank 1 in round 1: the data is gone'") == 5, "not all were told", output)


@scenario
def commits_that_differ():
    code, output = job(4, 1, "member", "disagree")
    expect(code == 16, f"exit code {code}", output)
    expect("slot 1 (rank 1 on " in output, "the odd one is not named", output)


@scenario
def calls_that_always_fail():
    code, output = job(4, 1, "member", "bad-call")
    expect(code == 16 and "own MPI calls seem to fail" in output, f"exit code {code}", output)


@scenario
def late_engine():
    """An engine that sleeps through the commit deadline is named, and nobody waits for ever."""
    code, output = job(3, 0, "member", "late", COMMIT_DEADLINE_MS=1000)
    expect(code == 17, f"exit code {code}", output)
    expect(re.search(r"waited \d+ ms for .*not there: rank 1 on", output), "rank 1 is not named", output)


# ---- leaving ----

@scenario
def undisturbed():
    code, output = member(5, "plain", STANDBYS=1)
    expect_ended(output, "finished", 5)
    expect(output.count("rounds 0") == 5 and "rank 4 finished step 0 sum 0 rounds 0 warm_ups 1" in output,
           "hooks or rounds are off", output)


@scenario
def one_leaves():
    code, output = member(5, "one-leaves", STANDBYS=1)
    expect_ended(output, "finished", 5)
    expect(output.count("step 40 sum 820 rounds 1") == 4 and output.count("lost 'left'") == 4, "wrong round", output)


@scenario
def exit_in_a_step():
    code, output = job(4, 1, "member", "exit")
    expect(code == 0, f"exit code {code}", output)
    expect_ended(output, "finished", 4)
    expect(output.count("lost 'exited 7'") == 4, "peers were not told", output)


@scenario
def exception_in_a_step():
    code, output = member(5, "throw", STANDBYS=1)
    expect_ended(output, "finished", 4)
    expect(output.count("lost 'ended by an uncaught exception'") == 4, "peers were not told", output)


@scenario
def newcomer_gets_the_blob():
    code, output = member(5, "kill", STANDBYS=1)
    expect_ended(output, "finished", 4)
    expect(output.count("world_changes 2 blobs 1 lost 'killed'") == 4, "a blob is missing", output)


@scenario
def tracked_communicator():
    code, output = member(5, "tracked", STANDBYS=1)
    expect_ended(output, "finished", 4)


@scenario
def mpi_initialised_by_the_program():
    """... with MPI_THREAD_MULTIPLE, and finalised by it after a death: must not hang."""
    for mode in ("init-multiple", "init-exit"):
        code, output = member(5, mode, STANDBYS=1)
        expect_ended(output, "finished", 4)


@scenario
def sigpipe_is_ignored():
    """A bystander must not die of writing to a dead peer's socket."""
    code, output = member(3, "sigpipe", STANDBYS=0)
    expect_ended(output, "finished", 3)
    expect(output.count("rounds 0") == 3, "somebody died", output)


# ---- bad setups ----

def refused(code, output, text):
    expect(code == 2, f"exit code {code}", output)
    expect(text in output, f"'{text}' is not said", output)
    expect("Segmentation" not in output and "terminate" not in output, "not a clean refusal", output)


@scenario
def mpi_without_threads():
    refused(*job(2, 0, "member", "init-single"), "MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &provided)")


@scenario
def single_thread_with_agent_on_the_engine():
    right(2, *member(2, "init-single", AGENT_THREAD="engine"))


@scenario
def settings_that_differ():
    refused(*job(4, 0, "member", "differ"), "joined with other settings")


@scenario
def impossible_counts():
    for settings, text in (({"ENGINES": 4}, "wants 4 engines"), ({"MIN": 3}, "minimum of 3"),
                           ({"GROUP_SIZE": 2, "STANDBYS": 1, "ENGINES": 1}, "do not divide"),
                           ({"CONTROLLER": "yes"}, "a controller needs lockstep groups (group_size)"),
                           ({"CONTROLLER": "yes", "GROUP_SIZE": 1, "SLOT_ORDER": "sorted"}, "needs stable slots"),
                           ({"CONTROLLER": "maybe"}, "it must be no or yes"),
                           ({"ENGINES": "two"}, "MUSTER_ENGINES is 'two'")):
        code, output = member(1, "plain", **settings)
        refused(code, output, text)
    refused(*job(2, 0, "member", "plain", INJECT="nonsense"), "not of the form")


# ---- training: weights ----

def train(ranks, *arguments, **settings):
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        code, output = launch(ranks, os.path.join(BIN, "train"), "--steps", 40, "--json", file.name, *arguments,
                              deadline=60, **settings)
        content = file.read()
    return code, output, json.loads(content) if content else None


@scenario
def weights_after_deaths_in_recovery():
    _, output, undisturbed_run = train(4, STANDBYS=0)
    expect(undisturbed_run, "no result", output)
    for point in ("shrunk", "planned#2", "handed_over#2"):
        for victim in (0, 4):
            _, output, result = train(6, "--kill", "3@20", STANDBYS=2,
                                      INJECT=f"kill:rank={victim}@point={point}")
            expect(result and result["weights"] == undisturbed_run["weights"], f"{victim} at {point}: weights", output)
    for point in ("commit.entered#20", "commit.agreed#20", "commit.recorded#20"):
        _, output, result = train(5, STANDBYS=1, INJECT=f"kill:rank=1@point={point}")
        expect(result and result["weights"] == undisturbed_run["weights"], f"{point}: weights", output)


@scenario
def slot_and_partner_die_together():
    """On one node slots 0 and 2 of 4 keep each other's copies: with both gone there must be no result at all."""
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        code, output = execute([os.path.join(BIN, "muster"), "run", "--mpirun", MPIRUN, "-n", "4", "--standbys", "2", "--",
                                os.path.join(BIN, "train"), "--steps", "40", "--json", file.name, "--kill", "0@20:in-step",
                                "--kill", "2@20:in-step"], 30, {})
        expect(code == 14 and not file.read(), f"exit code {code}", output)
    expect("owner and the partner with its copy were both lost" in output, "no reason", output)


# ---- by hand: long ----

@scenario
def by_hand_10000_rebuilds():
    code, output = member(4, "rebuild", 10_000, STANDBYS=1, deadline=900)
    expect_ended(output, "finished", 4)
    resident = [int(kib) for kib in re.findall(r"step (?:1000|10000) round \d+ resident (\d+)", output)]
    per_rebuild = 1024 * (max(resident) - min(resident)) / 9000
    print(f"{per_rebuild:.0f} bytes a rebuild, of which RoundReport is about 200")
    expect(per_rebuild < 1024, f"memory grows: {resident} KiB", output)


def matrix():
    cases = {f"recovery:{p}:{v}": (lambda p=p, v=v: in_recovery(p, v)) for p in POINTS for v in (0, 1, 4)}
    for point in ("gathered", "planned", "built", "agreed", "handed_over"):
        cases.update({f"first:{point}:{v}": (lambda p=point, v=v: in_first_round(p, v)) for v in (0, 1, 4)})
    for point in ("noticed", "shrunk", "gathered#2", "planned#2", "agreed#2"):
        cases.update({f"ending:{point}:{v}": (lambda p=point, v=v: in_ending(p, v)) for v in (0, 1, 4)})
    for point in ("entered", "agreed", "recorded"):
        for n in ("", "#10"):
            cases.update({f"commit:{point}{n}:{v}":
                          (lambda p=f"commit.{point}{n}", v=v: in_commit(p, v)) for v in (0, 1)})
    return cases


if __name__ == "__main__":
    sys.exit(main(matrix()))
