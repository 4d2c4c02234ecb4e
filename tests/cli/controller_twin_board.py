# SPDX-License-Identifier: Apache-2.0
"""Of the naive controller: what listeners and queries see (R17, R18, R21)."""
import copy

TOPICS = ["BACKEND_CONFIGS", "REPLICA_HANDLES", "ROUTE_TABLE", "TRAFFIC_POLICIES"]


class Refused(Exception):
    pass


class Crash(Exception):
    pass


class Random:
    """A snapshot: its id begins somewhere, which is learned from the first answer that names it."""

    def __init__(self, value):
        self.begin, self.changes = [None], 0  # A list, so that copies learn it together.
        self.value = copy.deepcopy(value)

    def number(self):
        return None if self.begin[0] is None else self.begin[0] + self.changes


class Board:
    def view(self, key):
        topic, mark, tag = key.partition(":")
        s = self.state
        if topic == "BACKEND_CONFIGS":
            entries = {t: b["config"] for t, b in s["backends"].items()}
        elif topic == "REPLICA_HANDLES":
            entries = {t: self.handles(t) for t in s["replicas"] if self.handles(t)}
            if mark and tag in s["backends"]:
                return self.handles(tag)
        elif topic == "ROUTE_TABLE":
            entries = {n: {k: e[k] for k in ("route", "methods")} for n, e in s["endpoints"].items()}
        else:
            entries = {n: {k: e[k] for k in ("traffic", "shadows")} for n, e in s["endpoints"].items()}
        return entries.get(tag) if mark else entries

    def publish(self, keys):
        for key in keys:
            value = self.view(key)
            if value is None:
                self.board.pop(key, None)
            elif key in self.board:
                self.board[key].changes += 1
                self.board[key].value = copy.deepcopy(value)
            else:
                self.board[key] = Random(value)
        for line in sorted(self.listen_calls):
            told = self.outdated(self.listen_calls[line])
            if told and any(key in keys for key in self.listen_calls[line]):
                del self.listen_calls[line]
                self.then.append({"line": line, "result": told})

    def outdated(self, keys):
        """R17. What is told of a key: its contents, and its id."""
        told = {}
        for key, seen in keys.items():
            if key in self.board and self.board[key].number() != seen:
                told[key] = {"object_snapshot": self.board[key].value, "snapshot_id": copy.copy(self.board[key])}
            elif key not in self.board and seen >= 2 ** 32:
                told[key] = {"object_snapshot": None, "snapshot_id": -1}
        return told

    # --- R21, and what the world is told
    def do_get_backend_config(self, name, call, answer):
        answer["result"] = self.view("BACKEND_CONFIGS:" + call["backend_tag"])
        if answer["result"] is None:
            answer["error"] = "Backend %s is not registered." % call["backend_tag"]

    def do_get_all_backends(self, name, call, answer):
        answer["result"] = self.view("BACKEND_CONFIGS")

    def do_get_all_endpoints(self, name, call, answer):
        answer["result"] = self.state["endpoints"]

    def do_get_replica_handles(self, name, call, answer):
        answer["result"] = self.view("REPLICA_HANDLES")

    def do_get_http_proxies(self, name, call, answer):
        answer["result"] = {"node0": "gate:node0"} if self.gate else {}

    def do_num_pending_goals(self, name, call, answer):
        answer["result"] = len(self.state["pending"])

    def do_fail_next_scale(self, name, call, answer):
        self.fail_scale = True

    def do_fail_next_checkpoint(self, name, call, answer):
        self.fail_disk = True

    def do_set_room(self, name, call, answer):
        self.room = call["room"]

    def do_kill_replica(self, name, call, answer):
        tag, number = call["replica"].rsplit("#", 1)
        answer["result"] = (tag, int(number)) in self.alive
        if answer["result"]:
            self.alive.discard((tag, int(number)))
            self.reports.append(((tag, int(number)), "gone"))
