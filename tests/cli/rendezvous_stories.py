#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tells random stories (settings, nodes, times, faults) to the naive rendezvous of rendezvous_twin.py and to `muster
transcript rendezvous`, step by step, until an answer differs.

usage: rendezvous_stories.py MUSTER [STEPS [SEED]]; MUSTER_SEED replays one story
"""
import json
import os
import random
import subprocess
import sys

from rendezvous_twin import Member, Store


def random_settings(dice):
    least = dice.randint(1, 4)
    settings = {"run_id": "job", "min_nodes": least, "max_nodes": least + dice.randint(0, 3),
                "join": dice.choice([20, 60.5, 600]), "last_call": dice.choice([0.5, 4, 30]),
                "keep_alive_interval": dice.choice([0, 1, 2.5, 5, 5, 5, 5]),
                "keep_alive_max_attempt": dice.choice([0, 1, 3, 3, 3, 3, 3]),
                "replace_dead_participants": dice.random() < 0.4,
                "slot_order": dice.choice(["sorted", "sorted", "stable"])}
    if dice.random() < 0.2:
        settings["cache"] = dice.choice([0.5, 1, 3])
    return settings


def full(settings):
    return {"join": 600, "last_call": 30, "cache": 0, **settings}


class Story:
    """Nodes that mostly do what a handler does: join until they are in, beat, leave, come back, fall silent. It is told
    by the twin as it goes on, so that operations come to an end and deadlines move."""

    def __init__(self, dice):
        self.dice, self.settings, self.store, self.members = dice, random_settings(dice), Store(), {}
        count = dice.randint(1, self.settings["max_nodes"] + 3)
        self.nodes = ["n%d_%d_%d" % (i % 3, 9 + i % 2, i) for i in range(count)]
        self.now, self.plans = dice.choice([0, 0, 100.5]), {}
        self.pauses = dice.choice([[0, 0, 0, 0.5], [0, 0, 0.5, 1], [0.5, 1, 2.5], [0, 1, 5]])
        self.lines, self.answers = [], []

    def tell(self, steps):
        while len(self.lines) < steps:
            self.now += self.dice.choice(self.pauses)
            if self.dice.random() < 0.01:
                self.now += self.dice.choice([3, 5, 7.5, 15, 30.5])
            if self.dice.random() < 0.003:
                self.fault(self.dice.choice(["lost", "lost", "corrupt"]))
            else:
                self.step(self.dice.choice(self.nodes))

    def fault(self, kind):
        self.lines.append({"backend": kind})
        self.store.put("rubbish" if kind == "corrupt" else None)
        if kind == "corrupt" and self.dice.random() < 0.9:
            self.step(self.dice.choice(self.nodes))
            self.fault("lost")

    def step(self, node):
        dice = self.dice
        if node not in self.plans or dice.random() < 0.03:
            rare = ["close"] if dice.random() < 0.05 else []
            op = dice.choice(["join"] * 8 + ["exit"] * 2 + ["keep_alive"] * 4 + rare)
            wait = dice.choice([3, 20, 60, 600, 600, 600] if dice.random() < 0.9 else [0, 0.5, -1, -5, -5.5])
            self.plans[node] = {"op": op, "deadline": self.now + wait}
        line = {"now": self.now, "node": node, **self.plans[node]}
        if dice.random() < 0.02:
            del line["deadline"]
        if dice.random() < 0.01:
            line["now"] = max(0, self.now - dice.choice([0.5, 3, 16]))  # Clocks differ.
        member = self.members.setdefault(node, Member(node, full(self.settings), self.store))
        answer = member.iterate(line)
        self.lines.append(line)
        self.answers.append((len(self.lines), line, answer))
        if "new_deadline" in answer:
            self.plans[node]["deadline"] = answer["new_deadline"]
        if "raises" in answer or answer["action"] == "FINISH":
            del self.plans[node]


def compare(muster, seed, steps, met):
    story = Story(random.Random(seed))
    story.tell(steps)
    text = "\n".join(json.dumps(line) for line in [{"settings": story.settings}] + story.lines) + "\n"
    done = subprocess.run([muster, "transcript", "rendezvous"], input=text, capture_output=True, text=True, timeout=60)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    for at, (number, line, wanted) in enumerate(story.answers):
        got = answers[at] if at < len(answers) else None
        if got != json.loads(json.dumps(wanted)):
            print("seed %d, line %d of %s\n  asked  %s\n  wanted %s\n  got    %s" %
                  (seed, number + 1, story.settings, line, json.dumps(wanted), json.dumps(got)))
            return False
        for name in (wanted.get("raises") or wanted["action"], "synced %s" % wanted.get("synced")):
            met[name] = met.get(name, 0) + 1
    if done.returncode != 0 or done.stderr or len(story.answers) != len(answers):
        print("seed %d: exit code %d, %d answers instead of %d: %s" %
              (seed, done.returncode, len(answers), len(story.answers), done.stderr))
        return False
    return True


EXPECTED = ["KEEP_ALIVE", "ADD_TO_PARTICIPANTS", "ADD_TO_WAIT_LIST", "ADD_TO_REDUNDANCY_LIST",
            "REMOVE_FROM_PARTICIPANTS", "REMOVE_FROM_WAIT_LIST", "REMOVE_FROM_REDUNDANCY_LIST",
            "MARK_RENDEZVOUS_COMPLETE", "MARK_RENDEZVOUS_CLOSED", "SYNC", "FINISH", "RendezvousClosedError",
            "RendezvousTimeoutError", "RendezvousGracefulExitError", "RendezvousStateError", "synced True",
            "synced False", "synced None"]


def main():
    story, met, replay = 200, {}, os.environ.get("MUSTER_SEED")
    muster = sys.argv[1]
    steps = story if replay else int(sys.argv[2]) if len(sys.argv) > 2 else 60000
    first = int(replay) if replay else int(sys.argv[3]) if len(sys.argv) > 3 else 1
    for seed in range(first, first + max(1, steps // story)):
        if not compare(muster, seed, story, met):
            print("replay with MUSTER_SEED=%d" % seed)
            return 1
    missing = [name for name in EXPECTED if name not in met] if steps >= 60000 else []
    print("%d steps agree: %s" % (sum(n for name, n in met.items() if not name.startswith("synced")), met))
    if missing:
        print("never met: %s" % missing)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
