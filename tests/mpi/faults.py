#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Faults to order, `muster run --inject`: each kind with each trigger. Either the job goes on and the result is that of
an undisturbed run, or it ends with the documented code. Called as harness.py says.
"""
import errno
import fcntl
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

from harness import BIN, MPIRUN, TESTS, execute, expect, launch, main, scenario

MARK = f"MUSTER_TEST_MARK={os.getpid()}"


def command_of(engines, standbys, orders, program, *arguments, options=()):
    command = [os.path.join(BIN, "muster"), "run", "--mpirun", MPIRUN, "-n", str(engines), "--standbys", str(standbys),
               *options]
    for order in orders:
        command += ["--inject", order]
    return [*command, "--", *map(str, program), *map(str, arguments)]


def run(engines, standbys, orders, program, *arguments, options=(), deadline=30, **settings):
    return execute(command_of(engines, standbys, orders, program, *arguments, options=options), deadline,
                   {"TEST_MARK": os.getpid(), **settings})


def watch(command, on_line):
    """As run(); on_line(process, line) sees each line as it comes."""
    environment = dict(os.environ, MUSTER_TEST_MARK=str(os.getpid()), OMPI_ALLOW_RUN_AS_ROOT="1",
                       OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    output = ""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment) as process:
        late = threading.Timer(20, process.kill)
        late.start()
        for line in process.stdout:
            output += line
            on_line(process, line)
        code = process.wait()
        late.cancel()
    return code, output


def stepper(engines, standbys, orders, *arguments, **more):
    return run(engines, standbys, orders, [os.path.join(TESTS, "stepper")], *arguments, **more)


def train(orders):
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        code, output = run(4, 4, orders, [os.path.join(BIN, "train")], "--steps", 60, "--json", file.name)
        content = file.read()
    return code, output, json.loads(content)["weights"] if content else None


def lost(output):
    """[(rank, how)] of all rounds."""
    found = []
    for line in re.findall(r"^round \d+->\d+: (lost .*)", output, re.M):
        found += [(int(rank), how) for rank, how in re.findall(r"(?:lost|and|,) rank (\d+) on \S+ \((.*?)\)", line)]
    return found


def carried_out(output, order):
    return len(re.findall(rf"^muster\[rank \d+, round \d+\]: a fault to order: {re.escape(order)}$", output, re.M))


def expect_carried_out(orders, output):
    for order in orders:
        expect(carried_out(output, order) == 1, f"{order} was carried out {carried_out(output, order)} times", output)


def expect_lost(killed, exited, output):
    expected = {rank: "killed" for rank in killed} | {rank: "exited 0" for rank in exited}
    expect(dict(lost(output)) == expected and len(lost(output)) == len(expected), f"lost {lost(output)}", output)


def left_behind():
    pids = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                if MARK.encode() in file.read().split(b"\0") and int(pid) != os.getpid():
                    pids.append(int(pid))
        except OSError:
            pass
    return pids


# ---- goes on, with the weights of the undisturbed run ----

AT_STEPS = ["kill:rank=1@step=10", "segv:rank=2@step=20", "abort:rank=3@step=30", "exit0:rank=4@step=40",
            "stop:rank=0@step=15:0.2", "slow:rank=0@step=25:2"]
AT_TIMES = ["kill:rank=1@time=100ms", "segv:rank=2@time=0.3s", "abort:rank=7@time=0.5s", "exit0:rank=6@time=0.2s",
            "stop:rank=0@time=0.2s:0.1", "slow:rank=3@time=0.4s:2"]
AT_POINTS = ["kill:rank=3@point=commit.entered#10", "segv:rank=0@point=shrunk", "abort:rank=1@point=commit.agreed#25",
             "exit0:rank=2@point=commit.recorded#40", "stop:rank=2@point=agreed#2:0.1", "slow:rank=4@point=handed_over#2:1"]


@scenario
def the_same_weights_whatever_happens_at_steps():
    _, output, undisturbed = train([])
    expect(undisturbed, "no result", output)
    # Rank 0 is RUNNING in five rounds, and comes to it once.
    never = "kill:rank=0@state=RUNNING#2"
    code, output, weights = train(["; ".join(AT_STEPS[:3]), *AT_STEPS[3:], never])
    expect(code == 0 and weights == undisturbed, f"exit code {code}, weights {weights}, not {undisturbed}", output)
    expect_carried_out(AT_STEPS, output)
    expect(carried_out(output, never) == 0, never, output)
    expect_lost((1, 2, 3), (4,), output)


def the_same_sum(orders, killed, exited, *arguments):
    code, output = stepper(4, 4, orders, 60, *arguments)
    expect(code == 0 and "WRONG" not in output, f"exit code {code}", output)
    expect_carried_out(orders, output)
    expect_lost(killed, exited, output)


@scenario
def the_same_sum_whatever_happens_at_times():
    the_same_sum(AT_TIMES, (1, 2, 7), (6,), "--step-us", 20_000)


@scenario
def the_same_sum_whatever_happens_at_points():
    the_same_sum(AT_POINTS, (3, 0, 1), (2,))


@scenario
def each_kind_in_a_state_of_the_lifecycle():
    orders = ["kill:rank=1@state=PAUSING", "segv:rank=2@state=SUSPENDED", "abort:rank=3@state=RESUMING",
              "exit0:rank=0@state=UNPAUSING", "stop:rank=4@state=SUSPENDING:0.2", "slow:rank=5@state=PAUSED:3"]
    code, output = run(4, 4, orders, [os.path.join(TESTS, "server")], "round-trip", "cycles=12", "seed=5",
                       options=["--clients", "1", "--work", "requests", "--group-size", "2"])
    expect(code == 0 and "WRONG" not in output, f"exit code {code}", output)
    expect("client 8 answered 24" in output, "not all answered", output)
    expect_carried_out(orders, output)
    expect_lost((1, 2, 3), (0,), output)


@scenario
def stop_and_slow_take_their_time():
    stop, slow = "stop:rank=0@step=5:0.5", "slow:rank=1@step=10:50"
    seen = {}
    code, output = watch(command_of(3, 0, [stop, slow], [os.path.join(TESTS, "stepper")], 30),
                         lambda _, line: seen.setdefault(line.split(": ")[-1].strip(), time.monotonic()))
    ended = time.monotonic()
    expect(code == 0 and output.count("right") == 3 and not lost(output), f"exit code {code}", output)
    stopped, slowed = seen[slow] - seen[stop], ended - seen[slow]
    expect(stopped > 0.45, f"5 steps with a stop of 0.5 s took {stopped:.3f} s", output)
    expect(slowed > 0.95, f"20 turns that take 50 ms longer took {slowed:.3f} s", output)


@scenario
def a_seed_gives_the_same_faults_again():
    deaths = "kill:rank=any@rate=2/s,seed=2,max=3"
    halts = "stop:rank=1@rate=8/s,seed=4,max=2:0.05"
    victims = []
    for _ in range(2):
        code, output = stepper(4, 3, [deaths, halts], 100, "--step-us", 12_000)
        expect(code == 0 and "WRONG" not in output, f"exit code {code}", output)
        expect(carried_out(output, deaths) == 3 and carried_out(output, halts) == 2, "not 3 deaths and 2 halts", output)
        victims.append(sorted(lost(output)))
    expect(len(victims[0]) == 3 and victims[0] == victims[1], f"{victims[0]}, then {victims[1]}", output)


# ---- ends with the documented code ----

@scenario
def whoever_stands_for_ever_does_not_outlive_the_job():
    order = "stop:rank=2@step=20"
    code, output = stepper(3, 0, [order], 60, COMMIT_DEADLINE_MS=700, RECOVERY_DEADLINE_MS=700,
                           options=["--heartbeat", "off"])
    expect(code == 17 and carried_out(output, order) == 1, f"exit code {code}", output)
    expect("round 1->2" not in output, "the stopped one went on", output)
    expect(not left_behind(), f"left behind: {left_behind()}", output)


@scenario
def whoever_stands_for_ever_does_not_outlive_an_interrupt():
    """Before the first commit: the others wait in a collective of the program's own, for ever."""
    order = "stop:rank=2@time=1ms"
    def interrupt(process, line):
        if order in line:
            process.send_signal(signal.SIGINT)

    code, output = watch(command_of(3, 0, [order], [os.path.join(TESTS, "member")], "plain", 1_000_000,
                                    options=["--heartbeat", "off"]), interrupt)
    # mpirun sends SIGCONT and TERM, which stands for a stop of the job: whether that ends before mpirun kills is a race.
    expect(code in (0, 10) and order in output, f"exit code {code}", output)
    expect(not left_behind(), f"left behind: {left_behind()}", output)


@scenario
def below_the_minimum():
    code, output = stepper(2, 0, ["segv:rank=1@step=5"], 60, options=["--min", "2"])
    expect(code == 12, f"exit code {code}", output)


@scenario
def without_the_launcher():
    """Under plain mpirun the variable is all there is, and join() refuses it."""
    member = os.path.join(TESTS, "member")
    code, output = launch(1, member, "plain", INJECT="kill:rank=7@step=1")
    expect(code == 2 and "MUSTER_INJECT" in output and "the ranks 0 to 0" in output, f"exit code {code}", output)


@scenario
def the_option_wins_over_the_variable():
    code, output = stepper(2, 1, ["kill:rank=1@step=5"], 20, INJECT="kill:rank=0@step=5")
    expect(code == 0, f"exit code {code}", output)
    expect_lost((1,), (), output)


@scenario
def a_start_that_hangs():
    """A rank never comes to MPI_Init, the others wait in there; Open MPI does so by itself in 1 of 100 starts."""
    begun = time.monotonic()
    code, output = run(3, 0, [], ["/bin/bash", "-c", f'[ "$OMPI_COMM_WORLD_RANK" = 1 ] && exec sleep 1000; exec {TESTS}/member plain'],
                       JOIN_DEADLINE_MS=2000)
    took = time.monotonic() - begun
    expect(code == 17 and took < 20, f"exit code {code} after {took:.0f} s", output)
    expect(re.search(r"rank [02] waited \d+ ms for MPI_Init: MPI does not come back from it", output), "not said", output)
    expect(not left_behind(), f"left behind: {left_behind()}", output)


# ---- nodes, links, locks ----

@scenario
def mpiruns_own_node():
    order = f"node:{socket.gethostname()}@step=10"
    code, output = stepper(3, 1, [order], 60)
    expect(code == 15, f"exit code {code}", output)
    expect(f"{order} (this is mpirun's own node: no job outlives that)" in output, "not said", output)
    expect(len(re.findall(f"^rank \\d: a fault to order: {order}", output, re.M)) == 1, "not carried out once", output)
    expect(not left_behind(), f"left behind: {left_behind()}", output)


@scenario
def a_node_that_the_job_lacks():
    code, output = stepper(2, 0, ["link:elsewhere@step=10"], 20)
    expect(code == 2 and "no rank of the job is on 'elsewhere'; its nodes are " + socket.gethostname() in output,
           f"exit code {code}", output)


@scenario
def a_real_nodes_network_is_left_alone():
    order = f"link:{socket.gethostname()}@step=10:1"
    code, output = stepper(3, 0, [order], 40)
    expect(code == 0 and output.count("right") == 3, f"exit code {code}", output)
    expect(output.count(f"{order}: no network interface of this node has the alias 'muster-fault'") == 1, "why", output)


def is_free(path):
    with open(path, "r+b") as file:
        try:
            fcntl.fcntl(file, fcntl.F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 1, 0))
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise
            return False
    return True


@scenario
def a_lock_is_held_and_given_back():
    """Meanwhile nobody else has it, and who asks is told whose it is; the job itself goes on."""
    seen = {}
    with tempfile.TemporaryDirectory() as directory:
        lock = os.path.join(directory, "muster-held.lock")
        def look(_, line):
            if f"holds the lock {lock}" in line:
                seen["held"] = not is_free(lock)
                with open(lock) as file:
                    seen["holder"] = file.read()
            elif "holds no lock any more" in line:
                seen["free"] = is_free(lock)

        code, output = watch(command_of(2, 0, ["hold-lock:rank=1@step=5:0.3"], [os.path.join(TESTS, "stepper")], 100,
                                        "--step-us", 10_000, options=["--rendezvous", directory, "--run-id", "held",
                                                                      "--nodes", "1", "--host", "localhost:4"]), look)
    expect(code == 0 and output.count("right") == 2, f"exit code {code}", output)
    expect(seen == {"held": True, "holder": "rank 1, ordered to by --inject", "free": True}, f"{seen}", output)


@scenario
def there_may_be_no_lock_to_hold():
    code, output = stepper(2, 0, ["hold-lock:rank=0@step=5:1"], 20)
    expect(code == 0 and "no lock is held: this job has none" in output, f"exit code {code}", output)


if __name__ == "__main__":
    sys.exit(main())
