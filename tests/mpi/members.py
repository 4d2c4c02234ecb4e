# SPDX-License-Identifier: Apache-2.0
"""JSON lines that the members of a job write, each to a file of its own, FOLDER/RANK."""
import collections
import json
import os


class Members:
    """What the members have written so far, read as it grows."""

    def __init__(self, folder):
        self.folder = folder
        self.offsets = collections.Counter()
        self.lines = collections.defaultdict(list)
        self.pids, self.round = {}, 0

    def read(self):
        for name in filter(str.isdigit, os.listdir(self.folder)):
            with open(os.path.join(self.folder, name), encoding="utf-8") as file:
                file.seek(self.offsets[name])
                text = file.read()
            whole = text[:text.rfind("\n") + 1]
            self.offsets[name] += len(whole.encode())
            for line in map(json.loads, whole.splitlines()):
                self.lines[int(name)].append(line)
                self.pids[int(name)] = line.get("pid", self.pids.get(int(name)))
                self.round = max(self.round, line.get("round", 0))
