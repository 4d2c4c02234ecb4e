# SPDX-License-Identifier: Apache-2.0
"""A second, naive controller, written from the acceptance lines R1 to R21 and section "Controller" of DESIGN.md: what
`muster transcript controller` is compared with by controller_stories.py. Its checkpoint is a copy of everything."""
import copy

from controller_twin_board import TOPICS, Board, Crash, Random, Refused
from controller_twin_loop import Loop

DEFAULTS = {"num_replicas": 1, "max_batch_size": None, "batch_wait_timeout": 0.0, "max_concurrent_queries": None,
            "user_config": None, "graceful_shutdown_wait_loop_s": 2.0, "graceful_shutdown_timeout_s": 20.0,
            "accepts_batches": True, "autoscaling_config": None}


def fresh():
    """backends: tag -> config, program, version. replicas: tag -> number -> phase, version. goals: number -> ended"""
    return {"backends": {}, "endpoints": {}, "replicas": {}, "goals": {}, "pending": {}, "last_goal": 0,
            "last_replica": 0, "shutting": False}


class Twin(Board, Loop):
    def __init__(self):
        self.disk, self.alive, self.goal_calls, self.listen_calls = None, set(), {}, {}
        self.room, self.fail_scale, self.fail_disk, self.up = None, False, False, True
        self.line, self.crash_after, self.order, self.then = 0, None, [], []
        self.start()

    # --- what can be seen, in order
    def enter(self, what):
        if self.crash_after is not None and len(self.order) >= self.crash_after:
            raise Crash()
        self.order.append(what)

    def checkpoint(self):
        if self.fail_disk:
            self.fail_disk = False
            raise Refused("The checkpoint could not be written (fail_next_checkpoint). Nothing has changed.")
        self.enter("checkpoint")
        self.disk = copy.deepcopy(self.state)

    def push(self, topic, tags):
        self.enter("push:" + topic)
        self.publish([topic] + [topic + ":" + tag for tag in tags])

    def wake(self, goal):
        for line in sorted(self.goal_calls):
            if self.goal_calls[line] == goal:
                del self.goal_calls[line]
                self.then.append({"line": line, "result": True})

    # --- R4, R18, R20: the beginning
    def start(self):
        self.state = copy.deepcopy(self.disk) if self.disk else fresh()
        self.asked, self.reports, self.board, self.over, self.up = set(), [], {}, False, True
        self.gate = False
        if self.state["shutting"]:
            self.end()
        else:
            self.gate = True
            self.push("BACKEND_CONFIGS", sorted(self.state["backends"]))
            self.push("REPLICA_HANDLES", sorted(set(self.state["replicas"]) | set(self.state["backends"])))
            if self.state["endpoints"]:
                self.push("ROUTE_TABLE", sorted(self.state["endpoints"]))
                self.push("TRAFFIC_POLICIES", sorted(self.state["endpoints"]))
            for tag, replicas in sorted(self.state["replicas"].items()):
                for number, one in sorted(replicas.items()):
                    if one["phase"] in ("running", "to_stop") and (tag, number) not in self.alive:
                        self.reports.append(((tag, number), "gone"))
        for topic in TOPICS:
            self.board.setdefault(topic, Random(self.view(topic)))

    def end(self):
        self.enter("kill_proxy:node0")
        for tag, replicas in sorted(self.state["replicas"].items()):
            for number in sorted(replicas):
                self.enter("kill_replica:%s#%d" % (tag, number))
                self.alive.discard((tag, number))
        self.enter("delete_checkpoint")
        self.disk, self.state, self.over, self.gate = None, fresh(), True, False
        self.asked, self.reports = set(), []
        for line in sorted(self.goal_calls, key=lambda one: (self.goal_calls[one], one)):
            self.then.append({"line": line, "result": True})
        self.goal_calls = {}

    # --- the calls
    def scaling(self):
        failed, self.fail_scale = self.fail_scale, False
        if failed:
            raise Refused("The scaling step failed (fail_next_scale).")

    def live(self, tag, *phases):
        return [n for n, one in sorted(self.state["replicas"].get(tag, {}).items()) if one["phase"] in phases]

    def handles(self, tag):
        return ["%s#%d" % (tag, n) for n in self.live(tag, "running", "to_stop")]

    def start_more(self, tag, count, version):
        for _ in range(count):
            self.state["last_replica"] += 1
            self.state["replicas"].setdefault(tag, {})[self.state["last_replica"]] = {"phase": "to_start",
                                                                                      "version": version}

    def stop_some(self, tag, numbers):
        for number in numbers:
            one = self.state["replicas"][tag][number]
            one["phase"] = {"running": "to_stop", "to_start": "stopping"}.get(one["phase"], one["phase"])

    def goal(self, tag):
        """R9. The new one, and the one that it replaces."""
        s = self.state
        old = s["pending"].get(tag)
        s["last_goal"] += 1
        s["pending"][tag] = s["last_goal"]
        s["goals"][s["last_goal"]] = False
        if old:
            s["goals"][old] = True
        return s["last_goal"], old

    def set_backend(self, tag, config, program):
        self.scaling()
        s = self.state
        known = s["backends"].get(tag)
        version = known["version"] + (known["program"] != program) if known else 1
        starting, running = self.live(tag, "to_start"), self.live(tag, "running")
        missing = config["num_replicas"] - len(starting) - len(running)
        if self.room is not None and missing > self.room:
            raise Refused("Cannot scale backend %s to %d replicas: %d would have to be started and there is room for "
                          "%d. Ask for fewer replicas or add standbys." %
                          (tag, config["num_replicas"], missing, self.room))
        goal, old = self.goal(tag)
        s["backends"][tag] = {"config": config, "program": program, "version": version}
        if missing > 0:
            self.start_more(tag, missing, version)
        elif missing < 0:
            self.stop_some(tag, (starting[::-1] + running[::-1])[:-missing])
        self.checkpoint()
        self.push("BACKEND_CONFIGS", [tag])
        if old:
            self.wake(old)
        return goal

    def validate(self, config):
        if config["num_replicas"] < 0:
            raise Refused("Number of replicas must be greater than or equal to 0.")
        if config["max_batch_size"] is not None and config["max_batch_size"] < 1:
            raise Refused("max_batch_size must be greater than 0.")
        if not config["accepts_batches"] and (config["max_batch_size"] or 1) > 1:
            raise Refused("max_batch_size is set in config but the function or method does not accept batching.")

    def create_backend(self, backend_tag, backend_config, replica_config):
        config = {**DEFAULTS, **backend_config}
        self.validate(config)
        known = self.state["backends"].get(backend_tag)
        if known and known["config"] == config and known["program"] == replica_config:
            return None
        return self.set_backend(backend_tag, config, replica_config)

    def update_backend_config(self, backend_tag, config_options):
        if backend_tag not in self.state["backends"]:
            raise Refused("Backend %s is not registered." % backend_tag)
        known = self.state["backends"][backend_tag]
        config = {**known["config"], **config_options}
        self.validate(config)
        return self.set_backend(backend_tag, config, known["program"])

    def delete_backend(self, backend_tag, force_kill=False):
        s = self.state
        if backend_tag not in s["backends"]:
            return None
        for name in sorted(s["endpoints"]):
            if backend_tag in s["endpoints"][name]["traffic"] or backend_tag in s["endpoints"][name]["shadows"]:
                raise Refused("Backend '%s' is used by endpoint '%s' and cannot be deleted. Please remove the backend "
                              "from all endpoints and try again." % (backend_tag, name))
        self.scaling()
        goal, old = self.goal(backend_tag)
        del s["backends"][backend_tag]
        self.stop_some(backend_tag, self.live(backend_tag, "to_start", "running"))
        self.checkpoint()
        self.publish(["BACKEND_CONFIGS:" + backend_tag])
        if not self.handles(backend_tag):
            self.publish(["REPLICA_HANDLES:" + backend_tag])
        if old:
            self.wake(old)
        return goal

    def check_traffic(self, traffic):
        for backend in traffic:
            if backend not in self.state["backends"]:
                raise Refused("Attempted to assign traffic to a backend '%s' that is not registered." % backend)
        for backend, weight in traffic.items():
            if weight < 0:
                raise Refused("Attempted to assign a weight of %s to backend '%s'. Weights cannot be negative." %
                              (float(weight), backend))
        if abs(sum(traffic.values()) - 1) > 1e-8:
            raise Refused("Traffic dictionary weights must sum to 1, currently they sum to %s" %
                          float(sum(traffic.values())))

    def create_endpoint(self, endpoint, traffic_dict, route, methods):
        self.check_traffic(traffic_dict)
        ends, place = self.state["endpoints"], route if route is not None else endpoint
        for name, one in sorted(ends.items()):
            if (one["route"] if one["route"] is not None else name) == place:
                if name == endpoint and one["methods"] == methods:
                    return None
                raise Refused("Cannot create endpoint. Route '%s' is already registered." % place)
        if endpoint in ends:
            raise Refused("Cannot create endpoint. Endpoint '%s' is already registered." % endpoint)
        ends[endpoint] = {"route": route, "methods": methods, "traffic": dict(traffic_dict), "shadows": {}}
        self.changed_endpoint(endpoint, True)

    def changed_endpoint(self, name, route_too):
        self.checkpoint()
        if route_too:
            self.push("ROUTE_TABLE", [name])
        self.push("TRAFFIC_POLICIES", [name])

    def delete_endpoint(self, endpoint):
        if self.state["endpoints"].pop(endpoint, None):
            self.changed_endpoint(endpoint, True)

    def set_traffic(self, endpoint_name, traffic_dict):
        self.check_traffic(traffic_dict)
        if endpoint_name not in self.state["endpoints"]:
            raise Refused("Attempted to assign traffic for an endpoint '%s' that is not registered." % endpoint_name)
        self.state["endpoints"][endpoint_name].update(traffic=dict(traffic_dict), shadows={})
        self.changed_endpoint(endpoint_name, False)

    def shadow_traffic(self, endpoint_name, backend_tag, proportion):
        if backend_tag not in self.state["backends"]:
            raise Refused("Attempted to shadow traffic to a backend '%s' that is not registered." % backend_tag)
        if endpoint_name not in self.state["endpoints"]:
            raise Refused("Attempted to shadow traffic from an endpoint '%s' that is not registered." % endpoint_name)
        shadows = self.state["endpoints"][endpoint_name]["shadows"]
        shadows.pop(backend_tag, None)
        if proportion:
            shadows[backend_tag] = proportion
        self.changed_endpoint(endpoint_name, False)

    def shutdown(self):
        self.state["shutting"] = True
        self.checkpoint()
        self.end()

    # --- one line
    def answer(self, line):
        self.line += 1
        self.order, self.then, self.crash_after = [], [], line.get("crash_after")
        call = {k: v for k, v in line.items() if k not in ("cmd", "crash_after")}
        answer = {"result": None, "goal": None, "error": None}
        if not self.up and line["cmd"] != "crash_and_recover":
            answer["error"] = "The controller is down: crash_and_recover comes next."
            return {**answer, "order": []}
        before = copy.deepcopy(self.state)
        try:
            getattr(self, "do_" + line["cmd"], self.do_call)(line["cmd"], call, answer)
        except Refused as refused:
            answer["error"] = str(refused)
            if line["cmd"] != "tick":
                self.state = before
        except Crash:
            answer.update(goal=None, error="The controller has crashed (crash_after).")
            self.up = False
        answer["order"] = self.order
        if self.then:
            answer["then"] = self.then
        return answer

    def do_call(self, name, call, answer):
        self.over_was, self.over = self.over, False
        last = len(self.order), self.state["last_goal"]
        try:
            goal = getattr(self, name)(**call)
        finally:
            if not self.order and self.over_was:
                self.over = True
        answer["goal"] = "g%d" % goal if goal else None

    def do_tick(self, name, call, answer):
        self.tick()

    def do_crash_and_recover(self, name, call, answer):
        listens, goals, self.listen_calls, self.goal_calls = self.listen_calls, self.goal_calls, {}, self.goal_calls
        try:
            self.start()
        finally:
            self.listen_calls = listens
        for line in sorted(self.goal_calls):
            if self.state["goals"].get(self.goal_calls[line], True):
                del self.goal_calls[line]
                self.then.append({"line": line, "result": True})
        for line in sorted(self.listen_calls):
            told = self.outdated(self.listen_calls[line])
            if told:
                del self.listen_calls[line]
                self.then.append({"line": line, "result": told})

    def do_wait_for_goal(self, name, call, answer):
        goal = int(call["goal_id"][1:])
        if self.state["goals"].get(goal, True):
            answer["result"] = True
        else:
            self.goal_calls[self.line] = goal
            answer["waits"] = True

    def do_listen_for_change(self, name, call, answer):
        told = self.outdated(call["keys_to_snapshot_ids"])
        if told:
            answer["result"] = told
        else:
            self.listen_calls[self.line] = call["keys_to_snapshot_ids"]
            answer["waits"] = True
