#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a short benchmark and checks the form of its JSON and that the figures can be true. Not whether budgets are met:
those are for a quiet machine, `muster bench NAME --check`.

    bench_json_test.py MUSTER NAME
"""
import json
import subprocess
import sys

FORWARD_US = 2_000
ATTEMPTS = 3  # At times that can be true. On a machine that others keep busy a bare call takes 50 ms now and then.
OPTIONS = {
    "consensus": ["--forward-us", str(FORWARD_US), "--turns", "50"],
    "controller": ["--changes", "80", "--window", "8", "--deaths", "1"],
    "pause": ["--cycles", "20"],
    "rendezvous": ["--rounds", "5"],
    "rest": ["--seconds", "1"],
    "route": ["--requests", "500"],
}
RANKS = {"consensus": 2, "controller": 3, "pause": 2, "rendezvous": 4, "rest": 2, "route": 2}
ROWS = {
    "consensus": ["forward_alone", "forward", "forward_allreduce", "turn_blocking", "turn_overlapped", "turn_every_16",
                  "turn_off", "allreduce", "next_blocking", "next_overlapped", "next_every_16", "next_off"],
    "controller": ["memory_single", "bare_memory_single", "memory_window", "bare_memory_window",
                   "file_single", "bare_file_single", "file_window", "bare_file_window", "bare_write",
                   "fsync_single", "bare_fsync_single", "fsync_window", "bare_fsync_window", "bare_fsync",
                   "succession", "detection", "shrink", "build", "answer", "bare", "bare_detection", "bare_shrink"],
    "pause": ["pause", "unpause", "bare", "bare_asleep"],
    "rendezvous": ["regroup", "notice", "shrink", "build", "hand_over", "last", "all_ask", "park", "unpark", "split",
                   "split_asleep", "bare_round"],
    "rest": ["resting_cpu", "wake"],
    "route": ["bare_request", "request", "bare_round_trip", "round_trip", "bare_coordinator_cpu", "coordinator_cpu"],
}
BUDGETS = {
    "consensus": {"consensus_over_allreduce": 1.2},
    "controller": {},
    "pause": {"pause_over_bare": 2.0},
    "rendezvous": {"round_over_split": 3.0, "messages_per_member_max": 28.0, "rounds_of_all_ask_max": 1.0},
    "rest": {"resting_cpu_percent_max": 2.0, "wake_ms": 2.0},
    "route": {"request_over_bare": 1 / 0.7},
}


def complaints(bench, report, ranks):
    """What is wrong, as sentences."""
    if report["bench"] != bench or report["ranks"] != ranks:
        yield f"it is a report of {report['bench']} with {report['ranks']} ranks"
    rows = {row["name"]: row for row in report["rows"]}
    if list(rows) != ROWS[bench]:
        yield f"the rows are {list(rows)}"
    for name, row in rows.items():
        if not 0 <= row["min_us"] <= row["median_us"] <= row["max_us"] or row["max_us"] == 0:
            yield f"no order in {row}"
    ratios = {ratio["name"]: ratio for ratio in report["ratios"]}
    for name, budget in BUDGETS[bench].items():
        if name not in ratios or ratios[name]["budget"] != budget:
            yield f"{name} has another budget than {budget}"
    for ratio in ratios.values():
        known = None if ratio["budget"] is None else ratio["value"] <= ratio["budget"]
        if ratio["met"] is not known or ratio["value"] <= 0:
            yield f"no sense in {ratio}"
    # No matter of speed: however many ask at once, it is one round, and nobody sends more than a few messages.
    for name in ("rounds_of_all_ask_max", "messages_per_member_max"):
        if name in ratios and not ratios[name]["met"]:
            yield f"{name} is {ratios[name]['value']}"


def times_that_cannot_be(bench, report):
    """The least is what the machine can do; medians also tell what else it does at the moment."""
    yield from SANITY[bench]({row["name"]: row["min_us"] for row in report["rows"]})


def consensus_sanity(us):
    # Every turn has a whole forward in it, and agreeing takes less, in every form.
    for name in ("forward_alone", "forward", "forward_allreduce", "turn_blocking", "turn_overlapped", "turn_every_16",
                 "turn_off"):
        if us[name] < 0.7 * FORWARD_US:
            yield f"{name} has no forward in it: {us[name]} us"
    if us["next_blocking"] > FORWARD_US:
        yield f"a vote takes {us['next_blocking']} us"
    # Without a vote there is nothing to wait for; with one, at least a message each way.
    if us["next_off"] >= us["next_blocking"]:
        yield f"next() without a vote takes {us['next_off']} us, with one {us['next_blocking']} us"


def controller_sanity(us):
    # What does the same and more takes longer. One change at a time waits at least for one write of its record.
    for form in ("memory", "file", "fsync"):
        if us[f"{form}_single"] <= us[f"bare_{form}_single"]:
            yield f"a change ({form}) takes {us[f'{form}_single']} us, its bare messages {us[f'bare_{form}_single']} us"
    for form, disk in (("file", "bare_write"), ("fsync", "bare_fsync")):
        if us[f"{form}_single"] <= us[disk]:
            yield f"a change ({form}) takes {us[f'{form}_single']} us, a bare write {us[disk]} us"
    if not us["detection"] + us["shrink"] + us["build"] < us["succession"] < 10_000_000:
        yield f"a call is answered {us['succession']} us after the coordinator's death"
    if us["bare"] < us["bare_shrink"]:
        yield f"kill to shrunk takes {us['bare']} us, the shrink alone {us['bare_shrink']} us"


def pause_sanity(us):
    # Who sleeps has to be woken first.
    if us["bare_asleep"] <= us["bare"]:
        yield "sleepers answer sooner than those who wait"
    for name in ("pause", "unpause"):
        if us[name] > 1_000_000:
            yield f"{name} takes {us[name]} us"


def rest_sanity(us):
    # An engine that spun would cost a second of CPU time a second, or its share of the cores.
    if us["resting_cpu"] > 150_000:
        yield f"a resting engine costs {us['resting_cpu']} us a second"
    if us["wake"] > 1_000_000:
        yield f"an engine takes {us['wake']} us to wake"


def rendezvous_sanity(us):
    # Who only asks does not wait 5 ms for MPI to report a death. Where others have the cores, bare calls are slow too.
    if us["shrink"] >= 4_000 + 2 * us["bare_round"]:
        yield f"a shrink without a death takes {us['shrink']} us"
    # A round has several splits in it.
    for name in ("regroup", "all_ask", "park", "unpark"):
        if not us["split"] < us[name] < 1_000_000:
            yield f"{name} takes {us[name]} us, a split {us['split']}"


def route_sanity(us):
    # What does the same and more takes longer; the least of both, since the machine has other work.
    for name in ("request", "round_trip"):
        if not us["bare_" + name] < us[name] < 1_000_000:
            yield f"{name} takes {us[name]} us, bare {us['bare_' + name]} us"


SANITY = {"consensus": consensus_sanity, "controller": controller_sanity, "pause": pause_sanity,
          "rendezvous": rendezvous_sanity, "rest": rest_sanity, "route": route_sanity}


def report_of(muster, bench):
    command = [muster, "bench", bench, "--ranks", str(RANKS[bench]), "--json", *OPTIONS[bench]]
    run = subprocess.run(command, stdout=subprocess.PIPE)
    if run.returncode != 0:
        sys.exit(f"muster bench {bench} returned {run.returncode}")
    report = json.loads(run.stdout)
    print(json.dumps(report, indent=1))
    wrong = list(complaints(bench, report, RANKS[bench]))
    if wrong:
        sys.exit("\n".join(wrong))
    return report


def main():
    muster, bench = sys.argv[1:]
    for attempt in range(1, ATTEMPTS + 1):
        late = list(times_that_cannot_be(bench, report_of(muster, bench)))
        if not late:
            return
        print(f"attempt {attempt}: " + "; ".join(late), file=sys.stderr)
    sys.exit(1)


if __name__ == "__main__":
    main()
