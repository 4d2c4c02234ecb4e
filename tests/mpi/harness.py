# SPDX-License-Identifier: Apache-2.0
"""What the scenario files share: starting jobs under mpirun with a deadline, and running the chosen cases.

A scenario file is called FILE MPIRUN TEST_DIR BIN_DIR [--list | NAME ...]   (a NAME may be a prefix, or `all`)
Every run has a deadline; what it started is killed by process group. Exit code 1 where a scenario failed.
"""
import os
import signal
import subprocess
import sys
import time

MPIRUN, TESTS, BIN = sys.argv[1:4]
FLAGS = ["--with-ft", "ulfm", "--mca", "mpi_preconnect_mpi", "1", "--mca", "coll_ftagree_agreement", "1", "--mca",
         "mpi_yield_when_idle", "1", "--bind-to", "none", "--oversubscribe", "--mca", "coll", "^han,cuda"]

CASES = {}


class Failure(Exception):
    pass


def scenario(function):
    CASES[function.__name__] = function
    return function


def execute(command, deadline, settings):
    environment = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    environment.update({"MUSTER_" + name: str(value) for name, value in settings.items()})
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          start_new_session=True) as process:
        try:
            output, _ = process.communicate(timeout=deadline)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output, _ = process.communicate()
            raise Failure(f"still running after {deadline} s; so far:\n{output}") from None
    return process.returncode, output


def launch(ranks, program, *arguments, deadline=30, **settings):
    """Runs a program of the tests under plain mpirun; returns (exit code, its output)."""
    return execute([MPIRUN, *FLAGS, "-n", str(ranks), program, *map(str, arguments)], deadline, settings)


def job(engines, standbys, name, *arguments, options=(), **settings):
    """Under `muster run`, where the exit code is the job's. (Plain mpirun of PRRTE 3.0.14 now and then stays after all its
    ranks have exited with a status other than 0: seen in 2 of about 40 such runs.)"""
    command = [os.path.join(BIN, "muster"), "run", "--mpirun", MPIRUN, "-n", str(engines), "--standbys", str(standbys),
               *options, "--", os.path.join(TESTS, name), *map(str, arguments)]
    return execute(command, 30, settings)


def expect(condition, what, output):
    if not condition:
        raise Failure(what + "\n" + output)


# A survivor that dies of this was in the middle of making a communicator, or in MPI_Init, when Open MPI 5.0.11 heard of
# a death: its own fault, which nothing of ours is in the way of (DESIGN.md, "A pool that is still being made").
OPEN_MPI_CRASH = "ompi_comm_set_rank_failed"


def attempt(name, case):
    """Runs it; once more where Open MPI itself has crashed, which is said."""
    try:
        case()
    except Failure as failure:
        if OPEN_MPI_CRASH not in str(failure):
            raise
        print(f"again   {name}: Open MPI crashed in {OPEN_MPI_CRASH}", flush=True)
        case()


def main(more=None):
    """Runs the cases that the command line names, out of the registered ones and `more`."""
    cases = {**CASES, **(more or {})}
    wanted = sys.argv[4:] or ["all"]
    if wanted == ["--list"]:
        print("\n".join(cases))
        return 0
    chosen = [name for name in cases if any(name.startswith(w) for w in wanted)
              or ("all" in wanted and not name.startswith("by_hand"))]
    failed = 0 if chosen else 1
    for name in chosen:
        begun = time.monotonic()
        try:
            attempt(name, cases[name])
            print(f"ok      {name} ({time.monotonic() - begun:.1f} s)", flush=True)
        except Failure as failure:
            failed += 1
            print(f"FAILED  {name}: {failure}", flush=True)
    print(f"{len(chosen) - failed} passed, {failed} failed")
    return 1 if failed else 0
