# SPDX-License-Identifier: Apache-2.0
"""What a job leaves behind on this machine: processes, session folders of Open MPI, shared memory. Each run has a TMPDIR
and a folder for shared segments of its own, so that what is found there is its own and nobody else's.
"""
import os
import shutil
import time

from fault_jobs import ranks_of

PATIENCE_S = 5   # Daemons and kernels may need a moment.


class Folders:
    """Of one run."""

    def __init__(self, where):
        self.tmp, self.shared = os.path.join(where, "tmp"), os.path.join(where, "shared")
        for folder in (self.tmp, self.shared):
            shutil.rmtree(folder, ignore_errors=True)
            os.makedirs(folder)
        self.memory = set(os.listdir("/dev/shm"))

    def environment(self):
        return {"TMPDIR": self.tmp, "OMPI_MCA_btl_sm_backing_directory": self.shared}

    def files(self):
        return [os.path.join(folder, name) for folder in (self.tmp, self.shared) for name in os.listdir(folder)]

    def segments(self):
        """New ones in /dev/shm that no process has mapped: others' jobs come and go there too."""
        new = set(os.listdir("/dev/shm")) - self.memory
        return [f"/dev/shm/{name}" for name in new] if new and not is_mapped(new) else []


def is_mapped(names):
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/maps") as file:
                maps = file.read()
        except OSError:
            continue
        if any(f"/dev/shm/{name}" in maps for name in names):
            return True
    return False


def left_behind(run_id, folders):
    """Texts; empty where nothing is left. Waits a moment for what is still going."""
    until = time.monotonic() + PATIENCE_S
    while True:
        processes = [f"process {pid} (rank {rank})" for rank, pid in ranks_of(run_id).items()]
        left = processes + folders.files() + folders.segments()
        if not left or time.monotonic() > until:
            return left
        time.sleep(0.2)


def states_of(run_id):
    """For a run that hangs: what its processes wait for."""
    lines = []
    for rank, pid in sorted(ranks_of(run_id).items()):
        for thread in sorted(os.listdir(f"/proc/{pid}/task")) if os.path.exists(f"/proc/{pid}") else []:
            words = []
            for name in ("comm", "wchan", "syscall"):
                try:
                    with open(f"/proc/{pid}/task/{thread}/{name}") as file:
                        words.append(file.read().strip())
                except OSError:
                    pass
            lines.append(f"rank {rank} thread {thread}: {' '.join(words)}")
    return "\n".join(lines)
