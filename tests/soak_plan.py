# SPDX-License-Identifier: Apache-2.0
"""What a run of soak.py is: the shape of a job and its faults. The seed and the run's number say all."""
import dataclasses
import random

from fault_jobs import CYCLE

# `hang`: SIGSTOP and nothing after it, so the others have to miss it: evicted, it is a death like the others.
DEATHS = ["kill", "abort", "segv", "exit0", "hang"]
ORDERED = {"hang": "stop"}   # A stop without seconds.
MILD = ["stop", "slow"]
# How a death is placed. `two`: two ranks in one moment; `within`: a second one in the recovery from the first;
# `coordinator`: rank 0, which coordinates at first.
PLACES = ["two", "within", "coordinator"]
# Of an emulated node: its death, its network's for ever (its members must end themselves), its network's for a moment.
NODE_DEATHS = {"node": "node", "dark": "link"}
KINDS = [*DEATHS, *MILD, *PLACES, *NODE_DEATHS, "link"]
# The first round passes these too, so a recovery is their second time. The others are passed in recoveries only.
IN_FIRST_ROUND = ["gathered", "planned", "world_split", "group_split", "built", "agreed", "handed_over"]
IN_RECOVERY = ["noticed", "revoked", "shrunk"]
TRAIN_STEPS, SERVE_REQUESTS, SERVE_RATE = 200, 300, 250
NODES = 6   # In the lab: mpirun and two ranks on n0, the client, where there is one, on the last.


def kind_of(order):
    kind = order.split(":")[0]
    for_ever = order.count(":") == 1
    return {"stop": "hang", "link": "dark"}.get(kind, kind) if for_ever else kind


@dataclasses.dataclass
class Plan:
    number: int
    program: str
    nodes: bool
    engines: int
    standbys: int
    group: int
    walked: bool                     # train: signals lead it through suspend, resume, unpause
    orders: list = dataclasses.field(default_factory=list)
    excuses: set = dataclasses.field(default_factory=set)   # Codes that are right for what may happen here.

    def text(self):
        where = f"{NODES} nodes" if self.nodes else "here"
        return (f"run {self.number}: {self.program} {where}, {self.engines} engines in groups of {self.group}, "
                f"{self.standbys} standbys{', walked' if self.walked else ''}: {'; '.join(self.orders) or 'no faults'}")


class Maker:
    def __init__(self, dice, plan, kinds):
        self.dice, self.plan, self.kinds = dice, plan, kinds
        # The last standby takes the signals of a job that is walked through the states, so it must not die.
        self.victims = list(range(plan.engines + plan.standbys - plan.walked))
        # Those that work at first: a standby that was not promoted yet reaches no step and no state.
        self.first = dice.sample(range(plan.engines), plan.engines)

    def some(self, among):
        return [kind for kind in among if kind in self.kinds]

    def moment(self):
        """A trigger that an engine surely comes to, or that a clock does."""
        plan, dice = self.plan, self.dice
        triggers = [f"time={dice.randint(20, 1500)}ms"]
        if plan.program == "train":
            triggers += [f"step={dice.randrange(5, TRAIN_STEPS - 5)}"] * 2
        if plan.walked or plan.program == "serve":
            triggers += [f"state={dice.choice(CYCLE[:-1])}"] * 2
        if plan.program == "serve":
            point = f"{dice.choice(['send', 'sent', 'got'])}.{dice.choice(['tell', 'deliver', 'reply', 'wake', 'resync'])}"
            triggers.append(f"point={point}#{dice.randint(1, 9)}")
            triggers.append(f"point={dice.choice(['before', 'inside', 'after'])}.{dice.choice(['pausing', 'suspending', 'resuming'])}")
        return dice.choice(triggers)

    def take(self):
        rank = self.first.pop() if self.first else self.dice.choice(self.victims)
        self.victims.remove(rank)
        return rank

    def die(self, rank, when):
        kind = self.dice.choice(self.some(DEATHS))
        self.plan.orders.append(f"{ORDERED.get(kind, kind)}:rank={rank}@{when}")

    def deaths(self, count):
        places = self.some(PLACES)
        while count > 0 and self.victims:
            place = self.dice.choice([*places, "one", "one"])
            if place == "coordinator" and 0 in self.victims:
                self.victims.remove(0)
                self.first = [rank for rank in self.first if rank != 0]
                self.die(0, self.moment())
            elif place == "two" and count > 1:
                when = f"step={self.dice.randrange(5, TRAIN_STEPS - 5)}" if self.plan.program == "train" else \
                    f"time={self.dice.randint(20, 1500)}ms"
                self.die(self.take(), when)
                self.die(self.take(), when)
                count -= 1
            elif place == "within" and count > 1:
                self.die(self.take(), self.moment())
                points = IN_RECOVERY + [f"{point}#2" for point in IN_FIRST_ROUND]
                self.die(self.take(), f"point={self.dice.choice(points)}")
                count -= 1
            else:
                self.die(self.take(), self.moment())
            count -= 1

    def mild(self):
        for kind in self.some(MILD):
            if self.dice.random() < 0.4:
                amount = f"{self.dice.randint(20, 300)}ms" if kind == "stop" else str(self.dice.randint(1, 5))
                rank = self.dice.randrange(self.plan.engines + self.plan.standbys)
                self.plan.orders.append(f"{kind}:rank={rank}@time={self.dice.randint(20, 1500)}ms:{amount}")

    def nodes(self, count):
        where = range(1, NODES - 1)
        kinds = self.some(NODE_DEATHS)
        for node in self.dice.sample(where, count if kinds else 0):
            what = NODE_DEATHS[self.dice.choice(kinds)]
            self.plan.orders.append(f"{what}:n{node}@time={self.dice.randint(100, 2500)}ms")
        if "link" in self.kinds and self.dice.random() < 0.5:
            self.plan.orders.append(f"link:n{self.dice.choice(where)}@time={self.dice.randint(100, 2000)}ms:"
                                    f"{self.dice.randint(50, 400)}ms")


def plan_of(seed, number, kinds, nodes):
    """`nodes`: emulated ones can be had."""
    dice = random.Random(seed * 100_003 + number)
    program = dice.choice(["train", "serve"])
    on_nodes = dice.random() < 0.25
    if on_nodes and nodes and {*NODE_DEATHS, "link"} & set(kinds):
        # 12 places: 4 engines, and standbys enough for three nodes.
        plan = Plan(number, program, True, 4, 2 * NODES - 4 - (program == "serve"), 2, False)
        Maker(dice, plan, kinds).nodes(dice.randint(1, 3))
    else:
        engines = dice.choice([2, 4]) if program == "serve" else dice.choice([2, 3, 4])
        plan = Plan(number, program, False, engines, dice.randint(1, 4), dice.choice([1, 2] if program == "serve" else [0]),
                    program == "train" and dice.random() < 0.5)
        maker = Maker(dice, plan, kinds)
        maker.deaths(dice.randint(1, plan.standbys) if maker.some(DEATHS) else 0)
        maker.mild()
    # Several deaths may meet a slot and the one who keeps its copy, or all who hold the state, before it is spread
    # again: then stopping is what must happen. Requests are kept by who has sent them.
    if program == "train" and len(plan.orders) > 1:
        plan.excuses.add(14)
    return plan
