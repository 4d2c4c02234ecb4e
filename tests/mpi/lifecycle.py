#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Pause, suspend, resume, unpause and stop of real jobs, with requests and with deaths: each scenario is a function
below. Called as harness.py says.
"""
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time

from harness import BIN, FLAGS, MPIRUN, TESTS, Failure, execute, expect, launch, main, scenario

SERVER = os.path.join(TESTS, "server")
RANK = re.compile(r"^rank (\d+) (\w+) forwards (\d+) dummies (\d+) votes (\d+) rests (\d+) suspends (\d+) resumes (\d+) "
                  r"cpu ([\d.]+)% reason '(.*?)' crossed(.*)$", re.M)


class Rank:
    def __init__(self, match):
        number, self.ending, *counts, cpu, self.reason, crossed = match.groups()
        self.number, self.cpu, self.crossed = int(number), float(cpu), crossed.split()
        self.forwards, self.dummies, self.votes, self.rests, self.suspends, self.resumes = map(int, counts)


def serve(mode, engines=4, standbys=0, clients=1, deadline=60, options=None, **settings):
    """Runs a job of the server program; returns its ranks' last lines by rank, and the output."""
    settings = {"ENGINES": engines, "STANDBYS": standbys, "CLIENTS": clients, "WORK": "requests", **settings}
    ranks = engines * int(settings.get("ENGINE_RANKS", 1)) + standbys + clients
    arguments = [f"{key}={value}" for key, value in (options or {}).items()]
    _, output = launch(ranks, SERVER, mode, *arguments, deadline=deadline, **settings)
    expect("WRONG" not in output, "something is wrong", output)
    return {int(match.group(1)): Rank(match) for match in RANK.finditer(output)}, output


def expect_finished(ranks, count, output):
    expect(len(ranks) == count, f"expected the last lines of {count} ranks, got those of {sorted(ranks)}", output)
    for rank in ranks.values():
        expect(rank.ending == "finished", f"rank {rank.number} ended with {rank.ending}", output)


def expect_same_sequence(ranks, engines, output):
    """Every engine has crossed the same barriers, in the same order, up to STOPPED."""
    first = ranks[engines[0]].crossed
    expect(first and first[-1].endswith(":STOPPED"), f"the last barrier is not STOPPED: {first}", output)
    expect([int(one.split(":")[0]) for one in first] == list(range(1, len(first) + 1)), f"gaps: {first}", output)
    for engine in engines[1:]:
        expect(ranks[engine].crossed == first, f"rank {engine} crossed {ranks[engine].crossed}, not {first}", output)


def expect_in_step(ranks, groups, output):
    """Ranks of a group have had the same number of turns: no dummy forward is missing."""
    for group in groups:
        turns = {ranks[r].forwards + ranks[r].dummies for r in group}
        expect(len(turns) == 1, f"turns of the group {group} differ: {turns}", output)


def answered(output):
    return sum(int(count) for count in re.findall(r"client \d+ answered (\d+)", output))


# ---- undisturbed ----

@scenario
def m05_m07_random_cycles_8_engines_in_2_groups():
    ranks, output = serve("cycles", engines=8, GROUP_SIZE=4, options={"cycles": 200, "work-us": 0}, deadline=120)
    expect_finished(ranks, 9, output)
    expect_same_sequence(ranks, range(8), output)
    expect_in_step(ranks, [range(4), range(4, 8)], output)
    expect(len(ranks[0].crossed) > 150, "too few barriers", output)


@scenario
def m19_m23_signals_fired_one_upon_the_other():
    ranks, output = serve("cycles", GROUP_SIZE=2, options={"cycles": 200, "wait": 0, "seed": 3}, deadline=120)
    expect_finished(ranks, 5, output)
    expect_same_sequence(ranks, range(4), output)
    expect_in_step(ranks, [(0, 1), (2, 3)], output)


@scenario
def m03_m12_m15_repeats_and_illegal_signals():
    ranks, output = serve("illegal", GROUP_SIZE=2)
    expect_finished(ranks, 5, output)
    expect_same_sequence(ranks, range(4), output)
    expect(len(re.findall(r"^refused ", output, re.M)) == 7, "seven refusals", output)


@scenario
def m02_m21_engines_of_two_ranks():
    ranks, output = serve("cycles", engines=4, GROUP_SIZE=2, ENGINE_RANKS=2, options={"cycles": 60, "work-us": 0},
                          deadline=120)
    expect_finished(ranks, 9, output)
    expect_same_sequence(ranks, range(8), output)
    expect_in_step(ranks, [range(4), range(4, 8)], output)
    for source in range(0, 8, 2):
        expect(ranks[source].forwards == ranks[source + 1].forwards, f"engine of rank {source} is split", output)


def _overlapped(**settings):
    ranks, output = serve("cycles", GROUP_SIZE=2, options={"cycles": 80}, deadline=120, **settings)
    expect_finished(ranks, 5, output)
    expect_same_sequence(ranks, range(4), output)
    expect_in_step(ranks, [(0, 1), (2, 3)], output)


@scenario
def overlapped_votes():
    _overlapped(CONSENSUS="overlapped")


@scenario
def overlapped_votes_layout_of_every_other():
    ranks, output = serve("cycles", GROUP_SIZE=2, CONSENSUS="overlapped", options={"cycles": 40, "layout": 1})
    expect_finished(ranks, 5, output)
    expect_in_step(ranks, [(0, 2), (1, 3)], output)


@scenario
def no_votes():
    ranks, output = serve("cycles", GROUP_SIZE=1, CONSENSUS="off", options={"cycles": 40})
    expect_finished(ranks, 5, output)
    expect_same_sequence(ranks, range(4), output)
    expect(all(rank.votes == 0 and rank.dummies == 0 for rank in ranks.values()), "votes or dummies", output)


@scenario
def agent_on_the_engine_thread():
    ranks, output = serve("cycles", GROUP_SIZE=2, AGENT_THREAD="engine", options={"cycles": 20})
    expect_finished(ranks, 5, output)
    expect_same_sequence(ranks, range(4), output)


@scenario
def m22_a_thousand_requests():
    ranks, output = serve("requests", GROUP_SIZE=2, options={"requests": 1000, "work-us": 0}, deadline=60)
    expect_finished(ranks, 5, output)
    expect(answered(output) == 1000, "not all answered", output)


@scenario
def idle_groups_rest():
    ranks, output = serve("idle", GROUP_SIZE=2, options={"idle-ms": 4000})
    expect_finished(ranks, 5, output)
    for rank in ranks.values():
        expect(rank.cpu < 4, f"rank {rank.number} used {rank.cpu} % of a core", output)
        expect(rank.votes < 20, f"rank {rank.number} voted {rank.votes} times", output)


@scenario
def a_skipped_collective_is_named():
    _, output = launch(5, SERVER, "requests", "requests=50", "skip=2", deadline=60, ENGINES=4, CLIENTS=1,
                       GROUP_SIZE=4, WORK="requests", TURN_DEADLINE_MS=1500)
    found = re.search(r"rank 1 waited \d+ ms for its lockstep group's vote in round 1 \(turn (\d+) after barrier 0\); "
                      r"rank 0 on \S+ is in (?:its|a dummy) forward \(turn (\d+) after barrier 0\)", output)
    expect(found and int(found.group(1)) == int(found.group(2)) + 1, "no report that names rank 1 and its turn", output)
    expect(len(re.findall(r"^rank \d+ timed_out", output, re.M)) >= 1, "nobody ended with timed_out", output)


@scenario
def a_late_barrier_is_explained_and_goes_on():
    ranks, output = serve("late-barrier", GROUP_SIZE=2, BARRIER_DEADLINE_MS=400, options={"work-us": 2000000, "pause-in-forward": 1, "turns": 1})
    expect_finished(ranks, 5, output)
    expect(re.search(r"waited \d+ ms for the world barrier in round 1 \(turn \d+ after barrier 0\); "
                     r"rank 0 on \S+ is in its forward \(turn \d+ after barrier 0\); rank 1 on \S+ is in a dummy forward "
                     r"\(turn \d+ after barrier 0\); 1 others wait too", output), "the report names nobody", output)
    expect(answered(output) == 1, "not answered", output)


@scenario
def m18_members_that_stay_are_started_again():
    ranks, output = serve("stay", GROUP_SIZE=2, STAY="yes")
    expect_finished(ranks, 5, output)
    expect(ranks[0].crossed == ["1:PAUSED", "2:STOPPED", "3:RUNNING", "4:PAUSED", "5:STOPPED"], "the sequence", output)
    expect(answered(output) == 7, "not all answered", output)
    expect("shut down" in ranks[3].reason, "no reason", output)


# ---- POSIX signals ----

def _posix(first, then):
    """One signal of the system to one rank, and another to another once all engines have followed the first."""
    settings = {"ENGINES": 4, "CLIENTS": 1, "GROUP_SIZE": 2, "WORK": "requests"}
    environment = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
                       **{"MUSTER_" + name: str(value) for name, value in settings.items()})
    lines, pids = [], {}
    with subprocess.Popen([MPIRUN, *FLAGS, "-n", "5", SERVER, "posix"], env=environment, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True) as process:
        deadline = threading.Timer(30, os.killpg, (process.pid, signal.SIGKILL))
        deadline.start()
        for line in process.stdout:
            lines.append(line)
            if found := re.match(r"pid of rank (\d+): (\d+)", line):
                pids[int(found.group(1))] = int(found.group(2))
                if len(pids) == 4:
                    os.kill(pids[2], first)
            if sum(":SUSPENDED" in one for one in lines) == 4 and ":SUSPENDED" in line:
                os.kill(pids[1], then)
        deadline.cancel()
    output = "".join(lines)
    ranks = {int(match.group(1)): Rank(match) for match in RANK.finditer(output)}
    expect_finished(ranks, 5, output)
    expect_same_sequence(ranks, range(4), output)


@scenario
def posix_usr1_suspends_term_stops():
    _posix(signal.SIGUSR1, signal.SIGTERM)


# ---- deaths ----

def with_a_death(order, lost=1, standbys=1, mode="round-trip", **settings):
    """A death somewhere in a round trip through all states: every operation still ends, every request is answered."""
    settings = {"GROUP_SIZE": 2, **settings}
    ranks, output = serve(mode, standbys=standbys, INJECT=order, options={"cycles": 12, "seed": 5}, **settings)
    expect_finished(ranks, 4 + standbys + 1 - lost, output)
    if mode == "round-trip":
        expect(answered(output) == 24, "not all answered", output)
    engines = [r for r in ranks if ranks[r].crossed]
    longest = max((ranks[r].crossed for r in engines), key=len)
    expect(longest[-1].endswith(":STOPPED"), f"never STOPPED: {longest}", output)
    for engine in engines:  # A standby that was promoted later has crossed the last ones only, a dissolved one the first.
        own = ranks[engine].crossed
        expect(own in (longest[-len(own):], longest[:len(own)]), f"rank {engine} differs", output)


BARRIERS = ["pausing", "suspending", "resuming", "unpausing", "stopping"]
SENT = {0: ["tell", "told", "deliver", "answer", "connected", "tell#3", "deliver#5", "wake"],
        3: ["tell", "reply", "wake", "tell#2"], 1: ["reply", "wake"]}
GOT = {0: ["connect", "ask", "submit", "reply", "submit#5", "ask#3"], 3: ["tell", "deliver", "wake"]}


def matrix():
    cases = {}
    for place in BARRIERS:
        for when in ("before", "inside", "after"):
            for victim in (0, 3):
                cases[f"death:{when}.{place}:{victim}"] = (
                    lambda p=f"{when}.{place}", v=victim: with_a_death(f"kill:rank={v}@point={p}"))
    for whens, table in ((("send", "sent"), SENT), (("got",), GOT)):
        for victim, kinds in table.items():
            for kind in kinds:
                for when in whens:
                    cases[f"message:{when}.{kind}:{victim}"] = (
                        lambda p=f"{when}.{kind}", v=victim: with_a_message_in_flight(f"kill:rank={v}@point={p}"))
    for place in ("inside.pausing", "after.suspending", "before.stopping"):  # And a second one while all catch up.
        for kind in ("send.resync", "sent.resync", "got.resync"):
            cases[f"twice:{place}:{kind}"] = (
                lambda p=place, k=kind: with_a_death(f"kill:rank=3@point={p};kill:rank=0@point={k}", lost=2,
                                                     standbys=2))
    return cases


def with_a_message_in_flight(order):
    """As above, with a chain for a tree, so that everybody passes something on."""
    ranks, output = serve("round-trip", standbys=1, INJECT=order, GROUP_SIZE=2, FAN_OUT=1)
    victim = int(re.search(r"rank=(\d+)", order).group(1))
    expect(victim not in ranks, f"rank {victim} never came to {order}", output)
    expect_finished(ranks, 5, output)
    expect(answered(output) == 24, "not all answered", output)


@scenario
def two_deaths_on_the_way_without_a_standby_left():
    with_a_death("kill:rank=0@point=inside.suspending;kill:rank=1@point=before.resuming", lost=2, standbys=2)


@scenario
def a_group_that_cannot_be_refilled_is_dissolved():
    with_a_death("kill:rank=3@point=inside.suspending", standbys=0)


@scenario
def deaths_in_engines_of_two_ranks():
    for order in ("kill:rank=1@point=inside.suspending", "kill:rank=2@point=before.unpausing",
                  "kill:rank=0@point=sent.deliver#3"):
        ranks, output = serve("round-trip", engines=2, standbys=1, ENGINE_RANKS=2, GROUP_SIZE=2, INJECT=order)
        expect_finished(ranks, 5, output)
        expect(answered(output) == 24, f"{order}: not all answered", output)


@scenario
def deaths_while_votes_overlap():
    for order in ("kill:rank=3@point=inside.suspending", "kill:rank=1@point=sent.reply#2"):
        with_a_death(order, CONSENSUS="overlapped")


@scenario
def deaths_with_the_agent_on_the_engine_thread():
    for order in ("kill:rank=3@point=inside.suspending", "kill:rank=0@point=before.unpausing"):
        with_a_death(order, AGENT_THREAD="engine")


def random_deaths(runs, seed):
    """Random signals, fired one upon the other or waited for, with up to two deaths anywhere."""
    dice = random.Random(seed)
    points = ([f"{when}.{place}" for when in ("before", "inside", "after") for place in BARRIERS[:4]]
              + [f"{when}.{kind}" for when in ("send", "sent", "got")
                 for kind in ("tell", "deliver", "reply", "submit", "ask", "wake", "resync", "answer")])
    longest = 0.0
    for run in range(runs):
        victims = dice.sample(range(4), dice.choice((1, 1, 2)))
        order = ";".join(f"kill:rank={v}@point={dice.choice(points)}#{dice.randint(1, 12)}" for v in victims)
        settings = {"GROUP_SIZE": dice.choice((1, 2, 4)), "CONSENSUS": dice.choice(("blocking", "overlapped")),
                    "CONSENSUS_EVERY": dice.choice((1, 1, 3)), "FAN_OUT": dice.choice((1, 2, 4))}
        options = {"cycles": 30, "wait": dice.choice((0, 1)), "seed": dice.randint(1, 10 ** 6),
                   "work-us": dice.choice((0, 200))}
        begun = time.monotonic()
        try:
            ranks, output = serve("cycles", standbys=2, INJECT=order, options=options, deadline=60, **settings)
            expect_finished(ranks, len(ranks), output)
            alive = [r for r in range(6) if r in ranks]
            expect(6 in ranks and len(alive) >= 6 - len(victims), "ranks are missing", output)
            lines = [ranks[r].crossed for r in alive if ranks[r].crossed]
            last = max(lines, key=len)
            expect(last[-1].endswith(":STOPPED"), "never STOPPED", output)
        except Failure as failure:
            raise Failure(f"run {run} of seed {seed}: {order} {settings} {options}: {failure}") from None
        longest = max(longest, time.monotonic() - begun)
    print(f"{runs} runs, the longest took {longest:.1f} s")


@scenario
def random_deaths_short():
    random_deaths(6, 11)


@scenario
def by_hand_random_deaths():
    random_deaths(int(os.environ.get("RUNS", "200")), int(os.environ.get("SEED", "1")))


@scenario
def a_client_that_vanishes_harms_nobody():
    """Rank 4 dies with requests open and a pause under way; rank 5 goes on as a client."""
    ranks, output = serve("vanish", clients=2, GROUP_SIZE=2)
    expect_finished(ranks, 5, output)
    expect_same_sequence(ranks, range(4), output)


@scenario
def a_member_submits_too():
    ranks, output = serve("member-asks", GROUP_SIZE=2)
    expect_finished(ranks, 5, output)
    expect(answered(output) == 40, "not all answered", output)


if __name__ == "__main__":
    sys.exit(main(matrix()))
