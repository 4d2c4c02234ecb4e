#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes journals by itself, from the tables in DESIGN.md, and asks `muster journal` about them: whole, cut at every
byte, and with a bit of every byte turned.

usage: journal_twin.py MUSTER; MUSTER_SEED chooses the bits
"""
import json
import os
import random
import struct
import subprocess
import sys
import tempfile

ENTRY, SNAPSHOT, TERM = 1, 2, 3
SALT = 0xfedcba9876543210


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def header(run_id):
    rest = struct.pack("<QI", SALT, len(run_id)) + run_id
    return b"MUSTERJL" + struct.pack("<II", 1, crc32c(rest)) + rest


def record(offset, form, term, index, kind=0, payload=b""):
    rest = struct.pack("<IIQIHBB", len(payload), crc32c(payload), index, term, kind, form, 0)
    checked = struct.pack("<QQ", SALT, offset) + b"MREC" + rest
    return b"MREC" + struct.pack("<I", crc32c(checked)) + rest + payload


class Twin:
    def __init__(self, muster, folder):
        self.muster, self.path, self.failures = muster, os.path.join(folder, "muster-job.journal"), 0
        self.records = [(SNAPSHOT, 2, 40, 1, b"old"), (ENTRY, 2, 41, 1, b"first"), (TERM, 3, 41, 0, b""),
                        (ENTRY, 3, 42, 513, bytes(range(20)))]
        self.bytes, self.ends = header(b"job"), []
        self.ends.append(len(self.bytes))
        for form, term, index, kind, payload in self.records:
            self.bytes += record(len(self.bytes), form, term, index, kind, payload)
            self.ends.append(len(self.bytes))

    def expect(self, what, got, wanted):
        if got != wanted:
            self.failures += 1
            print(f"FAIL  {what}: {got!r}, not {wanted!r}")

    def run(self, *arguments):
        done = subprocess.run([self.muster, "journal", *arguments], capture_output=True, text=True, timeout=30)
        return done.returncode, done.stdout, done.stderr

    def verify(self, content):
        with open(self.path, "wb") as file:
            file.write(content)
        code, out, err = self.run("verify", self.path, "--json")
        self.expect("nothing on stderr", err, "")
        return code, json.loads(out)

    def kept(self, count):
        _, term, index, _, _ = self.records[count - 1] if count > 0 else (0, 0, 0, 0, b"")
        return {"records": count, "bytes": self.ends[count], "term": term, "index": index}

    def whole(self):
        self.expect("whole", self.verify(self.bytes), (0, {"file": self.path, "result": "whole", "run_id": "job",
                                                           "bytes": len(self.bytes), "kept": self.kept(4)}))
        code, out, err = self.run("show", self.path, "--json")
        forms = {ENTRY: "entry", SNAPSHOT: "snapshot", TERM: "term"}
        wanted = [{"offset": offset, "form": forms[form], "term": term, "index": index, "kind": kind,
                   "bytes": len(payload), "head": payload[:16].hex()}
                  for offset, (form, term, index, kind, payload) in zip(self.ends, self.records)]
        shown = [{key: value for key, value in json.loads(line).items() if key not in ("name", "value")}
                 for line in out.splitlines()]
        self.expect("shown", (code, shown, err), (0, wanted, ""))

    def cut(self):
        for size in range(len(self.bytes)):
            code, said = self.verify(self.bytes[:size])
            if size < self.ends[0]:
                self.expect(f"cut to {size}", (code, said["result"], said["offset"]), (1, "damaged", size))
                continue
            whole = max(i for i, end in enumerate(self.ends) if end <= size)
            torn = size != self.ends[whole]
            self.expect(f"cut to {size}", (code, said["result"], said.get("offset"), said["kept"]),
                        (1, "torn", self.ends[whole], self.kept(whole)) if torn else (0, "whole", None, self.kept(whole)))

    def turned(self, dice):
        for at in range(len(self.bytes)):
            content = bytearray(self.bytes)
            content[at] ^= 1 << dice.randrange(8)
            code, said = self.verify(bytes(content))
            self.expect(f"turned at {at}", (code, said["result"]), (1, "damaged"))
            if at >= self.ends[0]:
                whole = max(i for i, end in enumerate(self.ends) if end <= at)
                self.expect(f"turned at {at}", (said["offset"], said["kept"]), (self.ends[whole], self.kept(whole)))

    def words(self):
        self.verify(self.bytes[:-1])
        code, out, err = self.run("show", self.path, "--from", "41", "--limit", "1")
        self.expect("one line, and the fault beside it", (code, len(out.splitlines())), (1, 2))
        self.expect("the fault", err.splitlines()[0],
                    f"torn at offset {self.ends[3]}: the last record has 51 of its 52 bytes")
        code, out, err = self.run("verify", self.path + ".none")
        self.expect("no file", (code, out, err), (2, "", f"muster: journal: cannot open the journal '{self.path}.none': "
                                                         "No such file or directory\n"))
        self.expect("no regular file", self.run("verify", "/dev/full")[0], 2)
        self.expect("no name", self.run("verify")[0], 2)
        self.expect("a limit of nothing", self.run("show", self.path, "--limit", "0")[0], 2)
        for command in ("show", "verify"):
            code, out, _ = self.run(command, "--help")
            self.expect(f"help of {command}", (code, f"  muster journal {command} " in out, "Exit codes" in out),
                        (0, True, True))


def main():
    seed = int(os.environ.get("MUSTER_SEED", random.randrange(1 << 32)))
    with tempfile.TemporaryDirectory() as folder:
        twin = Twin(sys.argv[1], folder)
        twin.whole()
        twin.cut()
        twin.turned(random.Random(seed))
        twin.words()
    if twin.failures:
        sys.exit(f"{twin.failures} failed; again with MUSTER_SEED={seed}")
    print("all good")


main()
