# SPDX-License-Identifier: Apache-2.0
"""Where the jobs of fault_table.py run, what of a kind is ordered there, and of whom: this machine, or emulated nodes."""
import os
import subprocess
import sys
import tempfile
import time

import fault_jobs as jobs
from fault_jobs import CYCLE

ENGINES, STEPS, REQUESTS = 4, 200, 160
# One rank goes; `hang` is a stop without an end, which the others have to notice by themselves.
RANK_DEATHS = {"kill": "kill", "abort": "abort", "segv": "segv", "exit0": "exit0", "hang": "stop"}
# All of a node goes, or its network does, and does not come back.
NODE_DEATHS = {"node": "node", "dark": "link"}
DEATHS = RANK_DEATHS | NODE_DEATHS
# These take nobody away: what is ordered, and how long it lasts (slow: milliseconds of each turn).
MILD = {"stop": ("stop", ":0.05"), "slow": ("slow", ":3"), "hold-lock": ("hold-lock", ":0.1"), "link": ("link", ":0.3")}


def is_of_a_node(kind):
    return kind in NODE_DEATHS or kind == "link"


def injections(orders):
    return [word for order in orders for word in ("--inject", order)]


def remove(path):
    if os.path.exists(path):
        os.remove(path)


class Place:
    """This machine, as many standbys as there are states."""

    name = "this machine"
    kinds = [*RANK_DEATHS, "stop", "slow", "hold-lock"]

    def __init__(self, options):
        self.options, self.number = options, 0
        self.folder = tempfile.mkdtemp(prefix="fault_table.", dir=os.path.join(options.bin, ".."))
        self.standbys = len(CYCLE) + 1
        self.undisturbed = None

    def launcher(self):
        return [os.path.join(self.options.bin, "muster"), "run", "--mpirun", self.options.mpirun]

    def meeting(self, orders, run_id):
        """Only a job that has met has a lock."""
        if not any(order.startswith("hold-lock") for order in orders):
            return ["--run-id", run_id]
        directory = self.path(f"meeting{self.number}")
        os.makedirs(directory, exist_ok=True)
        return ["--run-id", run_id, "--rendezvous", directory, "--nodes", 1, "--host", f"localhost:{2 * len(CYCLE) + ENGINES}"]

    def program(self, name):
        return os.path.join(self.options.bin, name)

    def begin(self):
        pass

    def end(self):
        subprocess.run(["rm", "-rf", self.folder], check=False)

    def path(self, name):
        return os.path.join(self.folder, name)

    def together(self, kind, cells):
        """How many of the cells may be of one job."""
        return min(cells, len(CYCLE)) if kind in DEATHS else cells

    def lost_by(self, kind, deaths):
        return [rank for at in range(deaths) for rank in self.victims(kind, at)]

    def victims(self, _, at):
        """Of the at-th death. Standbys follow in order: the fifth death is that of whoever replaced the first."""
        return [at]

    def order(self, kind, state, at):
        what, amount = MILD.get(kind) or (DEATHS[kind], "")
        return f"{what}:{self.whose(kind, at)}@state={state}{amount}"

    def whose(self, kind, at):
        return f"rank={at if kind in DEATHS else at % ENGINES}"

    def next_job(self):
        self.number += 1
        return f"table-{os.getpid()}-{self.number}"

    def serve(self, orders, standbys, least):
        run_id, result = self.next_job(), self.path("serve.json")
        command = [*self.launcher(), "-n", ENGINES, "--group-size", 2, "--standbys", standbys, "--clients", 1, "--min", least,
                   *self.meeting(orders, run_id), "--work", "requests", *injections(orders), "--", self.program("serve"),
                   "--requests", REQUESTS, "--rate", 300, "--cycles", 1, "--cache-mib", 2, "--json", result]
        remove(result)
        run = jobs.run(list(map(str, command)), self.options.deadline)
        return run, jobs.problem_of_serve(jobs.result_of(result)) or self.left(orders) if run.code == 0 else ""

    def train(self, orders, standbys, least):
        """Walked through the states and stopped; the same line then finishes from the checkpoint, undisturbed."""
        run_id = self.next_job()
        result, checkpoints = self.path("train.json"), self.path(f"checkpoints{self.number}")
        os.mkdir(checkpoints)
        remove(result)
        last = ENGINES + standbys - 1
        end = ["--", self.program("train"), "--steps", STEPS, "--checkpoint", checkpoints, "--every", 25, "--json", result]
        first = [*self.launcher(), "-n", ENGINES, "--standbys", standbys, "--min", least, *self.meeting(orders, run_id),
                 "--signals", jobs.SIGNALS, *injections(orders), *end, "--step-ms", 5]
        # Somebody who is no victim takes the signals: the last standby, or an engine where there is none.
        walker = jobs.Walker(run_id, last, "step 50/", True)
        run = jobs.run(list(map(str, first)), self.options.deadline, walker)
        if run.code != 0 or (left := self.left(orders)):
            return run, left if run.code == 0 else ""
        again = jobs.run(list(map(str, [*self.launcher(), "-n", ENGINES, *end])), self.options.deadline)
        found = jobs.result_of(result) if again.code == 0 else None
        if found is None:
            return jobs.Run(again.code, run.output + again.output), "not-finished"
        return run, "" if found["weights"] == self.weights() else "weights"

    def left(self, _):
        """A word where a job that has ended is still there somewhere, and only an emulated node can be so."""
        return ""

    def weights(self):
        if self.undisturbed is None:
            result = self.path("alone.json")
            run = jobs.run([os.path.join(self.options.bin, "muster"), "run", "-n", str(ENGINES), "--",
                            os.path.join(self.options.bin, "train"), "--steps", str(STEPS), "--json", result],
                           self.options.deadline)
            if run.code != 0:
                sys.exit(f"fault_table: the undisturbed job failed: {run.code}\n{run.output}")
            self.undisturbed = jobs.result_of(result)["weights"]
        return self.undisturbed


class Nodes(Place):
    """Emulated nodes of two ranks each, under Open MPI 6: mpirun and two engines on n0, two more on n1, where nodes die
    first; the last node has the client and whoever takes the signals."""

    name = "emulated nodes, Open MPI 6"
    kinds = [*RANK_DEATHS, *NODE_DEATHS, "stop", "slow", "link"]
    NODE_DEATHS_MAX = 4
    COUNT = 7   # 4 engines, 9 standbys, a client.

    def __init__(self, options):
        super().__init__(options)
        self.lab = f"table{os.getpid()}"
        repository = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        self.here = os.path.join(repository, "tests", "lab")
        self.six = os.path.join(repository, "build", "openmpi6", "bin")
        self.root = ""

    def tool(self, name, *arguments, **more):
        return subprocess.run([os.path.join(self.here, name), *arguments], env=dict(
            os.environ, MUSTER_LAB_ROOT=self.root, MUSTER_LAB_OWNER=str(os.getpid())), check=False, **more)

    def begin(self):
        if (status := self.tool("nodes.sh", "check").returncode) != 0:
            sys.exit(status)
        found = self.tool("openmpi6.sh", "root", stdout=subprocess.PIPE, text=True)
        if found.returncode != 0:
            print(found.stdout)
            sys.exit(found.returncode)
        self.root = found.stdout.strip()
        self.up()
        os.environ["MUSTER_LAB"] = self.lab

    def up(self):
        if self.tool("nodes.sh", "up", str(self.COUNT), self.lab).returncode != 0:
            sys.exit("fault_table: no lab")

    def end(self):
        self.tool("nodes.sh", "down", self.lab)
        super().end()

    def left(self, orders):
        """Behind a dark link nobody is out of reach of this machine's kernel: whoever was there must have ended itself.
        Afterwards nodes with links again."""
        if not any(order.startswith("link:") and order.count(":") == 1 for order in orders):
            return ""
        until = time.monotonic() + 20
        while (left := self.tool("nodes.sh", "processes", self.lab, stdout=subprocess.PIPE, text=True).stdout.strip()) != "0":
            if time.monotonic() > until:
                break
            time.sleep(0.1)
        print(f"on the dark nodes {left} processes were left after {time.monotonic() + 20 - until:.1f} s")
        self.tool("nodes.sh", "down", self.lab)
        self.up()
        return "" if left == "0" else "left"

    def launcher(self):
        hosts = ",".join(f"n{node}:2" for node in range(self.COUNT))
        return [os.path.join(self.here, "on"), "n0", os.path.join(self.options.bin, "muster"), "run", "--mpirun",
                "/usr/bin/mpirun", "--interface", "e0", "--rsh", os.path.join(self.here, "agent"), "--hosts", hosts]

    def program(self, name):
        return os.path.join(self.six, name)

    def together(self, kind, cells):
        # States follow fast: moments without the link add up to one that may be longer than the window.
        return 1 if kind == "link" else self.NODE_DEATHS_MAX if kind in NODE_DEATHS else super().together(kind, cells)

    def victims(self, kind, at):
        return [2 * at + 2, 2 * at + 3] if is_of_a_node(kind) else [at]

    def whose(self, kind, at):
        # Only engines come to a state: a link that comes back is always n1's.
        node = at + 1 if kind in NODE_DEATHS else 1
        return f"n{node}" if is_of_a_node(kind) else super().whose(kind, at)
