#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every fault in every state of the lifecycle, for examples/train and examples/serve, as a table of one word each:

    refilled  the fault's victims were replaced, and the weights or all answers are those of an undisturbed job
    went-on   nobody was lost, and the same
    12        the job ended with this code, which is the documented one (no standby was left: below_min)

Anything else (hang, never, lost, weights, code-N ...) is a failure, and the status is 1.

    fault_table.py MPIRUN TESTS BIN [--program train|serve] [--fault NAME ...]      on this machine
    fault_table.py MPIRUN TESTS BIN --fault below-min ...                           too: without a standby, one job a cell
    fault_table.py MPIRUN TESTS BIN --nodes ...     over emulated nodes, under Open MPI 6, with what
                                                    `tests/lab/openmpi6.sh build train serve` has built; status 77 where that
                                                    cannot be
    ... --brief         each kind in some states, not in each
    ... --single        each cell in a job of its own
One job goes through all states and meets a fault in each; where it fails, each cell is tried alone to find the guilty.
`hold-lock` is this machine's only: the lock is that of a meeting, and a job over nodes meets by a `muster run` on each.
"""
import argparse
import os
import socket
import sys
import time

from fault_jobs import CYCLE
from fault_places import DEATHS, ENGINES, MILD, NODE_DEATHS, RANK_DEATHS, Nodes, Place

BELOW_MIN = 12


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
    options.add_argument("--brief", action="store_true")
    options.add_argument("--deadline", type=float, default=60)
    return options.parse_args(arguments)


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

    def fill(self, program, cells):
        """A job for all these (kind, state), or for each where that fails: all deaths, all of ranks or all of nodes, or
        all mild."""
        plan = [(kind, state, self.place.order(kind, state, at)) for at, (kind, state) in enumerate(cells)]
        begun = time.monotonic()
        word, run = self.attempt(program, [order for _, _, order in plan], self.place.standbys, ENGINES)
        print(f"{program}, {' '.join(dict.fromkeys(kind for kind, _ in cells))}: {time.monotonic() - begun:.1f} s {word}", flush=True)
        # What a death takes is told too, and nothing is told twice.
        deaths = self.place.lost_by(cells[0][0], sum(kind in DEATHS for kind, _ in cells))
        if not word and sorted(run.lost()) != deaths:
            word = "untold"
        if word and len(plan) > 1:
            self.fail(f"{program}, {cells}: {word}", run)
            for cell in cells:
                self.fill(program, [cell])
            return
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


def turns_of(kinds, states):
    """Each state with one of the kinds."""
    return [(kinds[at % len(kinds)], state) for at, state in enumerate(states)]


def jobs_of(place, kinds, options):
    """What may be in one job: [[(kind, state), ...], ...]."""
    states = options.states
    families = [[kind for kind in kinds if kind in family] for family in (MILD, RANK_DEATHS, NODE_DEATHS)]
    short, links = [kind for kind in families[0] if kind != "link"], [kind for kind in families[0] if kind == "link"]
    if options.brief:
        mild = turns_of(short, states) if short else []
        mild[-1:] = [(kind, states[-1]) for kind in links] or mild[-1:]
        of_ranks, of_nodes = (turns_of(family, some) if family else []
                              for family, some in zip(families[1:], (states, states[1::2] or states)))
        series = [cells for cells in (mild, of_ranks, of_nodes) if cells]
    else:
        series = [[(kind, state) for kind in short for state in states]] if short else []
        series += [[(kind, state) for state in states] for kind in [*links, *families[1], *families[2]]]
    found = []
    for cells in series:
        parts = 1 + (len(cells) - 1) // (1 if options.single else place.together(cells[0][0], len(cells)))
        found += [cells[first::parts] for first in range(parts)]
    return found


def fill(table, place, options, programs):
    wanted = options.fault or place.kinds
    for program in programs:
        for cells in jobs_of(place, [kind for kind in place.kinds if kind in wanted], options):
            table.fill(program, cells)
        for state in options.states if "below-min" in wanted else []:
            table.below_min(program, state)


def main():
    options = options_of(sys.argv[1:])
    begun = time.monotonic()
    place = Nodes(options) if options.nodes else Place(options)
    table = Table(place, options)
    programs = [options.program] if options.program else ["train", "serve"]
    try:
        place.begin()
        fill(table, place, options, programs)
    finally:
        place.end()
    print(f"On {place.name}, {socket.gethostname()}, {time.monotonic() - begun:.0f} s:")
    table.show(options.states)
    print(f"fault_table: {len(table.cells)} cells, {table.bad} failures")
    return 1 if table.bad else 0


if __name__ == "__main__":
    sys.exit(main())
