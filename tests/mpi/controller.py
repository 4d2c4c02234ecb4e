#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Calls of the controller under mpirun: coordinators die after checkpoints, whole jobs are killed and started again.
Called as harness.py says. The program is caller.cpp."""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from harness import BIN, MPIRUN, TESTS, Failure, expect, main, scenario

DEADLINE = 90


def command(engines, standbys, *arguments, options=(), clients=1):
    return [os.path.join(BIN, "muster"), "run", "--mpirun", MPIRUN, "-n", str(engines), "--standbys", str(standbys),
            "--clients", str(clients), "--work", "requests", "--group-size", "1", "--quorum", "none", *options, "--",
            os.path.join(TESTS, "caller"), *map(str, arguments)]


def run(engines, standbys, *arguments, options=()):
    """(exit code, its output) of a whole job."""
    with tempfile.TemporaryFile("w+") as output:
        job = subprocess.Popen(command(engines, standbys, *arguments, options=options), stdout=output,
                               stderr=subprocess.STDOUT, start_new_session=True)
        try:
            code = job.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            os.killpg(job.pid, signal.SIGKILL)
            output.seek(0)
            raise Failure(f"still running after {DEADLINE} s:\n{output.read()}") from None
        output.seek(0)
        return code, output.read()


def calls_with_deaths(how, seed, deaths):
    code, output = run(3, deaths + 1, "calls", 60, seed,
                       options=("--inject", f"crash-after-checkpoint=0.2,max={deaths}:{how}"))
    expect(code == 0, f"exit code {code}", output)
    expect("WRONG" not in output, "something is wrong", output)
    expect(re.search(r"^calls 60 goals", output, re.M), "the calls were not all made", output)
    died = output.count("a fault to order: crash-after-checkpoint")
    print(f"{how}: {died} coordinators died; {re.search('^calls.*$', output, re.M).group(0)}", flush=True)
    return died


@scenario
def r1_r5_coordinators_killed_after_checkpoints():
    died = sum(calls_with_deaths("kill", seed, 4) for seed in (1, 2))
    expect(died >= 6, f"only {died} deaths", "")


@scenario
def r5_coordinators_that_exit_after_checkpoints():
    expect(calls_with_deaths("exit", 3, 2) >= 1, "nobody died", "")


class Killed:
    """A job that is killed as a whole, all its processes at once, while it changes things."""

    def __init__(self, folder, options):
        self.log = open(os.path.join(folder, "output"), "w+", encoding="utf-8")
        self.job = subprocess.Popen(command(2, 2, "hold", 1000000, 7, options=options), stdout=self.log,
                                    stderr=subprocess.STDOUT, start_new_session=True)

    def text(self):
        with open(self.log.name, encoding="utf-8") as file:
            return file.read()

    def members(self):
        """Of this job only: the caller's processes know their state directory from their surroundings."""
        found = []
        for entry in os.listdir("/proc"):
            try:
                with open(f"/proc/{entry}/environ", "rb") as file:
                    mine = f"MUSTER_STATE={os.path.dirname(self.log.name)}/state".encode() in file.read().split(b"\0")
                with open(f"/proc/{entry}/comm", encoding="utf-8") as file:
                    if mine and file.read().strip() == "caller":
                        found.append(int(entry))
            except (OSError, ValueError):
                continue
        return found

    def kill_after(self, answers):
        until = time.monotonic() + DEADLINE
        while len(re.findall("^ok", self.text(), re.M)) < answers:
            if time.monotonic() > until or self.job.poll() is not None:
                self.end()
                raise Failure("it did not come so far:\n" + self.text())
            time.sleep(0.005)
        members = self.members()
        expect(len(members) == 5, f"{len(members)} processes", self.text())
        for pid in members:
            os.kill(pid, signal.SIGSTOP)  # So that nobody sees another's death.
        for pid in members:
            os.kill(pid, signal.SIGKILL)
        self.end()
        expect("WRONG" not in self.text(), "something is wrong", self.text())
        return self.text()

    def end(self):
        try:
            self.job.wait(20)
        except subprocess.TimeoutExpired:
            pass
        try:
            os.killpg(self.job.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.job.wait()


def differ(one, other):
    """In how many backends, or endpoints, two states differ."""
    one, other = (dict(re.findall(r"(\S+)[=>](\S+)", text)) for text in (one, other))
    return sum(one.get(key) != other.get(key) for key in {*one, *other})


def restarted(durability, answers):
    folder = tempfile.mkdtemp(prefix="muster-controller.")
    try:
        state = os.path.join(folder, "state")
        options = ("--state", state, "--durability", durability)
        before = Killed(folder, options).kill_after(answers)
        acknowledged = re.findall("^ok ?(.*)$", before, re.M)
        files = [name for name in sorted(os.listdir(state)) if name.endswith(".journal")]
        expect(len(files) == 3, f"3 holders' journals, not {files}", before)
        for name in files:
            shown = subprocess.run([os.path.join(BIN, "muster"), "journal", "show", os.path.join(state, name)],
                                   capture_output=True, text=True, check=False).stdout
            expect("backend b" in shown or "whole" in shown, "a journal that cannot be read by people", shown)
        code, output = run(2, 2, "look", 0, 0, options=options)
        expect(code == 0 and "WRONG" not in output, f"exit code {code}", output)
        found = {key: re.search(f"^{key} ?(.*)$", output, re.M).group(1) for key in
                 ("there", "round", "wave", "paused", "goal")}
        # What the last answered call has led to, and at most one call more, which was under way.
        expect(differ(found["there"], acknowledged[-1]) <= 1,
               f"an answered call is gone: {found['there']} after {acknowledged[-1]}", output)
        expect(int(found["round"]) > int(re.search(r"^round (\d+)", before, re.M).group(1)), "rounds begin anew",
               output)
        expect(found["paused"] == "yes", "the job was paused and is not", output)
        expect(int(found["wave"]) >= 1 << 19, "waves begin anew", output)
        expect(found["goal"] != "none" and int(found["goal"]) > 1, "goals begin anew", output)
        return state, options
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@scenario
def the_whole_job_is_killed_and_goes_on_file():
    restarted("file", 25)


@scenario
def the_whole_job_is_killed_and_goes_on_fsync():
    restarted("fsync", 10)


@scenario
def a_damaged_journal_is_refused_by_its_offset():
    folder = tempfile.mkdtemp(prefix="muster-controller.")
    try:
        state = os.path.join(folder, "state")
        options = ("--state", state, "--durability", "file")
        code, output = run(2, 1, "calls", 5, 1, options=options)
        expect(code == 0 and "WRONG" not in output, f"exit code {code}", output)
        path = os.path.join(state, sorted(name for name in os.listdir(state) if name.endswith(".journal"))[0])
        with open(path, "r+b") as file:
            file.seek(60)
            byte = file.read(1)
            file.seek(60)
            file.write(bytes([byte[0] ^ 1]))
        code, output = run(2, 1, "look", 0, 0, options=options)
        expect(code == 2 and "offset" in output and path in output, f"exit code {code}", output)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
