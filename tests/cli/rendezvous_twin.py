# SPDX-License-Identifier: Apache-2.0
"""A second, naive rendezvous, written from the acceptance lines T3 to T26: what `muster transcript rendezvous` is
compared with by rendezvous_stories.py."""
import copy

ERRORS = {"ERROR_CLOSED": "RendezvousClosedError", "ERROR_TIMEOUT": "RendezvousTimeoutError"}
CORRUPT = "The rendezvous state is corrupt. See inner exception for details."


class Raised(Exception):
    def __init__(self, name, text):
        super().__init__(name)
        self.name, self.text = name, text


def key_of(name):
    """T3"""
    addr, pid, local_id = name.rsplit("_", 2)
    return addr, int(pid), int(local_id)


def fresh():
    """T5"""
    return {"round": 0, "complete": False, "deadline": None, "closed": False, "participants": {}, "wait_list": [],
            "redundancy_list": [], "last_heartbeats": {}, "old_ranks": {}}


class Store:
    """T4: the stored value is a state, or the word "rubbish", or nothing."""

    def __init__(self):
        self.value, self.version = None, 0

    def put(self, value):
        self.value, self.version = copy.deepcopy(value), self.version + 1


class Member:
    def __init__(self, name, settings, store):
        self.name, self.settings, self.store = name, settings, store
        self.state, self.version, self.dirty, self.read_at = fresh(), None, False, -1

    # --- T6 to T10
    def sync(self, now):
        synced = None
        if self.dirty:
            if self.store.value is None and self.version is not None:
                synced, seen, version = False, self.state, None  # There is no other version to adopt.
            else:
                synced = self.store.version == self.version if self.store.value is not None else True
                if synced:
                    self.store.put(self.state)
                seen, version = self.store.value, self.store.version
        else:
            cache = self.settings["cache"]
            if cache > 0 and self.read_at >= max(now - cache, 0):
                return None
            seen, version = self.store.value, self.store.version
            if seen is None:
                seen, version = fresh(), None
        if seen == "rubbish":
            raise Raised("RendezvousStateError", CORRUPT)
        self.state, self.version, self.dirty, self.read_at = copy.deepcopy(seen), version, False, now
        self.bury(now)
        return synced

    def bury(self, now):
        s, oldest = self.state, now - self.settings["keep_alive_interval"] * self.settings["keep_alive_max_attempt"]
        dead = [n for n, t in s["last_heartbeats"].items() if t < oldest]
        lost = [n for n in dead if n in s["participants"]]
        for n in dead:
            del s["last_heartbeats"][n]
            s["participants"].pop(n, None)
            for which in ("wait_list", "redundancy_list"):
                if n in s[which]:
                    s[which].remove(n)
        if not lost:
            return
        if s["complete"] and s["participants"] and self.settings["replace_dead_participants"]:
            s["round"] += 1
            s["complete"] = False
            s["participants"] = {n: 0 for n in s["participants"]}
            enough = len(s["participants"]) >= self.settings["min_nodes"]
            s["deadline"] = now + self.settings["last_call"] if enough else None
        else:
            self.one_less()

    def one_less(self):
        s = self.state
        if s["complete"]:
            if len(s["participants"]) == 0:
                s["complete"], s["round"] = False, s["round"] + 1
        elif len(s["participants"]) < self.settings["min_nodes"]:
            s["deadline"] = None

    # --- T17 to T26
    def due(self, now):
        beat = self.state["last_heartbeats"].get(self.name)
        return beat is not None and beat <= now - self.settings["keep_alive_interval"]

    def wait(self, now):
        return "KEEP_ALIVE" if self.due(now) else "SYNC"

    def ask_exit(self, now, late):
        if self.name not in self.state["participants"]:
            return "FINISH"
        return "ERROR_TIMEOUT" if late(0) else "REMOVE_FROM_PARTICIPANTS"

    def ask_close(self, now, late):
        if self.state["closed"]:
            return "FINISH"
        return "ERROR_TIMEOUT" if late(0) else "MARK_RENDEZVOUS_CLOSED"

    def ask_keep_alive(self, now, late):
        if not self.due(now):
            return "FINISH"
        return "ERROR_TIMEOUT" if late(0) else "KEEP_ALIVE"

    def ask_join(self, now, late):
        s, me, most = self.state, self.name, self.settings["max_nodes"]
        inside, count = me in s["participants"], len(s["participants"])
        if s["closed"]:
            if me in s["redundancy_list"]:
                raise Raised("RendezvousGracefulExitError",
                             "The rendezvous '%s' is closed, terminating pending rendezvous." % self.settings["run_id"])
            return "ERROR_CLOSED"
        if me in s["redundancy_list"]:
            return self.wait(now) if count == most else "REMOVE_FROM_REDUNDANCY_LIST"
        if inside and s["complete"]:
            return "FINISH"
        if late(0):
            if not late(5) and inside:
                return "REMOVE_FROM_PARTICIPANTS"
            if not late(5) and me in s["wait_list"]:
                return "REMOVE_FROM_WAIT_LIST"
            return "ERROR_TIMEOUT"
        if s["complete"]:
            if count < most and me not in s["wait_list"]:
                return "ADD_TO_WAIT_LIST"
            if count >= most and me not in s["wait_list"] and me not in s["redundancy_list"]:
                return "ADD_TO_REDUNDANCY_LIST"
        elif inside:
            called = s["deadline"] is not None and s["deadline"] < now
            if self.settings["min_nodes"] <= count <= most and called:
                return "MARK_RENDEZVOUS_COMPLETE"
        else:
            return "ADD_TO_PARTICIPANTS"
        return self.wait(now)

    # --- T13 to T16
    def carry_out(self, action, now):
        s, me, leave = self.state, self.name, False
        if action == "ADD_TO_PARTICIPANTS":
            if me in s["wait_list"]:
                s["wait_list"].remove(me)
            s["participants"][me] = 0
        elif action == "ADD_TO_WAIT_LIST":
            if me in s["redundancy_list"]:
                s["redundancy_list"].remove(me)
            s["wait_list"].append(me)
        elif action == "ADD_TO_REDUNDANCY_LIST":
            s["redundancy_list"].append(me)
        elif action == "REMOVE_FROM_PARTICIPANTS":
            del s["participants"][me]
            leave = True
        elif action == "REMOVE_FROM_WAIT_LIST":
            s["wait_list"].remove(me)
            leave = True
        elif action == "REMOVE_FROM_REDUNDANCY_LIST":
            s["redundancy_list"].remove(me)
            leave = True
        elif action == "MARK_RENDEZVOUS_COMPLETE":
            self.complete()
        elif action == "MARK_RENDEZVOUS_CLOSED":
            s["closed"] = True
        if leave:
            del s["last_heartbeats"][me]
            if action == "REMOVE_FROM_PARTICIPANTS":
                self.one_less()
        elif action.startswith("ADD_TO") or action == "KEEP_ALIVE":
            s["last_heartbeats"][me] = now
        if action == "ADD_TO_PARTICIPANTS":
            if len(s["participants"]) == self.settings["min_nodes"]:
                s["deadline"] = now + self.settings["last_call"]
            if len(s["participants"]) == self.settings["max_nodes"]:
                self.complete()
        self.dirty = True

    def complete(self):
        s = self.state
        s["complete"], s["deadline"] = True, None
        order = sorted(s["participants"], key=key_of)
        if self.settings["slot_order"] == "stable":
            old, size = s["old_ranks"], len(order)
            place = {old[n]: n for n in order if n in old and old[n] < size}
            rest = [n for n in order if n not in old]
            rest += sorted((n for n in order if n in old and old[n] >= size), key=lambda n: -old[n])
            for rank in range(size):
                if rank not in place:
                    place[rank] = rest.pop(0)
            order = [place[rank] for rank in range(size)]
        s["participants"] = {n: rank for rank, n in enumerate(order)}
        s["old_ranks"] = dict(s["participants"])

    def iterate(self, line):
        """T12, once around."""
        now, deadline = line["now"], line.get("deadline")
        try:
            synced = self.sync(now)
            late = lambda grace: deadline is not None and now > deadline + grace
            action = getattr(self, "ask_" + line["op"])(now, late)
        except Raised as raised:
            return {"raises": raised.name, "text": raised.text}
        if action not in ("FINISH", "SYNC") and action not in ERRORS:
            self.carry_out(action, now)
        s = self.state
        answer = {"synced": synced, "action": action, "state": {
            **{k: v for k, v in s.items() if k != "old_ranks"},
            "wait_list": sorted(s["wait_list"], key=key_of),
            "redundancy_list": sorted(s["redundancy_list"], key=key_of)}}
        if action == "REMOVE_FROM_REDUNDANCY_LIST":
            answer["new_deadline"] = now + self.settings["join"]
        if action in ERRORS:
            answer.update(raises=ERRORS[action], text="")
        return copy.deepcopy(answer)
