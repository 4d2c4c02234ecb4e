#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every fault in every state of the lifecycle, for examples/train and examples/serve, as a table of one word each:

    refilled  the fault's victims were replaced, and the weights or all answers are those of an undisturbed job
    went-on   nobody was lost, and the same
    12        the job ended with this code, which is the documented one (no standby was left: below_min)

Anything else (hang, never, lost, weights, code-N ...) is a failure, and the status is 1.

    fault_table.py MPIRUN TESTS BIN [--program train|serve] [--fault NAME ...]      on this machine
    fault_table.py MPIRUN TESTS BIN --fault below-min ...                           too: without a standby, one job a cell
    fault_table.py MPIRUN TESTS BIN --nodes [--states A,B,C]    deaths of whole emulated nodes, under Open MPI 6, with what
                                                                `tests/lab/openmpi6.sh build train serve` has built; status
                                                                77 where that cannot be
    ... --single        each cell in a job of its own
One job goes through all states and meets a fault in each; where it fails, each cell is tried alone to find the guilty.
"""
import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time

import fault_jobs as jobs
from fault_jobs import CYCLE

ENGINES, STEPS, REQUESTS = 4, 200, 160
DEATHS = ["kill", "abort", "segv", "exit0"]
MILD = {"stop": ":0.05", "slow": ":3"}
BELOW_MIN = 12
# Both kinds of the mild in one job: they take nobody away.
GROUPS = [[kind] for kind in DEATHS] + [list(MILD)]


def options_of(arguments):
    options = argparse.ArgumentParser(usage=__doc__)
    options.add_argument("mpirun")
    options.add_argument("tests")
    options.add_argument("bin")
    options.add_argument("--program", choices=["train", "serve"])
    options.add_argument("--fault", action="append", choices=[*DEATHS, *MILD, "below-min"])
    options.add_argument("--nodes", action="store_true")
    options.add_argument("--states", type=lambda text: text.split(","), default=CYCLE)
    options.add_argument("--single", action="store_true")
    options.add_argument("--deadline", type=float, default=60)
    return options.parse_args(arguments)


class Place:
    """Where the jobs run: on this machine, as many standbys as there are states."""

    def __init__(self, options):
        self.options, self.number = options, 0
        self.folder = tempfile.mkdtemp(prefix="fault_table.", dir=os.path.join(options.bin, ".."))
        self.standbys, self.clients_of = len(CYCLE) + 1, {"train": 0, "serve": 1}
        self.undisturbed = None

    def launcher(self):
        return [os.path.join(self.options.bin, "muster"), "run", "--mpirun", self.options.mpirun]

    def program(self, name):
        return os.path.join(self.options.bin, name)

    def begin(self):
        pass

    def end(self):
        subprocess.run(["rm", "-rf", self.folder], check=False)

    def path(self, name):
        return os.path.join(self.folder, name)

    def victim(self, at):
        """Of the at-th death. Standbys follow in order: the fifth death is that of whoever replaced the first."""
        return f"rank={at}"

    def lost_by(self, deaths):
        return list(range(deaths))

    def order(self, kind, state, at):
        if kind in MILD:
            return f"{kind}:rank={at % ENGINES}@state={state}{MILD[kind]}"
        return f"{kind}:{self.victim(at)}@state={state}"

    def serve(self, orders, standbys, least):
        result = self.path("serve.json")
        command = [*self.launcher(), "-n", ENGINES, "--group-size", 2, "--standbys", standbys, "--clients", 1, "--min", least,
                   "--work", "requests", *injections(orders), "--", self.program("serve"), "--requests", REQUESTS,
                   "--rate", 300, "--cycles", 1, "--cache-mib", 2, "--json", result]
        remove(result)
        run = jobs.run(list(map(str, command)), self.options.deadline)
        return run, jobs.problem_of_serve(jobs.result_of(result)) if run.code == 0 else ""

    def train(self, orders, standbys, least):
        """Walked through the states and stopped; the same line then finishes from the checkpoint, undisturbed."""
        self.number += 1
        run_id = f"table-{os.getpid()}-{self.number}"
        result, checkpoints = self.path("train.json"), self.path(f"checkpoints{self.number}")
        os.mkdir(checkpoints)
        remove(result)
        last = ENGINES + standbys - 1
        end = ["--", self.program("train"), "--steps", STEPS, "--checkpoint", checkpoints, "--every", 25, "--json", result]
        first = [*self.launcher(), "-n", ENGINES, "--standbys", standbys, "--min", least, "--run-id", run_id, "--signals",
                 jobs.SIGNALS, *injections(orders), *end, "--step-ms", 5]
        # Somebody who is no victim takes the signals: the last standby, or an engine where there is none.
        walker = jobs.Walker(run_id, last, "step 50/", True)
        run = jobs.run(list(map(str, first)), self.options.deadline, walker)
        if run.code != 0:
            return run, ""
        again = jobs.run(list(map(str, [*self.launcher(), "-n", ENGINES, *end])), self.options.deadline)
        found = jobs.result_of(result) if again.code == 0 else None
        if found is None:
            return jobs.Run(again.code, run.output + again.output), "not-finished"
        return run, "" if found["weights"] == self.weights() else "weights"

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
    """Emulated nodes: mpirun and two engines on n0, two of a node's ranks die at once, the client is on the last one."""

    DEATHS_MAX = 3   # Of one job: more than half of its members must be left each time.

    def __init__(self, options):
        super().__init__(options)
        self.lab = f"table{os.getpid()}"
        repository = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        self.here = os.path.join(repository, "tests", "lab")
        self.six = os.path.join(repository, "build", "openmpi6", "bin")
        self.standbys = 2 * self.DEATHS_MAX
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
        if self.tool("nodes.sh", "up", str(self.DEATHS_MAX + 3), self.lab).returncode != 0:
            sys.exit("fault_table: no lab")
        os.environ["MUSTER_LAB"] = self.lab

    def end(self):
        self.tool("nodes.sh", "down", self.lab)
        super().end()

    def launcher(self):
        hosts = ",".join(f"n{node}:2" for node in range(self.DEATHS_MAX + 3))
        return [os.path.join(self.here, "on"), "n0", os.path.join(self.options.bin, "muster"), "run", "--mpirun",
                "/usr/bin/mpirun", "--interface", "e0", "--rsh", os.path.join(self.here, "agent"), "--hosts", hosts]

    def program(self, name):
        return os.path.join(self.six, name)

    def lost_by(self, deaths):
        return list(range(2, 2 + 2 * deaths))

    def order(self, kind, state, at):
        return f"node:n{at + 1}@state={state}"


def injections(orders):
    return [word for order in orders for word in ("--inject", order)]


def remove(path):
    if os.path.exists(path):
        os.remove(path)


class Table:
    def __init__(self, place, options):
        self.place, self.options = place, options
        self.cells, self.bad = {}, 0

    def attempt(self, program, orders, standbys, least):
        """The job's word, empty where all is well, and the run. Once more where Open MPI itself has crashed."""
        for last in (False, True):
            run, problem = getattr(self.place, program)(orders, standbys, least)
            if not run.open_mpis_own() or last:
                break
            print(f"again, since Open MPI itself failed: {run.open_mpis_own()}", flush=True)
        if run.code is None:
            return "hang", run
        return (f"code-{run.code}" if run.code != 0 else problem), run

    def fill(self, program, kinds, states):
        """A job for all these cells, or for each where that fails."""
        plan = [(kind, state, self.place.order(kind, state, at)) for kind in kinds for at, state in enumerate(states)]
        word, run = self.attempt(program, [order for _, _, order in plan], self.place.standbys, ENGINES)
        if word and len(plan) > 1:
            self.fail(f"{program}, {' and '.join(kinds)} in all states: {word}", run)
            for kind, state, _ in plan:
                self.fill(program, [kind], [state])
            return
        # What a node's death takes is told too, and nothing is told twice.
        deaths = self.place.lost_by(sum(kind not in MILD for kind in kinds) * len(states))
        if not word and sorted(run.lost()) != deaths:
            word = "untold"
        for kind, state, order in plan:
            cell = word or ("never" if not run.carried_out(order) else "went-on" if kind in MILD else "refilled")
            self.set(program, kind, state, cell, cell in ("went-on", "refilled"), run)

    def below_min(self, program, state):
        word, run = self.attempt(program, [f"kill:rank=1@state={state}"], 0, ENGINES)
        self.set(program, "below-min", state, word.removeprefix("code-") or "0", word == f"code-{BELOW_MIN}", run)

    def set(self, program, kind, state, cell, well, run):
        self.cells[program, kind, state] = cell
        if not well:
            self.fail(f"{program}, {kind} in {state}: {cell}", run)

    def fail(self, what, run):
        self.bad += 1
        print(f"FAILED  {what}\n{run.output}", flush=True)

    def show(self, states):
        rows = list(dict.fromkeys((program, kind) for program, kind, _ in self.cells))
        print(f"{'':<7}{'':<11}" + "".join(f"{state:<12}" for state in states))
        for program, kind in rows:
            print(f"{program:<7}{kind:<11}" + "".join(f"{self.cells.get((program, kind, state), '-'):<12}" for state in states))


def fill_here(table, options, programs):
    wanted = options.fault or [*DEATHS, *MILD]
    for program in programs:
        for group in GROUPS:
            kinds = [kind for kind in group if kind in wanted]
            for states in [[state] for state in options.states] if options.single else [options.states]:
                if kinds:
                    table.fill(program, kinds, states)
        for state in options.states if "below-min" in wanted else []:
            table.below_min(program, state)


def fill_nodes(table, options, programs):
    most = 1 if options.single else Nodes.DEATHS_MAX
    for program in programs:
        for first in range(0, len(options.states), most):
            table.fill(program, ["node"], options.states[first:first + most])


def main():
    options = options_of(sys.argv[1:])
    begun = time.monotonic()
    place = Nodes(options) if options.nodes else Place(options)
    table = Table(place, options)
    programs = [options.program] if options.program else ["train", "serve"]
    try:
        place.begin()
        (fill_nodes if options.nodes else fill_here)(table, options, programs)
    finally:
        place.end()
    print(f"On {'emulated nodes, Open MPI 6' if options.nodes else socket.gethostname()}, "
          f"{time.monotonic() - begun:.0f} s:")
    table.show(options.states)
    print(f"fault_table: {len(table.cells)} cells, {table.bad} failures")
    return 1 if table.bad else 0


if __name__ == "__main__":
    sys.exit(main())
