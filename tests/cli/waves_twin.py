# SPDX-License-Identifier: Apache-2.0
"""A second, naive wave coordinator, written from the acceptance lines V1 to V30 and the source's behaviour: what `muster
transcript waves` with source_timing is compared with by waves_stories.py. It is a loop over sockets: a line puts
messages into them, and is one pass."""

NOT_A_SUBSCRIPTION = "DP Coordinator received unexpected message while waiting for engines to subscribe"
ALL_THERE = "All engine subscriptions received by DP coordinator"


class Crash(Exception):
    """The source's process would end here."""


class Coordinator:
    def __init__(self, settings):
        self.counts = [[0, 0] for _ in range(settings["engines"])]  # V1
        self.stats_ms = settings.get("stats_ms", 100)
        self.coordination = settings.get("coordination", True)
        self.wave, self.running, self.last = 0, False, (-1, -1)
        self.changed, self.snapshot, self.published = False, None, 0
        self.front_socket, self.engine_socket = [], []
        self.missing, self.why_not = None, None  # Subscriptions; nothing: nobody has spoken yet.

    def line(self, line):
        now = int(line["now_ms"])
        if self.missing is None:
            self.missing = len(self.counts) if "subscribe" in line else 0
        if self.why_not:
            return {"error": self.why_not}
        if "subscribe" in line:
            return self.subscription(line["subscribe"], now)
        if line.get("front") is not None:
            self.front_socket.append(line["front"])
        if line.get("engine") is not None:
            self.engine_socket.append(line["engine"])
        self.out = {"engines": [], "front": [], "log": []}
        if self.missing > 0:
            return {**self.out, "next_poll_ms": None}
        try:
            self.poll(now)
        except Crash as crash:
            return {"error": str(crash), **{k: v for k, v in self.out.items() if v}}
        return {**self.out, "next_poll_ms": self.timeout(now)}

    def subscription(self, good, now):
        """V3, V4, V6"""
        nothing = {"engines": [], "front": [], "log": []}
        if self.missing == 0:
            return {**nothing, "next_poll_ms": self.timeout(now)}
        if not good:
            self.why_not = NOT_A_SUBSCRIPTION
            return {"error": self.why_not}
        self.missing -= 1
        if self.missing > 0:
            return {**nothing, "next_poll_ms": None}
        return {"ready": True, **nothing, "log": [ALL_THERE], "next_poll_ms": self.timeout(now)}

    def timeout(self, now):
        """V7, V8"""
        since = now - self.published
        return max(50 if self.snapshot is None else 0, (self.stats_ms if self.changed else 5000) - since)

    def poll(self, now):
        if not self.front_socket and not self.engine_socket:
            return self.periodic(now)
        before = (self.wave, self.running, len(self.out["engines"]))
        changed = False
        if self.front_socket:
            front = self.front_socket.pop(0)
            if "subscribe" in front:
                return None  # V12
            if "scale" in front:
                return self.scale(front["scale"])
            changed = self.wake(*front["wake"])
        if self.engine_socket:
            changed = self.engine(self.engine_socket.pop(0)) or changed
        if changed:
            self.out["front"].append({"counts": None, "wave": self.wave, "running": self.running})  # V26
        else:
            assert before == (self.wave, self.running, len(self.out["engines"]))
        return None

    def periodic(self, now):
        """V9, V10"""
        if self.snapshot is not None:
            counts, self.snapshot = self.snapshot, None
        else:
            counts, self.changed = [list(pair) for pair in self.counts], False
        self.out["front"].append({"counts": counts, "wave": self.wave, "running": self.running})
        self.published = now

    def scale(self, n):
        """V13, V14"""
        had = len(self.counts)
        self.out["log"].append("DPCoordinator scaled %s from %d to %d engines" % ("up" if n > had else "down", had, n))
        if n > had:
            self.counts += [[0, 0] for _ in range(n - had)]
            self.running = False
        else:
            self.counts = self.counts[:n]

    def start(self, wave, exclude):
        self.wave, self.running = wave, True
        self.out["engines"].append({"start_wave": wave, "exclude": exclude})
        return True

    def wake(self, exclude, wave):
        """V15 to V17"""
        if self.running or not self.coordination:
            return False
        return self.start(self.wave, None if wave < self.wave else exclude)

    def engine(self, message):
        index = message["index"]
        if message.get("outputs") or message.get("utility") is not None:  # V18
            raise Crash("engine %d sent outputs to the coordinator: they belong to clients" % index)
        if message.get("stats") is not None:
            self.stats(index, message["stats"])
        if not self.coordination:  # V28
            return False
        done, wanted = message.get("wave_complete"), message.get("start_wave")
        if done is not None:  # V23, V25
            if done < self.wave:
                return False
            self.wave, self.running = done + 1, False
            return True
        if wanted is None or (wanted, not self.running) < (self.wave, True):  # V24
            return False
        return self.start(wanted, index)

    def stats(self, index, stats):
        """V19 to V22"""
        try:
            mine = self.counts[index]
        except IndexError:
            raise Crash("stats of engine %d: there are %d engines" % (index, len(self.counts)))
        step = (stats["wave"], stats["step"])
        if step > self.last:
            if self.changed:
                self.snapshot = [list(pair) for pair in self.counts]
            self.last = step
        elif step < self.last:
            self.out["log"].append("Received stats for out-of-order step (%d, %d) from engine %d (expected > (%d, %d))" %
                                   (*step, index, *self.last))
        mine[:] = [stats["waiting"], stats["running"]]
        self.changed = True
