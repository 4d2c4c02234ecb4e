#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Signals to `muster run`, and the deaths of muster and mpirun themselves: the right code, and nobody left behind.
. "$(dirname "$0")/lib.sh"

# begin MODE: starts a job in the background and waits until all of its 3 ranks are there; sets `job`.
begin() {
    : >"$work/out"
    "$muster" run -n 3 -- "$member" "$1" >"$work/out" 2>"$work/err" </dev/null &
    job=$!
    wait_for 3 '^ready '
}
wait_for() {   # COUNT PATTERN: in the job's output, 10 s
    for _ in $(seq 200); do [ "$(grep -c "$2" "$work/out")" -ge "$1" ] && return; sleep 0.05; done
    fail_if "waiting for $1 x $2" "not within 10 s"
}
mpirun_of() { tr ' ' '\n' <"/proc/$1/task/$1/children" | head -1; }
end() { wait "$job" 2>/dev/null; verdict "$1" $? "$2" "$3"; no_leftovers "$1"; }

begin wait   # the checks below would see whoever is left behind
[ "$(leftovers | while read -r pid; do cat "/proc/$pid/comm"; done | grep -c fake_member)" = 3 ] ||
    fail_if "members can be seen" "they cannot: $(leftovers | tr '\n' ' ')"
kill -TERM "$job"; wait "$job" 2>/dev/null

# V29: the coordinator ends with its job, in order, and nothing of it stays.
for signal in TERM INT HUP; do
    begin wait; kill -$signal "$job"; end "$signal stops the job" 10 "stopped \(10\)"
done
begin silent; kill -TERM "$job"; end "TERM stops a program that never joined" 10 "stopped \(10\)"
begin wait; kill -USR1 "$job"; wait_for 3 '^usr1 at '; kill -TERM "$job"; end "USR1 reaches every rank" 10 "stopped"
begin wait; kill -INT "$job"; kill -INT "$job"; end "a second INT" 10 "stopped"
begin wait; kill -KILL "$(mpirun_of "$job")"; end "mpirun is killed" 15 "mpirun ended with 137 while the job was in round 1"
begin wait; kill -KILL "$job"; wait "$job" 2>/dev/null
for _ in $(seq 60); do [ -z "$(leftovers | while read -r pid; do grep -l fake_member "/proc/$pid/comm" 2>/dev/null; done)" ] && break; sleep 0.1; done
no_leftovers "muster itself is killed"
finish
