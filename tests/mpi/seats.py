#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Replicas of two engines each come and go in a job of 8 processes, and somebody is killed meanwhile.
Called as harness.py says. The programs are seater.cpp; what they want is written to a file that they read."""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from harness import BIN, MPIRUN, TESTS, Failure, main, scenario
from members import Members

MEMBERS, UNIT, DEADLINE = 8, 2, 60


def expect(condition, what):
    if not condition:
        raise Failure(what)


class Job:
    """A running job and what its members have said so far."""

    def __init__(self, *options):
        self.folder = tempfile.mkdtemp(prefix="muster-seats.")
        self.members = Members(self.folder)
        self.dead = set()
        self.want("")
        self.begun = time.monotonic()
        self.output = tempfile.TemporaryFile("w+")
        os.environ["MUSTER_STEWARD"] = "off"  # The seats that are asked for are no controller's.
        command = [os.path.join(BIN, "muster"), "run", "--mpirun", MPIRUN, "-n", str(MEMBERS), "--group-size",
                   str(UNIT), "--controller", *options, "--", os.path.join(TESTS, "seater"), self.folder]
        self.process = subprocess.Popen(command, stdout=self.output, stderr=self.output, text=True,
                                        start_new_session=True)

    def want(self, text):
        path = os.path.join(self.folder, "wanted")
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.rename(path + ".new", path)

    def last(self, rank):
        rounds = [line for line in self.members.lines[rank] if "round" in line]
        return rounds[-1] if rounds else None

    def comes_to(self, seats, after=0):
        """Waits until all live members say the same of a round after `after`: who is which replica (0 idle)."""
        while True:
            expect(self.process.poll() is None, f"muster run ended with {self.process.returncode}")
            expect(time.monotonic() - self.begun < DEADLINE, f"never came to {seats}: {self.view()}")
            self.members.read()
            live = [self.last(rank) for rank in range(MEMBERS) if rank not in self.dead]
            if all(live) and len({line["round"] for line in live}) == 1 and live[0]["round"] > after:
                if self.seats(live) == seats:
                    return self.check(live)
            time.sleep(0.005)

    def view(self):
        return [self.last(rank) for rank in range(MEMBERS)]

    @staticmethod
    def seats(live):
        """By lockstep group, each said by all of its members; None where they differ."""
        by_slot = {line["slot"]: line["replica"] for line in live if line["slot"] is not None}
        world = live[0]["world"]
        if sorted(by_slot) != list(range(len(world))):
            return None
        groups = [{by_slot[slot] for slot in range(first, first + UNIT)} for first in range(0, len(world), UNIT)]
        return [group.pop() if len(group) == 1 else None for group in groups]

    def check(self, live):
        """All say the same, and whoever is not in the world is a standby and no replica."""
        first = live[0]
        for line in live:
            for field in ("world", "standbys", "coordinator"):
                expect(line[field] == first[field], f"{field} differs in round {first['round']}: {live}")
            expect(line["slot"] is not None or line["replica"] == 0, f"a standby is a replica: {line}")
        ranks = sorted(first["world"] + first["standbys"])
        expect(ranks == sorted(set(range(MEMBERS)) - self.dead), f"{ranks} are in round {first['round']}")
        expect(first["coordinator"] == min(first["world"]), f"coordinator {first['coordinator']}")
        return first

    def kill(self, rank):
        os.kill(self.members.pids[rank], signal.SIGKILL)
        self.dead.add(rank)

    def finish(self):
        self.want("end")
        expect(self.process.wait(DEADLINE) == 0, f"muster run ended with {self.process.returncode}")
        self.members.read()
        steps = set()
        for rank in set(range(MEMBERS)) - self.dead:
            end = [line for line in self.members.lines[rank] if "ended" in line]
            expect(end and end[0]["ended"] == "finished" and not end[0]["wrong"], f"rank {rank}: {end}")
            if self.last(rank)["slot"] is not None:
                steps.add((end[0]["step"], end[0]["weight"]))
                expect(end[0]["votes"] > 0, f"rank {rank} has not voted: {end}")
        expect(len(steps) == 1, f"engines have ended differently: {steps}")
        step, weight = steps.pop()
        expect(step > 0 and weight == step * (step + 1) // 2, f"step {step} has weights {weight}")
        return step

    def __enter__(self):
        return self

    def __exit__(self, kind, failure, _):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.output.seek(0)
        text = self.output.read()
        self.output.close()
        if kind is None:
            shutil.rmtree(self.folder)
        elif issubclass(kind, Failure):
            raise Failure(f"{failure} ({self.folder})\n{text[-6000:]}") from None


def one_three_two(victim_of):
    """1 -> 3 -> 2 replicas. `victim_of`: whom of the world of three to kill."""
    with Job() as job:
        first = job.comes_to([0])
        expect(first["world"] == [0, 1] and first["round"] == 1, f"the first world: {first}")
        job.want("11")
        expect(job.comes_to([11])["world"] == [0, 1], "the first replica takes the idle group")
        job.want("11 12 13")
        three = job.comes_to([11, 12, 13])
        expect(three["world"] == [0, 1, 2, 3, 4, 5], f"{three}")
        victim = victim_of(three)
        job.kill(victim)
        refilled = job.comes_to([11, 12, 13], three["round"])
        expect(refilled["world"] == [6 if rank == victim else rank for rank in three["world"]], f"{refilled}")
        job.want("12 13")
        two = job.comes_to([13, 12])
        expect(two["world"] == refilled["world"][4:] + refilled["world"][2:4], f"{two} after {refilled}")
        job.want("12 13 14")
        again = job.comes_to([13, 12, 14])
        expect(again["world"][:4] == two["world"] and set(again["world"][4:]) < set(two["standbys"]), f"{again}")
        print(f"        {job.finish()} steps, {again['round']} rounds", flush=True)


@scenario
def an_engine_is_killed():
    one_three_two(lambda three: three["world"][3])


@scenario
def the_coordinator_is_killed():
    one_three_two(lambda three: three["coordinator"])


@scenario
def a_minimum_keeps_groups_idle_and_too_many_find_no_room():
    with Job("--min", "3") as job:
        expect(job.comes_to([0, 0])["world"] == [0, 1, 2, 3], "3 engines are 2 groups")
        job.want("21 22 23 24")
        job.comes_to([21, 22, 23, 24])
        job.kill(7)
        expect(len(job.comes_to([21, 22, 23])["standbys"]) == 1, "the last replica cannot be refilled")
        job.want("22")
        expect(job.comes_to([0, 22])["world"] == [0, 1, 2, 3], "replica 21 idles where it was")
        job.finish()


if __name__ == "__main__":
    sys.exit(main())
