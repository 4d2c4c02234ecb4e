# SPDX-License-Identifier: Apache-2.0
"""See soak.sh."""
import argparse
import collections
import os
import re
import subprocess
import sys
import tempfile
import threading
import time

root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(root, "tests", "mpi"))
import fault_jobs as jobs   # noqa: E402
from soak_left import Folders, left_behind, states_of   # noqa: E402
from soak_plan import KINDS, NODES, SERVE_RATE, SERVE_REQUESTS, TRAIN_STEPS, kind_of, plan_of   # noqa: E402

LONG_ROUNDS, LONG_DEATHS = 300, 2
# Of a surviving rank from its 100th round on: KiB (RoundReport's 200 bytes a round are among it, and what Open MPI's
# agreement keeps after a death: seen were 0.9 to 1.6 MiB, 0.1 to 0.2 where nobody dies), descriptors (one may be open just
# then), communicators (those of a round that has ended go a little later; Open MPI keeps some whose collective a revoke
# has cut short: seen were 4 to 20). What leaks in each round grows by more: 200 rounds are looked at.
GROWTH_MAX = [2048, 2, 60]


def options_of():
    options = argparse.ArgumentParser(prog="soak.sh")
    options.add_argument("--minutes", type=float, default=10)
    options.add_argument("--seed", type=int, default=int(time.time()) % 100_000)
    options.add_argument("--only", type=int, help="this run alone; 0 is the long job")
    options.add_argument("--kinds", type=lambda text: text.split(","), default=KINDS)
    options.add_argument("--nodes", choices=["auto", "yes", "no"], default="auto")
    options.add_argument("--bin", default=f"{root}/build/release/bin")
    options.add_argument("--timeout", type=float, default=120)
    options.add_argument("--show", action="store_true", help="a line for each run, too")
    options = options.parse_args()
    if odd := set(options.kinds) - set(KINDS):
        sys.exit(f"soak.sh: --kinds {','.join(odd)}: there are {','.join(KINDS)}")
    return options


class Lab:
    """Emulated nodes with Open MPI 6, a new set for each run."""

    def __init__(self, wanted):
        self.here = os.path.join(root, "tests", "lab")
        self.six = os.path.join(root, "build", "openmpi6", "bin")
        self.root = os.path.join(root, ".deps", "openmpi6")
        there = all(os.path.exists(f"{self.six}/{name}") for name in ("train", "serve")) and os.path.isdir(self.root) \
            and self.tool("nodes.sh", "check").returncode == 0
        if wanted == "yes" and not there:
            sys.exit("soak.sh: --nodes yes: no emulated nodes, or no Open MPI 6: tests/lab/openmpi6.sh build train serve")
        self.there = there and wanted != "no"

    def tool(self, name, *arguments):
        environment = dict(os.environ, MUSTER_LAB_ROOT=self.root, MUSTER_LAB_OWNER=str(os.getpid()))
        return subprocess.run([f"{self.here}/{name}", *arguments], env=environment, check=False, capture_output=True,
                              text=True, stdin=subprocess.DEVNULL)

    def begin(self, name):
        done = self.tool("nodes.sh", "up", str(NODES), name)
        if done.returncode != 0:
            raise RuntimeError(f"no lab: {done.stdout}{done.stderr}")
        os.environ["MUSTER_LAB"] = name

    def launcher(self, muster):
        hosts = ",".join(f"n{node}:2" for node in range(NODES))
        return [f"{self.here}/on", "n0", muster, "run", "--mpirun", "/usr/bin/mpirun", "--interface", "e0", "--rsh",
                f"{self.here}/agent", "--hosts", hosts]

    def left(self, name):
        """Processes on the nodes that are left and not the lab's own. Who is behind a dark link finds out by itself that it
        must end, after two windows and a recovery."""
        until = time.monotonic() + 15
        while (count := self.tool("nodes.sh", "processes", name).stdout.strip()) != "0":
            if time.monotonic() > until:
                return [f"{count} processes on the nodes"]
            time.sleep(0.2)
        return []

    def end(self, name):
        self.tool("nodes.sh", "down", name)


class Soak:
    def __init__(self, options):
        self.options, self.lab = options, Lab(options.nodes)
        # Not in /tmp: every emulated node has its own.
        self.folder = tempfile.mkdtemp(prefix="soak.", dir=os.path.join(options.bin, ".."))
        self.counts, self.kinds = collections.Counter(), collections.Counter()
        self.stalls, self.kept = [], 0
        self.weights = None

    def path(self, name):
        return os.path.join(self.folder, name)

    def command(self, plan, run_id, result):
        muster = f"{self.options.bin}/muster"
        words = self.lab.launcher(muster) if plan.nodes else [muster, "run"]
        binary = self.lab.six if plan.nodes else self.options.bin
        words += ["-n", plan.engines, "--standbys", plan.standbys, "--run-id", run_id]
        words += ["--group-size", plan.group] if plan.group else []
        for order in plan.orders:
            words += ["--inject", order]
        if plan.program == "train":
            words += ["--signals", jobs.SIGNALS, "--", f"{binary}/train", "--steps", TRAIN_STEPS, "--step-ms",
                      10 if plan.nodes else 5, "--json", result]
        else:
            words += ["--clients", 1, "--work", "requests", "--", f"{binary}/serve", "--requests", SERVE_REQUESTS, "--rate",
                      SERVE_RATE, "--cycles", 2, "--cache-mib", 2, "--json", result]
        return list(map(str, words))

    def undisturbed(self):
        result = self.path("undisturbed.json")
        run = jobs.run([f"{self.options.bin}/muster", "run", "-n", "4", "--", f"{self.options.bin}/train", "--steps",
                        str(TRAIN_STEPS), "--json", result], self.options.timeout)
        if run.code != 0:
            sys.exit(f"soak: the undisturbed job failed: {run.code}\n{run.output}")
        self.weights = jobs.result_of(result)["weights"]

    def judge(self, plan, run, result):
        """Nothing where all is well, else a word and what is wrong."""
        if run.code is None:
            return "hangs", "it hangs"
        if run.code in plan.excuses and "lost" in run.output:
            self.counts["stopped, as documented"] += 1
            return None
        if run.code != 0:
            return "wrong", f"it ended with {run.code}"
        if result is None:
            return "wrong", "it wrote no result"
        if plan.program == "serve":
            problem = jobs.problem_of_serve(result)
            return ("wrong", problem) if problem else None
        return None if result["weights"] == self.weights else ("wrong", "other weights")

    def attempt(self, plan):
        run_id, result = f"soak-{os.getpid()}-{plan.number}", self.path(f"run{plan.number}.json")
        folders, lab = Folders(self.folder), f"soak{os.getpid()}"
        walker = jobs.Walker(run_id, plan.engines + plan.standbys - 1, "step 50/", False) if plan.walked else None
        if plan.nodes:
            self.lab.begin(lab)
        # Before the deadline ends it: what a run that hangs waits for.
        stuck = []
        look = threading.Timer(self.options.timeout - 3, lambda: stuck.append(states_of(run_id)))
        look.start()
        try:
            run = jobs.run(self.command(plan, run_id, result), self.options.timeout, walker,
                           None if plan.nodes else folders.environment())
            left = (self.lab.left(lab) if plan.nodes else []) + left_behind(run_id, folders)
        finally:
            look.cancel()
            if plan.nodes:
                self.lab.end(lab)
        run.output += "".join(stuck)
        return run, jobs.result_of(result), left

    def perform(self, plan):
        begun = time.monotonic()
        run, result, left = self.attempt(plan)
        self.count(plan, run, result)
        bad = self.judge(plan, run, result)
        if bad and run.open_mpis_own():
            self.counts["failures of Open MPI's own"] += 1
            print(f"{plan.text()}: {bad[1]}, by Open MPI's own failure: {run.open_mpis_own()}", flush=True)
            bad = None
        verdict = [bad[1]] if bad else []
        if bad:
            self.counts[bad[0]] += 1
        if left:
            self.counts["left behind"] += len(left)
            verdict.append("left behind: " + ", ".join(left[:6]))
        if verdict:
            self.keep(plan, run, "; ".join(verdict))
        elif self.options.show:
            print(f"{plan.text()}: {time.monotonic() - begun:.1f} s, {'ended with ' + str(run.code) if run.code else 'well'}",
                  flush=True)

    def count(self, plan, run, result):
        self.counts["runs"] += 1
        for order in plan.orders:
            if run.carried_out(order):
                self.counts["faults"] += 1
                self.kinds[kind_of(order)] += 1
        rounds = result["rounds"] if result else []
        self.counts["rounds"] += len(rounds)
        self.stalls += [one["stalled_ms"] for one in rounds]

    def keep(self, plan, run, verdict):
        log = self.path(f"run{plan.number}.log")
        with open(log, "w") as file:
            file.write(plan.text() + "\n" + verdict + "\n" + run.output)
        self.kept += 1
        print(f"{plan.text()}: {verdict}\n    log {log}; again: tests/soak.sh --seed {self.options.seed} --only "
              f"{plan.number} --kinds {','.join(self.options.kinds)} --nodes {'yes' if self.lab.there else 'no'}", flush=True)

    def long_job(self):
        """Hundreds of rounds of one job, with deaths among them: whoever lives all the time must not grow."""
        run_id = f"soak-{os.getpid()}-long"
        folders = Folders(self.folder)
        kills = [word for victim in range(1, LONG_DEATHS + 1)
                 for word in ("--inject", f"kill:rank={victim}@step={victim * LONG_ROUNDS // (LONG_DEATHS + 1)}")]
        member = os.path.join(self.options.bin, "..", "tests", "member")
        run = jobs.run([f"{self.options.bin}/muster", "run", "-n", "4", "--standbys", str(LONG_DEATHS), "--run-id", run_id,
                        *kills, "--", member, "long", str(LONG_ROUNDS)], 10 * self.options.timeout, None,
                       folders.environment())
        held = collections.defaultdict(list)
        for rank, round_, *values in re.findall(
                r"holds: rank (\d+) step \d+ round (\d+) resident (\d+) descriptors (\d+) communicators (\d+)", run.output):
            held[int(rank)].append((int(round_), *map(int, values)))
        problems = [] if run.code == 0 else [f"ended with {run.code}"]
        problems += left_behind(run_id, folders)
        grown = [0, 0, 0]
        survivors = {rank: seen for rank, seen in held.items() if rank not in range(1, LONG_DEATHS + 1)}
        for seen in survivors.values():
            later = [one for one in seen if one[0] >= 100] or seen[-1:]
            grown = [max(was, now - then) for was, now, then in zip(grown, later[-1][1:], later[0][1:])]
        most = max((seen[-1][0] for seen in survivors.values()), default=0)
        problems += [f"only {most} rounds"] if most < LONG_ROUNDS else []
        problems += [f"grew by {grown}"] if any(now > most_ for now, most_ in zip(grown, GROWTH_MAX)) else []
        text = f"{most} rounds in one job: the survivors grew by {grown[0]} KiB, {grown[1]} descriptors, {grown[2]} communicators"
        if problems:
            self.counts["wrong"] += 1
            self.kept += 1
            with open(self.path("long.log"), "w") as file:
                file.write(run.output)
            text += f": WRONG: {'; '.join(problems)}; log {self.path('long.log')}"
        print(f"soak: {text}", flush=True)

    def figures(self):
        names = ["runs", "faults", "rounds", "hangs", "wrong", "left behind", "stopped, as documented",
                 "failures of Open MPI's own"]
        return ", ".join(f"{self.counts[name]} {name}" for name in names)

    def run(self):
        options = self.options
        self.undisturbed()
        print(f"soak: seed {options.seed}, {options.minutes:g} minutes, nodes: {'Open MPI 6' if self.lab.there else 'none'}, "
              f"kinds: {','.join(options.kinds)}; undisturbed weights {self.weights}", flush=True)
        if options.only is not None:
            self.long_job() if options.only == 0 else self.perform(self.plan(options.only))
        else:
            self.go_on(time.monotonic() + 60 * options.minutes)
        stalls = sorted(self.stalls) or [0]
        print(f"soak: {self.figures()}; by kind: {', '.join(f'{n} {kind}' for kind, n in sorted(self.kinds.items()))}; "
              f"stalls {stalls[len(stalls) // 2]:.1f} ms in the middle, {stalls[-1]:.1f} at most", flush=True)
        if not self.kept:
            subprocess.run(["rm", "-rf", self.folder], check=False)
        return 1 if self.kept else 0

    def plan(self, number):
        return plan_of(self.options.seed, number, self.options.kinds, self.lab.there)

    def go_on(self, until):
        self.long_job()
        number, minute = 0, time.monotonic() + 60
        while time.monotonic() < until:
            number += 1
            self.perform(self.plan(number))
            if time.monotonic() >= minute:
                minute += 60 * max(1, (time.monotonic() - minute) // 60 + 1)
                print(f"soak: {(until - time.monotonic()) / 60:.0f} minutes to go: {self.figures()}", flush=True)


if __name__ == "__main__":
    sys.exit(Soak(options_of()).run())
