# SPDX-License-Identifier: Apache-2.0
"""See soak_train.sh."""
import argparse, json, os, random, signal, statistics, subprocess, sys, tempfile, time

root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
options = argparse.ArgumentParser(prog="soak_train.sh")
options.add_argument("--runs", type=int, default=50)
options.add_argument("--seed", type=int, default=int(time.time()) % 100_000)
options.add_argument("--steps", type=int, default=60)
options.add_argument("--bin", default=f"{root}/build/release/bin")
options.add_argument("--only", type=int)
options.add_argument("--timeout", type=float, default=60)
options = options.parse_args()
POINTS = ["in-alltoall", "in-step", "in-replicate", "in-commit", "in-restore"]
ENGINES = 4
STATE_LOST = 14   # exit code of muster run
PARTNERS = "its owner and the partner with its copy were both lost"


def plan(number):
    """Kills of one run. The seed and the number say all."""
    dice = random.Random(options.seed * 100_003 + number)
    more_deaths_than_standbys = dice.random() < 0.25
    if more_deaths_than_standbys:
        standbys, deaths, least = 1, dice.choice([2, 3]), 2
    else:
        standbys = dice.choice([2, 3])
        deaths, least = dice.randint(1, min(3, standbys)), 4
    # Ranks die at different steps, some way apart: a slot and its partner dead in one step is state lost, another test.
    steps = sorted(dice.sample(range(3, options.steps - 2, 4), deaths))
    # The first victim is an engine. Later ones may be standbys: who is still parked at its step just goes on living.
    victims = [dice.randrange(ENGINES)]
    others = [rank for rank in range(ENGINES + (0 if more_deaths_than_standbys else standbys)) if rank != victims[0]]
    victims += dice.sample(others, deaths - 1)
    kills = []
    for index, (rank, step) in enumerate(zip(victims, steps)):
        point = dice.choice(POINTS if index > 0 else POINTS[:-1])   # the first death has no recovery to die in
        kills.append(f"{rank}@{step}:{point}")
    return standbys, least, kills


def run(name, standbys, least, kills, folder):
    path = f"{folder}/{name}.json"
    command = [f"{options.bin}/muster", "run", "-n", str(ENGINES), "--standbys", str(standbys), "--min", str(least), "--",
               f"{options.bin}/train", "--steps", str(options.steps), "--json", path]
    for kill in kills: command += ["--kill", kill]
    log = open(f"{folder}/{name}.log", "w")
    start = time.monotonic()
    job = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        status = job.wait(options.timeout)
    except subprocess.TimeoutExpired:
        status = None
        for how in (signal.SIGTERM, signal.SIGKILL):   # its own process group, and what muster run ends itself
            try: os.killpg(job.pid, how)
            except ProcessLookupError: break
            try: job.wait(5)
            except subprocess.TimeoutExpired: pass
    took = time.monotonic() - start
    result = json.load(open(path)) if status == 0 and os.path.exists(path) else None
    return status, took, result, log.name


def main():
    folder = tempfile.mkdtemp(prefix="muster-soak-")
    status, took, undisturbed, log = run("undisturbed", 0, 1, [], folder)
    if undisturbed is None:
        print(open(log).read()[-2000:] + f"soak: the undisturbed run failed: {status}", flush=True)
        return 1
    print(f"soak: seed {options.seed}, undisturbed: weights {undisturbed['weights'][:16]}, {took:.1f} s", flush=True)
    runs = kills_made = rounds = hangs = wrong = state_lost = 0
    stalls = []
    numbers = [options.only] if options.only is not None else range(1, options.runs + 1)
    for number in numbers:
        standbys, least, kills = plan(number)
        status, took, result, log = run(f"run{number}", standbys, least, kills, folder)
        runs += 1
        kills_made += len(kills)
        if status is None: hangs += 1; verdict = f"HANG, log {log}"
        elif status == STATE_LOST and any("in-restore" in kill for kill in kills) and PARTNERS in open(log).read():
            # Two deaths in one recovery may meet a slot and its partner: then stopping is what must happen.
            state_lost += 1
            verdict = "stopped: a slot and its partner died in one recovery"
        elif result is None: wrong += 1; verdict = f"FAILED with {status}, log {log}"
        elif result["weights"] != undisturbed["weights"]: wrong += 1; verdict = f"WRONG WEIGHTS, log {log}"
        else: verdict = "same weights"
        these = [entry["stalled_ms"] for entry in result["rounds"]] if result else []
        if result: rounds += len(these); stalls += these
        if result and not these: wrong += 1; verdict = f"NOBODY DIED, log {log}"
        print(f"run {number}: standbys {standbys} min {least} kills {' '.join(kills)}: {len(these)} rounds, stalls "
              f"{' '.join(f'{stall:.1f}' for stall in these) or '-'} ms, {took:.1f} s: {verdict}", flush=True)
    middle, top = (f"{f(stalls):.1f} ms" if stalls else "-" for f in (statistics.median, max))
    print(f"soak: {runs} runs, {kills_made} kills, {rounds} rounds, {hangs} hangs, {wrong} wrong, "
          f"{state_lost} stopped without a copy; "
          f"stall median {middle}, max {top}")
    if hangs + wrong == 0:
        subprocess.run(["rm", "-rf", folder], check=False)
    return 1 if hangs + wrong else 0


sys.exit(main())
