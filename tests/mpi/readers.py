#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A rendezvous of the program's own in the job's registry, with members that die, the coordinator too. Called as
harness.py says."""
import collections
import os
import re
import sys

from harness import TESTS, expect, launch, main, scenario

JOINED = re.compile(r"^rank (\d+) joined round (\d+) as (\d+) of (.*) told by rank (\d+)$", re.M)


def meet(engines, standbys, rounds, least, most, lost=0, **settings):
    _, output = launch(engines + standbys, os.path.join(TESTS, "reader"), rounds, least, most, STANDBYS=standbys,
                       MIN=1, **settings)
    expect("WRONG" not in output, "something is wrong", output)
    expect(len(re.findall(r"^rank \d+ finished$", output, re.M)) == engines + standbys - lost, "ranks are missing", output)
    seen = collections.defaultdict(dict)
    first = {number: rank for rank, number, place, _, _ in JOINED.findall(output) if place == "0"}
    for rank, number, place, nodes, told_by in JOINED.findall(output):
        expect(told_by == first.get(number, told_by), f"round {number} was told how to begin by rank {told_by}", output)
        expect(rank not in seen[int(number)], f"rank {rank} joined round {number} twice", output)
        seen[int(number)][rank] = (int(place), nodes)
    told = sorted(seen)
    # Of a round whose member dies at once perhaps nobody tells.
    expect(told and told[0] == 0 and told[-1] >= rounds, f"rounds {told}", output)
    for number in told:
        places = [place for place, _ in seen[number].values()]
        expect(len(set(places)) == len(places), f"two have one rank in round {number}", output)
        worlds = {nodes for _, nodes in seen[number].values()}
        expect(len(worlds) == 1, f"round {number} has {len(worlds)} worlds", output)
        size = len(worlds.pop().split())
        expect(least <= size <= most, f"round {number} has {size} nodes", output)
    return seen, output


@scenario
def t27_one_round_and_a_redundant_node_that_exits_in_peace():
    seen, output = meet(4, 0, 0, 2, 3)
    expect(len(seen[0]) == 3, f"round 0 has {len(seen[0])} of 3 nodes", output)
    expect("RendezvousGracefulExitError: The rendezvous 'readers' is closed, terminating pending rendezvous." in output,
           "nobody was redundant", output)


@scenario
def t29_t30_a_death_begins_the_next_round_and_the_state_outlives_its_coordinator():
    for order in ("kill:rank=2@point=commit.entered#400",
                  "kill:rank=0@point=commit.entered#400;kill:rank=1@point=commit.entered#900",
                  "kill:rank=0@point=send.registry_told#60"):
        deaths = order.count("kill")
        meet(4, 1, deaths, 2, 3, lost=deaths, INJECT=order)


if __name__ == "__main__":
    sys.exit(main())
