#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The store of each round, with members that die while they use it. Called as harness.py says."""
import os
import re
import sys

from harness import TESTS, expect, launch, main, scenario

RANK = re.compile(r"^rank (\d+) (\w+) step (\d+) met (\d+) fenced (\d+) broken (\d+)", re.M)


def keep(engines, standbys, *arguments, lost=0, steps=20, **settings):
    _, output = launch(engines + standbys, os.path.join(TESTS, "keeper"), steps, *arguments, STANDBYS=standbys,
                       **settings)
    expect("WRONG" not in output, "something is wrong", output)
    ranks = [list(map(str, found)) for found in RANK.findall(output)]
    expect(len(ranks) == engines + standbys - lost, f"{len(ranks)} ranks are left", output)
    expect(all(rank[1] == "finished" for rank in ranks), "another ending than finished", output)
    return ranks, output


@scenario
def t28_a_round_meets_in_its_store():
    ranks, output = keep(4, 0, "errors=1")
    expect(all(int(rank[3]) == 1 for rank in ranks), "not all have met", output)


@scenario
def large_values():
    keep(3, 0, "value-kib=8192")


def with_a_death(order, **settings):
    ranks, output = keep(4, 2, lost=order.count("kill"), INJECT=order, **settings)
    old = [rank for rank in ranks if int(rank[4]) > 0]
    expect(old, "nobody saw an old round's store refuse", output)


@scenario
def t30_the_store_follows_the_coordinator():
    for order in ("kill:rank=0@point=commit.entered#5", "kill:rank=0@point=got.store_ask#3",
                  "kill:rank=0@point=send.store_told#2", "kill:rank=2@point=sent.store_ask#2",
                  "kill:rank=0@point=commit.entered#3;kill:rank=1@point=send.store_told#9"):
        with_a_death(order)


@scenario
def with_the_agent_on_the_engine_thread():
    keep(3, 0, AGENT_THREAD="engine")


if __name__ == "__main__":
    sys.exit(main())
