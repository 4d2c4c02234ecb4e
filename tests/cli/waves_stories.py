#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tells random stories (fronts, engines, silences, resizes) to the naive coordinator of waves_twin.py and to `muster
transcript waves` with source_timing, line by line, until an answer differs.

usage: waves_stories.py MUSTER [STORIES [SEED]]; MUSTER_SEED replays one story
"""
import json
import os
import random
import subprocess
import sys

from waves_twin import Coordinator

LINES = 120


def random_settings(dice):
    settings = {"engines": dice.choice([0, 1, 2, 2, 3, 4, 8])}
    for field, values in (("stats_ms", [0, 1, 20, 60, 100, 1000, 7000]), ("coordination", [True, False]),
                          ("source_timing", [True])):
        if dice.random() < 0.5:
            settings[field] = dice.choice(values)
    if dice.random() < 0.2:
        settings["groups"] = dice.randint(1, 3)
    return settings


class Story:
    """Waves and steps near those that the twin is at, so that stale, present and future ones are all met."""

    def __init__(self, dice):
        self.dice, self.settings = dice, random_settings(dice)
        self.groups = [Coordinator(self.settings) for _ in range(self.settings.get("groups", 1))]
        self.now = dice.choice([1000000, 1000000, 1234567890123])
        self.pauses = dice.choice([[0, 1, 5], [0, 10, 50, 100], [1, 99, 100, 101], [0, 2500, 5000]])
        self.rare = dice.choice([0.002, 0.02, 0.1])  # How often something odd happens.
        self.start_up = [dice.random() < 0.3 for _ in self.groups]

    def line(self):
        dice = self.dice
        self.now += dice.choice(self.pauses)
        if dice.random() < self.rare / 4:
            self.now -= dice.choice([1, 60, 3000])  # Somebody has set the clock.
        line = {"now_ms": self.now + (0.5 if dice.random() < 0.02 else 0)}
        at = dice.randrange(len(self.groups))
        if len(self.groups) > 1 or dice.random() < 0.05:
            line["group"] = at
        self.fill(line, at)
        return at, line

    def fill(self, line, at):
        dice, twin = self.dice, self.groups[at]
        starting = self.start_up[at] and (twin.missing is None or twin.missing > 0)
        if (starting and dice.random() < 0.8) or dice.random() < self.rare / 4:
            line["subscribe"] = dice.random() > 0.03
        elif not starting and dice.random() < 0.2:
            line["tick"] = True
        elif (twin.front_socket or twin.engine_socket) and dice.random() < 0.3:
            pass  # A poll that finds what the last one has left.
        else:
            both = dice.random()
            if both < 0.4:
                line["front"] = self.front(twin)
            if both > 0.25:
                line["engine"] = self.engine(twin)

    def near(self, wave):
        return wave + self.dice.choice([-2, -1, 0, 0, 0, 0, 1, 2])

    def front(self, twin):
        dice, engines = self.dice, len(twin.counts)
        if dice.random() < self.rare:
            return {"subscribe": dice.random() < 0.5}
        if dice.random() < self.rare:
            return {"scale": dice.choice([engines, engines + 1, engines + 3, max(0, engines - 1), 2, -1])}
        return {"wake": [dice.choice([None] + list(range(engines + 1))), self.near(twin.wave)]}

    def engine(self, twin):
        dice = self.dice
        engine = {"index": dice.randrange(max(1, len(twin.counts)))}
        if dice.random() < self.rare:
            engine["index"] += dice.choice([-5, -1, 1, 7])
        if dice.random() < 0.7:
            wave, step = twin.last
            moved = dice.choice([(wave, step), (wave, step), (wave, step + 1), (wave, step + 1), (wave + 1, 0)])
            if dice.random() < self.rare:
                moved = (wave - dice.randint(0, 1), step - dice.randint(0, 1))
            engine["stats"] = {"waiting": dice.randint(0, 9), "running": dice.randint(0, 9),
                               "wave": moved[0], "step": moved[1]}
        for field in ("wave_complete", "start_wave"):
            if dice.random() < 0.25:
                engine[field] = self.near(twin.wave)
            elif dice.random() < 0.2:
                engine[field] = None
        if dice.random() < self.rare / 3:
            engine[dice.choice(["outputs", "utility"])] = dice.choice([[], [1], None, {"call": 1}])
        return engine


def tell(seed):
    story = Story(random.Random(seed))
    lines, answers = [{"settings": story.settings}], []
    for _ in range(LINES):
        at, line = story.line()
        lines.append(line)
        answers.append(story.groups[at].line(line))
    return lines, answers


def count(met, line, answer):
    names = ["error" if "error" in answer else "ready" if "ready" in answer else "turn"]
    for start in answer.get("engines", []):
        names.append("start, all" if start["exclude"] is None else "start, but one")
    for word in answer.get("front", []):
        names.append("change" if word["counts"] is None else "periodic")
    names += [" ".join(text.split()[:3]) for text in answer.get("log", [])]
    if "front" in line and "engine" in line:
        names.append("together")
    if answer.get("next_poll_ms") == 0:
        names.append("due")
    for name in names:
        met[name] = met.get(name, 0) + 1


def compare(muster, seed, met):
    lines, answers = tell(seed)
    text = "\n".join(json.dumps(line) for line in lines) + "\n"
    done = subprocess.run([muster, "transcript", "waves"], input=text, capture_output=True, text=True, timeout=60)
    given = [json.loads(line) for line in done.stdout.splitlines()]
    for at, wanted in enumerate(answers):
        got = given[at] if at < len(given) else None
        if got != wanted:
            print("seed %d, line %d of %s\n  asked  %s\n  wanted %s\n  got    %s" %
                  (seed, at + 2, lines[0], json.dumps(lines[at + 1]), json.dumps(wanted), json.dumps(got)))
            return False
        count(met, lines[at + 1], wanted)
    code = 2 if any("error" in answer for answer in answers) else 0
    if done.returncode != code or done.stderr or len(given) != len(answers):
        print("seed %d: exit code %d instead of %d, %d answers instead of %d: %s" %
              (seed, done.returncode, code, len(given), len(answers), done.stderr))
        return False
    return True


EXPECTED = ["turn", "ready", "error", "start, all", "start, but one", "change", "periodic", "together", "due",
            "Received stats for", "DPCoordinator scaled up", "DPCoordinator scaled down", "All engine subscriptions"]


def main():
    met, replay, muster = {}, os.environ.get("MUSTER_SEED"), sys.argv[1]
    stories = 1 if replay else int(sys.argv[2]) if len(sys.argv) > 2 else 500
    first = int(replay) if replay else int(sys.argv[3]) if len(sys.argv) > 3 else 1
    for seed in range(first, first + stories):
        if not compare(muster, seed, met):
            print("replay with MUSTER_SEED=%d" % seed)
            return 1
    missing = [name for name in EXPECTED if name not in met] if stories >= 500 else []
    print("%d lines agree: %s" % (stories * LINES, met))
    if missing:
        print("never met: %s" % missing)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
