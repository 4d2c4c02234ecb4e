#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lockstep groups that wake for bursts of requests and rest in between, with members that die. Called as harness.py
says."""
import os
import re
import sys

from harness import TESTS, expect, launch, main, scenario

RANK = re.compile(r"^rank (\d+) (\w+) forwards (\d+) dummies (\d+) votes (\d+) rests (\d+)", re.M)
ENGINES, GROUP = 8, 4


def serve(mode, *arguments, standbys=0, lost=0, **settings):
    _, output = launch(ENGINES + standbys + 1, os.path.join(TESTS, "server"), mode, f"group-size={GROUP}", *arguments,
                       STANDBYS=standbys, CLIENTS=1, GROUP_SIZE=GROUP, WORK="requests", deadline=100,
                       **settings)
    expect("WRONG" not in output, "something is wrong", output)
    ranks = [list(map(str, found)) for found in RANK.findall(output)]
    expect(len(ranks) == ENGINES + standbys + 1 - lost, f"{len(ranks)} ranks are left", output)
    return ranks, output


def waves_of(output):
    return int(re.search(r"^waves (\d+) ", output, re.M).group(1))


@scenario
def v16_a_thousand_waves_of_two_groups():
    _, output = serve("waves", "waves=1000", "work-us=0", ROUTING="least_loaded")
    expect(waves_of(output) >= 1000, "too few waves", output)


@scenario
def waves_never_go_back_over_deaths():
    """Two engines and the coordinator die; the coordinator last, with the waves that it alone had heard of."""
    order = "kill:rank=5@point=got.deliver#20;kill:rank=2@point=got.deliver#30;kill:rank=0@point=sent.answer#300"
    ranks, output = serve("waves", "waves=1000", "work-us=0", standbys=3, lost=3, INJECT=order)
    expect(waves_of(output) >= 1000, "too few waves", output)
    expect({rank[0] for rank in ranks}.isdisjoint({"0", "2", "5"}), "who should have died is there", output)


@scenario
def a_request_to_one_group_leaves_the_other_asleep():
    ranks, output = serve("one-group", "work-us=0")
    for rank in ranks:
        number, turns = int(rank[0]), int(rank[2]) + int(rank[3])
        if number < GROUP:
            expect(turns >= 50, f"rank {number} had {turns} turns", output)
        else:
            expect(turns == 0, f"rank {number} had {turns} turns", output)


if __name__ == "__main__":
    sys.exit(main())
