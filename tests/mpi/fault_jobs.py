# SPDX-License-Identifier: Apache-2.0
"""Jobs of examples/train and examples/serve with faults to order, for fault_table.py and soak.py: started, watched,
signalled, ended by a deadline, and judged.
"""
import json
import os
import re
import signal
import subprocess
import threading

CYCLE = ["RUNNING", "PAUSING", "PAUSED", "SUSPENDING", "SUSPENDED", "RESUMING", "UNPAUSING", "STOPPING"]
# A survivor that dies of this was making a communicator when Open MPI 5.0.11 heard of a death: its own fault (DESIGN.md,
# "A pool that is still being made").
OPEN_MPI_CRASH = "ompi_comm_set_rank_failed"
# And now and then, 1 of 100 starts of 12 ranks on 2 busy cores, a start never comes back from MPI_Init: no rank has said
# anything yet. Jobs are given less than the 120 s that a join may take.
OPEN_MPI_HANG = "ms for MPI_Init"
# Under Open MPI 6.0.0rc2, once in some hundred deaths of nodes, a shrink in which a second node dies has no end, though all
# deaths have been declared: timed_out (17).
OPEN_MPI_SHRINK = "ms for shrink: all survivors to agree"
JOIN_DEADLINE = {"MUSTER_JOIN_DEADLINE_MS": "25000"}
SIGNALS = "USR1=suspend,USR2=resume,XCPU=unpause,TERM=stop"


class Run:
    """`code` is None where the deadline ended it."""

    def __init__(self, code, output):
        self.code, self.output = code, output

    def open_mpis_own(self):
        """What Open MPI has done to it; empty: nothing."""
        return next((what for what in (OPEN_MPI_CRASH, OPEN_MPI_HANG, OPEN_MPI_SHRINK) if what in self.output), "")

    def carried_out(self, order):
        """By a rank, which says so itself, or a node, of which `muster run` says so; where it could not be, that is said."""
        return re.search(rf"^(?:muster\[)?rank \d+(?:, round \d+\])?: a fault to order: {re.escape(order)}(?:$| |: takes down)",
                         self.output, re.M) is not None and "no lock is held" not in self.output

    def lost(self):
        """Ranks, in the order in which rounds were made without them."""
        rounds = re.findall(r"^round \d+->\d+: (lost .*)", self.output, re.M)
        return [int(rank) for one in rounds for rank in re.findall(r"(?:lost|and|,) rank (\d+) on \S+ \(", one)]


def ranks_of(run_id):
    """{rank: pid} of the job's processes, wherever they are on this machine. Who is alone on its node has a minder, a child
    with the same environment: it counts only where its parent is gone."""
    found = {}
    wanted = f"MUSTER_RUN_ID={run_id}".encode()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                variables = file.read().split(b"\0")
            with open(f"/proc/{pid}/stat", "rb") as file:
                parent = int(file.read().rsplit(b")", 1)[1].split()[1])
        except OSError:
            continue
        rank = next((one for one in variables if one.startswith(b"OMPI_COMM_WORLD_RANK=")), None)
        if wanted in variables and rank:
            found[int(pid)] = (int(rank.split(b"=")[1]), parent)
    return {rank: pid for pid, (rank, parent) in found.items() if parent not in found}


def end(process):
    """muster run first, which ends what it has started; then its whole session."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, how)
            process.wait(8)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            pass


def run(command, deadline, on_line=None, environment=None):
    variables = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
                     **JOIN_DEADLINE, **(environment or {}))
    output, late = [], threading.Event()
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", env=variables, start_new_session=True) as process:
        timer = threading.Timer(deadline, lambda: (late.set(), end(process)))
        timer.start()
        for line in process.stdout:
            output.append(line)
            if on_line:
                on_line(line)
        code = process.wait()
        timer.cancel()
    return Run(None if late.is_set() else code, "".join(output))


class Walker:
    """Whoever walks a training job through its states: signals of the system to one of its ranks."""

    def __init__(self, run_id, rank, begin_at, stops):
        self.run_id, self.rank, self.begin_at, self.stops = run_id, rank, begin_at, stops
        self.seen = []

    def __call__(self, line):
        state = re.match(r"([A-Z]+) \(barrier", line)
        if state:
            self.seen.append(state.group(1))
        following = {"SUSPENDED": signal.SIGUSR2, "RUNNING": signal.SIGTERM if self.stops else None,
                     "PAUSED": signal.SIGXCPU if "SUSPENDED" in self.seen and "RUNNING" not in self.seen else None}
        if line.startswith(self.begin_at):
            self.send(signal.SIGUSR1)
        elif state and following.get(state.group(1)):
            self.send(following[state.group(1)])

    def send(self, number):
        pid = ranks_of(self.run_id).get(self.rank)
        if pid:
            os.kill(pid, number)


def result_of(path):
    try:
        with open(path) as file:
            return json.load(file)
    except (OSError, ValueError):
        return None


def problem_of_serve(result):
    """One word: what was promised and not kept; empty: all was."""
    if result is None:
        return "no-result"
    if result["answered"] != result["sent"]:
        return "lost"
    if result["answered_twice"]:
        return "twice"
    if result["differing"]:
        return "differing"
    return "problems" if result["problems"] else ""
