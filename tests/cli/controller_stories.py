#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tells random stories (calls, waits, faults, crashes at any point) to the naive controller of controller_twin.py and to
`muster transcript controller`, line by line, until an answer differs.

usage: controller_stories.py MUSTER [LINES [SEED]]; MUSTER_SEED replays one story
"""
import json
import os
import random
import subprocess
import sys

from controller_twin import Twin
from controller_twin_board import TOPICS, Random

TAGS, NAMES, STORY = ["a", "b", "c"], ["x", "y"], 150


class Story:
    def __init__(self, seed):
        self.dice, self.twin, self.seen = random.Random(seed), Twin(), {topic: [-1] for topic in TOPICS}
        self.goals = 1

    def config(self):
        config = {}
        if self.dice.random() < 0.8:
            config["num_replicas"] = self.dice.choice([0, 1, 1, 1, 2, 2, 3, 3, 4, 4, 7, 11, -1])
        if self.dice.random() < 0.2:
            config["max_batch_size"] = self.dice.choice([None, 1, 1, 4, 4, 0])
        if self.dice.random() < 0.1:
            config["accepts_batches"] = self.dice.random() < 0.7
        if self.dice.random() < 0.2:
            config["user_config"] = self.dice.choice([None, {"k": 1}, [1, 2], "text"])
        return config

    def traffic(self):
        tags = self.dice.sample(TAGS, self.dice.choice([0, 1, 1, 1, 1, 1, 2, 2, 3]))
        return {tag: weight for tag, weight in zip(tags, self.dice.choice([[1.0], [1.0], [1.0], [0.5, 0.5], [0.25, 0.75], [0.5, 0.25, 0.25],
                                                                          [1.5, -0.5], [1.0, 0.0, 0.0]]))}

    def line(self):
        dice = self.dice
        if not self.twin.up and dice.random() < 0.7:
            return {"cmd": "crash_and_recover"}
        tag, name = dice.choice(TAGS), dice.choice(NAMES)
        kind = dice.choices(["tick", "create_backend", "update_backend_config", "delete_backend", "create_endpoint",
                             "delete_endpoint", "set_traffic", "shadow_traffic", "wait_for_goal", "listen_for_change",
                             "query", "kill_replica", "fault", "crash_and_recover", "shutdown"],
                            [30, 16, 8, 4, 8, 3, 6, 7, 8, 10, 6, 3, 3, 4, 0.4])[0]
        call = {
            "tick": lambda: {},
            "create_backend": lambda: {"backend_tag": tag, "backend_config": self.config(),
                                       "replica_config": dice.choice(["f", "f", "f", {"func_or_class": "g"}])},
            "update_backend_config": lambda: {"backend_tag": tag, "config_options": self.config()},
            "delete_backend": lambda: {"backend_tag": tag, "force_kill": dice.random() < 0.3},
            "create_endpoint": lambda: {"endpoint": name, "traffic_dict": self.traffic(),
                                        "route": dice.choice([None, "/" + name, "/" + name, "/x"]),
                                        "methods": dice.choice([["GET"], ["GET"], ["GET", "POST"]])},
            "delete_endpoint": lambda: {"endpoint": name},
            "set_traffic": lambda: {"endpoint_name": name, "traffic_dict": self.traffic()},
            "shadow_traffic": lambda: {"endpoint_name": name, "backend_tag": tag,
                                       "proportion": dice.choice([0, 0.5, 1.0])},
            "wait_for_goal": lambda: {"goal_id": "g%d" % dice.randint(max(1, self.goals - 2), self.goals + 1)},
            "listen_for_change": lambda: {"keys_to_snapshot_ids": self.keys()},
            "crash_and_recover": lambda: {}, "shutdown": lambda: {}, "query": None, "kill_replica": None, "fault": None}
        if kind == "query":
            which = dice.choice(["get_backend_config", "get_all_backends", "get_all_endpoints", "get_replica_handles",
                                 "get_http_proxies", "num_pending_goals"])
            return {"cmd": which, **({"backend_tag": tag} if which == "get_backend_config" else {})}
        if kind == "kill_replica":
            names = sorted("%s#%d" % one for one in self.twin.alive) + ["nobody#1"]
            return {"cmd": kind, "replica": dice.choice(names)}
        if kind == "fault":
            return dice.choice([{"cmd": "fail_next_scale"}, {"cmd": "fail_next_checkpoint"},
                                {"cmd": "set_room", "room": dice.choice([None, None, 0, 2])}])
        line = {"cmd": kind, **call[kind]()}
        if kind not in ("wait_for_goal", "listen_for_change") and dice.random() < 0.08:
            line["crash_after"] = dice.randint(0, 4)
        return line

    def keys(self):
        keys = TOPICS + ["%s:%s" % (topic, tag) for topic in TOPICS[:2] for tag in TAGS] + ["TRAFFIC_POLICIES:x", "nobody"]
        chosen = self.dice.sample(keys, self.dice.choice([1, 1, 2, 3]))
        known = {}
        for key in chosen:
            known[key] = self.seen.get(key, [-1])[-1] if self.dice.random() < 0.8 else self.dice.choice(
                self.seen.get(key, [-1]) + [-1])
        return known

    def learn(self, wanted, got):
        """Ids are random: where the twin does not know one, it believes the first that it is told."""
        pairs = [(wanted.get("result"), got.get("result"))]
        pairs += [(one["result"], other.get("result")) for one, other in zip(wanted.get("then", []), got.get("then", []))]
        for one, other in pairs:
            if not isinstance(one, dict) or not isinstance(other, dict):
                continue
            for key, told in one.items():
                if not isinstance(told, dict) or "snapshot_id" not in told or key not in other:
                    continue
                if isinstance(told["snapshot_id"], Random):
                    told["snapshot_id"] = self.learned(told["snapshot_id"], other[key].get("snapshot_id"))
                self.seen.setdefault(key, [-1]).append(told["snapshot_id"])


    @staticmethod
    def learned(known, told):
        if known.begin[0] is None and isinstance(told, int) and 2 ** 32 <= told < 2 ** 53:
            known.begin[0] = told - known.changes
        return known.number()


def plain(answer):
    return {k: v for k, v in answer.items() if k not in ("effects", "warnings")}


def compare(muster, seed, lines, met):
    story = Story(seed)
    with subprocess.Popen([muster, "transcript", "controller"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                          bufsize=1) as talk:
        for number in range(1, lines + 1):
            line = story.line()
            talk.stdin.write(json.dumps(line) + "\n")
            talk.stdin.flush()
            text = talk.stdout.readline()
            got = plain(json.loads(text)) if text else {}
            wanted = story.twin.answer(line)
            story.learn(wanted, got)
            wanted = json.loads(json.dumps(wanted))
            if got != wanted:
                print("seed %d, line %d\n  asked  %s\n  wanted %s\n  got    %s" %
                      (seed, number, json.dumps(line), json.dumps(wanted), json.dumps(got)))
                talk.kill()
                return False
            if wanted["goal"]:
                story.goals = int(wanted["goal"][1:])
            for name in [line["cmd"] + (" refused" if wanted["error"] else "")] + wanted["order"] + (
                    ["then"] if "then" in wanted else []):
                name = name.split(":")[0] if name.startswith("kill_") else name
                met[name] = met.get(name, 0) + 1
        talk.stdin.close()
        code = talk.wait(30)
    if code != 0:
        print("seed %d: exit code %d" % (seed, code))
    return code == 0


EXPECTED = ["tick", "create_backend", "create_backend refused", "update_backend_config", "update_backend_config refused",
            "delete_backend", "delete_backend refused", "create_endpoint", "create_endpoint refused", "delete_endpoint",
            "set_traffic", "set_traffic refused", "shadow_traffic", "shadow_traffic refused", "wait_for_goal",
            "listen_for_change", "crash_and_recover", "shutdown", "shutdown refused", "tick refused", "checkpoint", "then",
            "kill_proxy", "kill_replica", "delete_checkpoint"] + ["push:" + topic for topic in TOPICS]


def main():
    met, replay = {}, os.environ.get("MUSTER_SEED")
    muster = sys.argv[1]
    lines = STORY if replay else int(sys.argv[2]) if len(sys.argv) > 2 else 30000
    first = int(replay) if replay else int(sys.argv[3]) if len(sys.argv) > 3 else 1
    for seed in range(first, first + max(1, lines // STORY)):
        if not compare(muster, seed, STORY, met):
            print("replay with MUSTER_SEED=%d" % seed)
            return 1
    missing = [name for name in EXPECTED if name not in met] if lines >= 30000 else []
    print("%d lines agree: %s" % (max(1, lines // STORY) * STORY, met))
    if missing:
        print("never met: %s" % missing)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
