#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Members that fall silent without dying: stopped, gone without a word, hung in their own code. Called as harness.py
says. Times are printed; the limits are wide, for machines that do other things too.
"""
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

from harness import BIN, MPIRUN, TESTS, expect, main, scenario

WINDOW = 1.0
SLACK = 10.0  # For a loaded machine.
ROUND = re.compile(r"^round 1->2: lost rank (\d+) on \S+ \((.*?)\)")


def watch(engines, standbys, program, *arguments, options=(), deadline=110, **settings):
    """Runs a job; returns (exit code, output, [(seconds, line)])."""
    command = [os.path.join(BIN, "muster"), "run", "--mpirun", MPIRUN, "-n", str(engines), "--standbys", str(standbys),
               *options, "--", program, *map(str, arguments)]
    environment = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    environment.update({"MUSTER_" + name: str(value) for name, value in settings.items()})
    lines = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment) as process:
        late = threading.Timer(deadline, process.kill)
        late.start()
        for line in process.stdout:
            lines.append((time.monotonic(), line.rstrip("\n")))
        code = process.wait()
        late.cancel()
    return code, "\n".join(line for _, line in lines), lines


def at(lines, pattern):
    """When the first line came in which the pattern is found."""
    for when, line in lines:
        if re.search(pattern, line):
            return when
    return None


def stepper(*arguments, engines=4, standbys=1, **more):
    return watch(engines, standbys, os.path.join(TESTS, "stepper"), *arguments, **more)


def expect_refilled(code, output, lines, begin, rank, limit=WINDOW + SLACK):
    """The others went on without `rank`, in good time after the line `begin`. Seconds until then."""
    expect(code == 0 and "WRONG" not in output, f"exit code {code}", output)
    found = [ROUND.search(line) for _, line in lines if ROUND.search(line)]
    expect(len(found) == 1 and int(found[0].group(1)) == rank, f"rank {rank} was not lost alone", output)
    took = at(lines, ROUND) - at(lines, begin)
    expect(took < limit, f"took {took:.3f} s", output)
    return took


@scenario
def a_stopped_engine_is_ended_and_its_place_filled():
    order = "stop:rank=2@step=20"
    code, output, lines = stepper(60, "--step-us", 2000, options=["--inject", order])
    took = expect_refilled(code, output, lines, re.escape(order), 2)
    expect("(killed)" in output, "not killed", output)
    print(f"        stopped -> first commit of the refilled world: {took:.3f} s, window {WINDOW} s")


@scenario
def a_stopped_engine_of_train_costs_no_weight():
    weights = []
    for options in ([], ["--inject", "stop:rank=1@step=30"]):
        with tempfile.NamedTemporaryFile(suffix=".json") as file:
            code, output, lines = watch(4, 1, os.path.join(BIN, "train"), "--steps", 60, "--json", file.name,
                                        options=options)
            content = file.read()
        expect(code == 0 and content, f"exit code {code}", output)
        weights.append(json.loads(content)["weights"])
    took = expect_refilled(code, output, lines, "a fault to order", 1)
    expect(weights[0] == weights[1], f"{weights}", output)
    print(f"        train, stopped -> first commit of the refilled world: {took:.3f} s; weights {weights[1]}, equal")


@scenario
def a_stopped_engine_of_serve_loses_no_request():
    code, output, lines = watch(4, 1, os.path.join(BIN, "serve"),
                                options=["--group-size", "2", "--clients", "1", "--work", "requests", "--inject",
                                         "stop:rank=1@time=1s"])
    took = expect_refilled(code, output, lines, "a fault to order", 1)
    expect("every request was answered once" in output, "not every request was answered once", output)
    print(f"        serve, stopped -> refilled: {took:.3f} s")


@scenario
def whoever_wakes_after_that_stops_itself():
    """Nobody can end it (as if it were alone on its node): MPI is told that it is dead, and it wakes in an old round."""
    order = "stop:rank=2@step=20:2.5"
    code, output, lines = stepper(400, "--step-us", 10_000, options=["--inject", order], PROOF="off")
    took = expect_refilled(code, output, lines, re.escape(order), 2)
    expect("(lost)" in output, "it was said to be proven dead", output)
    woken = at(lines, r"muster\[rank 2, .*this process stood still")
    expect(woken is not None, "it did not stop itself", output)
    expect(output.count("right") >= 4, "not all ended well", output)
    print(f"        not killed: declared dead after {took:.3f} s; woke and stopped itself "
          f"{woken - at(lines, re.escape(order)):.3f} s after the stop (of 2.5 s)")


@scenario
def whoever_is_alone_on_its_node_is_ended_by_its_minder():
    order = "stop:rank=2@step=20"
    code, output, lines = stepper(60, "--step-us", 2000, options=["--inject", order], PROOF="alone")
    took = expect_refilled(code, output, lines, re.escape(order), 2)
    expect("(killed)" in output, "not killed", output)
    print(f"        alone on its node, stopped -> first commit of the refilled world: {took:.3f} s")


def minders(run_id):
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/comm") as name, open(f"/proc/{pid}/environ", "rb") as variables:
            if name.read() == "muster-minder\n" and f"MUSTER_RUN_ID={run_id}".encode() in variables.read().split(b"\0"):
                found.append(int(pid))
    return found


@scenario
def a_minder_takes_no_signal_of_the_program():
    """Whoever signals all processes with the program's environment reaches minders too; they go on minding."""
    order = "stop:rank=2@step=200"
    signalled = []

    def signal_all():
        until = time.monotonic() + 20
        while len(signalled) < 5 and time.monotonic() < until:
            signalled[:] = minders("minded")
        for pid in signalled:
            os.kill(pid, signal.SIGUSR1)
            os.kill(pid, signal.SIGTERM)

    signals = threading.Thread(target=signal_all)
    signals.start()
    code, output, lines = stepper(240, "--step-us", 10_000, options=["--run-id", "minded", "--inject", order], PROOF="alone")
    signals.join()
    expect(len(signalled) == 5, f"{len(signalled)} minders", output)
    expect_refilled(code, output, lines, re.escape(order), 2)
    expect("(killed)" in output, "not killed", output)


@scenario
def a_short_stop_is_forgiven():
    order = "stop:rank=1@step=20:0.6"
    code, output, _ = stepper(60, "--step-us", 2000, options=["--inject", order])
    expect(code == 0 and "round 1->2" not in output and order in output, f"exit code {code}", output)


@scenario
def a_member_that_vanishes_is_missed():
    code, output, lines = stepper(60, "--step-us", 2000, "--vanish", "2@20", "--kill", "9@0")
    expect_refilled(code, output, lines, ".", 2, limit=20)


@scenario
def a_stopped_standby_and_a_stopped_coordinator():
    orders = "stop:rank=4@step=1; stop:rank=0@step=20; stop:rank=4@time=1ms"
    code, output, _ = stepper(60, "--step-us", 2000, standbys=2, options=["--inject", orders])
    expect(code == 0 and "WRONG" not in output, f"exit code {code}", output)
    expect("rank 5 promoted to slot 0" in output, "nobody took the coordinator's place", output)


@scenario
def an_engine_that_hangs_in_its_own_code_is_ended():
    """Its peers wait in a collective, and are freed; their turns are overdue too, and they come back."""
    code, output, lines = stepper(60, "--step-us", 2000, "--hang", "2@20", options=["--forward-deadline", "500ms"])
    begin, end = at(lines, "^muster.*turn has taken"), at(lines, ROUND)
    expect_refilled(code, output, lines, "turn has taken", 2)
    expect(output.count("turn has taken") == 2, "not one, said here and to the launcher", output)
    print(f"        hung engine: given up after {re.search(r'turn has taken (.*? ms)', output).group(1)} "
          f"(deadline 500 ms, 1 s to come back), {1000 * (end - begin):.0f} ms later refilled")


@scenario
def a_deadline_that_is_learned():
    """Each engine learns its own: one that is quicker may free the others before the hung one's is over."""
    code, output, _ = stepper(60, "--step-us", 2000, "--hang", "1@40", FORWARD_DEADLINE_FACTOR=50)
    expect(code == 0 and "WRONG" not in output, f"exit code {code}", output)
    expect(re.findall(r"lost rank (\d+)", output) == ["1"], "rank 1 was not lost alone", output)


@scenario
def who_is_slow_is_said_and_stays():
    code, output, _ = stepper(60, "--step-us", 2000, options=["--inject", "slow:rank=1@step=5:40"])
    expect(code == 0 and "round 1->2" not in output, f"exit code {code}", output)
    slow = [float(times) for times in re.findall(r"^rank 1 on \S+ is slow: .* ms, (\S+) times", output, re.M)]
    expect(slow and max(slow) > 2, f"{slow}", output)


@scenario
def nobody_ends_before_all_know_that_the_job_has_ended():
    """The agreement's answer could still be on its way to somebody: who exits brings it no more. #2 is the ending."""
    order = "stop:rank=2@point=agreed#2:0.6"
    code, output, lines = stepper(20, options=["-v", "--inject", order])
    expect(code == 0 and output.count("right") == 5, f"exit code {code}", output)
    waited = at(lines, "^the job has ended: 0") - at(lines, re.escape(order) + "$")
    expect(0.4 < waited < 5, f"the others ended {waited:.3f} s after it stood still", output)


@scenario
def without_heartbeats_nobody_is_missed():
    code, output, _ = stepper(60, options=["--inject", "stop:rank=2@step=20", "--heartbeat", "off"],
                              COMMIT_DEADLINE_MS=2500, RECOVERY_DEADLINE_MS=500)
    expect(code == 17 and "round 1->2" not in output, f"exit code {code}", output)


def suspicions(who, step, whom):
    return [word for one in who for other in whom for word in ("--suspect", f"{one}@{step}:{other}")]


@scenario
def who_is_suspected_falsely_is_out():
    """MPI in one rank takes a live one for dead: that one stops (Open MPI aborts it), the others go on."""
    code, output, lines = stepper(200, "--step-us", 5000, *suspicions([1], 20, [2]))
    expect_refilled(code, output, lines, ".", 2, limit=30)
    expect(output.count("right") == 4, "not all others ended well", output)


@scenario
def a_minority_that_suspects_the_others_stops_and_they_go_on():
    """Nobody here is a witness of anybody's death. The minority's word that the job has ended is not the launcher's last."""
    code, output, _ = stepper(500, "--step-us", 5000, *suspicions([0, 1], 20, [2, 3, 4]), engines=5, standbys=0, PROOF="off",
                              options=["--kill-after", "1"])
    expect(code == 0 and "WRONG" not in output, f"exit code {code}", output)
    expect(output.count("ended lost_quorum: ") == 2, "the minority did not stop", output)
    expect(re.search("^round 1->2: lost rank 0 .* and rank 1 .*, world 5 -> 3", output, re.M), "nobody went on", output)
    expect(output.count("ended finished: step 500 ") == 3, "the others did not end well", output)


@scenario
def of_two_halves_that_suspect_each_other_one_goes_on():
    """All are on mpirun's node; rank 0 decides."""
    code, output, _ = stepper(400, "--step-us", 5000, *suspicions([0, 1], 20, [2, 3]), *suspicions([2, 3], 20, [0, 1]),
                              standbys=0, PROOF="off", options=["--kill-after", "1"])
    expect(code == 0 and "WRONG" not in output, f"exit code {code}", output)
    for rank in 0, 1:
        expect(f"rank {rank} ended finished: step 400 " in output, f"rank {rank} did not go on", output)
    for rank in 2, 3:
        expect(f"rank {rank} ended lost_quorum: " in output, f"rank {rank} did not stop", output)


if __name__ == "__main__":
    sys.exit(main())
