# SPDX-License-Identifier: Apache-2.0
"""Of the naive controller: a turn of its control loop (R10, R13, R19)."""
import copy

from controller_twin_board import Refused


class Loop:
    def tick(self):
        if self.over:
            return
        self.gate = True
        before = copy.deepcopy(self.state)
        self.fold()
        done = [goal for tag, goal in sorted(self.state["pending"].items()) if self.reached(tag)]
        for goal in done:
            self.state["goals"][goal] = True
        self.state["pending"] = {t: g for t, g in self.state["pending"].items() if g not in done}
        self.reconcile()
        for tag in self.state["replicas"]:
            for one in self.state["replicas"][tag].values():
                one["phase"] = "stopping" if one["phase"] == "to_stop" else one["phase"]
        self.safe_then_push(before, done)
        for tag, replicas in sorted(self.state["replicas"].items()):
            for number, one in sorted(replicas.items()):
                self.act((tag, number), one["phase"])
        if any(kind == "started" for _, kind in self.reports):
            before = copy.deepcopy(self.state)
            self.fold()
            self.safe_then_push(before, [])

    def safe_then_push(self, before, done):
        now = self.state
        if now != before:
            handled = self.reports  # A turn that cannot be written has not happened.
            try:
                self.checkpoint()
            except Refused:
                self.state, self.reports = before, self.folded
                raise
            self.reports = handled
        tags = set(before["replicas"]) | set(now["replicas"])
        names = lambda s, tag: [n for n, one in s["replicas"].get(tag, {}).items() if one["phase"] in ("running", "to_stop")]
        changed = sorted(tag for tag in tags if sorted(names(before, tag)) != sorted(names(now, tag)))
        if changed:
            self.push("REPLICA_HANDLES", changed)
        for goal in done:
            self.wake(goal)

    def fold(self):
        self.folded, self.reports = self.reports, []
        gone = set()
        for (tag, number), kind in self.folded:
            one = self.state["replicas"].get(tag, {}).get(number)
            if kind == "gone":
                gone.add((tag, number))
            elif one and one["phase"] == "to_start":
                one["phase"] = "running"
        for tag, number in gone:
            self.state["replicas"].get(tag, {}).pop(number, None)
        self.state["replicas"] = {t: r for t, r in self.state["replicas"].items() if r}

    def reached(self, tag):
        backend = self.state["backends"].get(tag)
        if not backend or backend["config"]["num_replicas"] == 0:
            return not self.state["replicas"].get(tag)
        running = [one for one in self.state["replicas"].get(tag, {}).values() if one["phase"] in ("running", "to_stop")]
        return len(running) == backend["config"]["num_replicas"] and all(
            one["version"] == backend["version"] for one in running)

    def reconcile(self):
        room = self.room if self.room is not None else 10 ** 9
        for tag, backend in sorted(self.state["backends"].items()):
            wanted, version = backend["config"]["num_replicas"], backend["version"]
            replicas = self.state["replicas"].get(tag, {})
            pick = lambda phase, new: [n for n, one in sorted(replicas.items(), reverse=True) if one["phase"] == phase
                                       and (one["version"] == version) == new]
            old = pick("to_start", False) + pick("running", False)
            running, starting = pick("running", True), pick("to_start", True)
            if not old:
                more = min(wanted - len(running) - len(starting), room)
                self.stop_some(tag, (starting + running)[:max(0, len(running) + len(starting) - wanted)])
            else:
                batch = max(1, wanted // 5)
                needed = max(0, wanted - len(running) - len(starting))
                more = min(needed, max(0, batch - len(starting)), room)
                extra = min(len(old), max(0, len(old) + len(running) - wanted))
                if needed and not more and not starting and not extra:
                    extra = min(len(old), max(0, batch - max(0, wanted - len(old) - len(running))))
                self.stop_some(tag, old[:extra])
            self.start_more(tag, more, version)
            room -= max(0, more)

    def act(self, name, phase):
        if phase not in ("to_start", "stopping") or (name, phase) in self.asked:
            return
        self.asked.add((name, phase))
        if phase == "to_start":
            self.alive.add(name)
            self.reports.append((name, "started"))
        else:
            self.alive.discard(name)
            self.reports.append((name, "gone"))
