#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Backends whose replicas come, drain, die and are replaced while requests flow. Called as harness.py says. The program
is deployer.cpp: what it finds wrong is in lines that begin with WRONG."""
import os
import re
import sys

from harness import BIN, MPIRUN, TESTS, execute, expect, launch, main, scenario


def deploy(mode, ranks, group_size=1, lost=0, **settings):
    """`ranks`: engines and standbys, spread over three nodes; one more is the client."""
    _, output = launch(ranks + 1, os.path.join(TESTS, "deployer"), mode, deadline=110, CONTROLLER="yes",
                       GROUP_SIZE=group_size, CLIENTS=1, WORK="requests", **settings)
    expect("WRONG" not in output, "something is wrong", output)
    expect("told" in output, "the story was not told to its end", output)
    found = {int(rank): (int(answered), int(copies)) for rank, answered, copies
             in re.findall(r"^rank (\d+) answered (\d+) copies (\d+)", output, re.M)}
    expect(len(found) == ranks - lost, f"{len(found)} of {ranks} engines are left", output)
    return found, output


@scenario
def two_to_six_to_three_replicas_under_load():
    found, output = deploy("scale", 8)
    expect(sum(1 for answered, _ in found.values() if answered) >= 7, "not all who should have answered", output)


@scenario
def a_replica_of_two_engines_scales_too():
    deploy("update", 10, group_size=2)


@scenario
def r13_a_drain_waits_for_a_request_that_takes_a_second():
    found, output = deploy("drain", 3)
    expect(sum(answered for answered, _ in found.values()) == 2, "a request was done twice", output)


@scenario
def a_failing_prepare_leaves_the_old_world_serving():
    deploy("refuse", 4)


@scenario
def an_engine_dies_and_a_standby_is_told_what_it_is():
    deploy("engine_dies", 6, group_size=2, lost=1)


@scenario
def a_replica_of_one_engine_dies_and_is_replaced():
    deploy("engine_dies", 4, lost=1)


@scenario
def r6_the_coordinator_dies_and_its_successor_goes_on():
    deploy("coordinator_dies", 6, group_size=2, lost=1)


@scenario
def r14_r15_traffic_is_divided_and_copied():
    found, output = deploy("traffic", 4)
    split = re.search(r"split [0-9.]+ of (\d+)", output)
    copies = sum(copies for _, copies in found.values())
    expect(copies >= int(split.group(1)), f"{copies} copies of {split.group(1)} requests", output)


def random_calls(calls, deaths, *options):
    """examples/serve with random calls of the controller beside its requests; (deaths to order, its last words)."""
    serve = os.path.join(BIN, "serve")
    command = [os.path.join(BIN, "muster"), "run", "--mpirun", MPIRUN, "-n", str(deaths + 4), "--group-size", "1",
               "--clients", "1", "--work", "requests", "--controller", "--quorum", "none", *options, "--", serve,
               "--replicas", "1,2,3", "--calls", str(calls), "--requests", str(calls * 20), "--rate", "100", "--cycles",
               "0", "--patience", "60"]
    code, output = execute(command, 120, {})
    expect(code == 0 and "every request was answered once" in output, f"exit code {code}", output)
    said = re.search(r"^\d+ random calls of the controller.*$", output, re.M)
    expect(said, "the calls were not all made", output)
    died = output.count("a fault to order: ")
    print(f"{died} deaths; {said.group(0)}", flush=True)
    return died, output


@scenario
def r1_r5_random_calls_and_requests_while_coordinators_die():
    died, output = random_calls(40, 8, "--inject", "crash-after-checkpoint=0.25,max=8:kill")
    expect(died >= 4, f"only {died} deaths", output)


@scenario
def r1_two_of_three_holders_die_at_the_same_moment():
    died, output = random_calls(30, 4, "--inject", "kill:rank=0@time=2s; kill:rank=1@time=2s; kill:rank=2@time=5s; "
                                "kill:rank=3@time=5s")
    expect(died == 4, f"{died} deaths", output)


if __name__ == "__main__":
    sys.exit(main())
