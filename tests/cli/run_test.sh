#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `muster run` under the real mpirun with members that only speak over the link: lines, codes, streams, leftovers.
. "$(dirname "$0")/lib.sh"

expect "finished" 0 "" bash -c '"$@" 2>&1 >/dev/null | grep -v -e "^err of" -e "^-----*$" >&2; exit ${PIPESTATUS[0]}' - \
    "$muster" run -n 2 --standbys 1 -- "$member" finish
expect "one line per round" 0 "^round 1->2: lost rank 3 on n1 \(killed\), rank 2 promoted to slot 1, stalled 7.9 ms$" \
    "$muster" run -n 2 --standbys 1 --json "$work/events" -- "$member" losses
[ "$(grep -c '"event"' "$work/events")" = 3 ] || fail_if "--json has every event" "$(cat "$work/events")"
says "the program's output is passed on" "^out of 2$"
grep -q "^err of 1$" "$work/err" || fail_if "stderr stays stderr" "err of 1 is missing"
[ "$(grep -c '^----------$' "$work/err")" = 3 ] || fail_if "no line of the program is swallowed" "dashes are missing"
expect "verbose" 0 "^round 1: 2 engines, 1 standbys on n0, n1$" "$muster" run -v -n 2 --standbys 1 -- "$member" finish
grep -q -- "--with-ft ulfm -n 3 " "$work/err" || fail_if "verbose shows the command" "no"
expect "engines of several ranks and clients" 0 "--with-ft ulfm -n 6 " \
    "$muster" run -v -n 2 --engine-ranks 2 --standbys 1 --clients 1 -- "$member" finish
[ "$(grep -c "^out of" "$work/out")" = 6 ] || fail_if "a process for each rank" "$(cat "$work/out")"
expect "prefix" 0 "^\[1\]<stderr>: err of 1$" "$muster" run -n 2 --prefix-output -- "$member" finish
says "prefix of stdout" "^\[1\]<stdout>: out of 1$"

expect "the job's own code" 12 "^muster: below_min \(12\): 1 engine is left$" "$muster" run -n 2 -- "$member" below
expect "a process fails after the ending" 1 "program_failed \(1\): rank 0 returned 3" "$muster" run -n 2 -- "$member" exit3
expect "joined, but no ending" 15 "launcher_failed \(15\): mpirun ended with 0 while the job was in round 1" \
    "$muster" run -n 2 -- "$member" vanish
expect "never joined" 7 "never joined a session; mpirun's exit code 7 is passed on" "$muster" run -n 2 -- bash -c 'exit 7'
expect "never joined and fine" 0 "" "$muster" run -n 2 -- true
expect "mpirun outlives the job" 0 "still there 1 s after the job's ending" \
    "$muster" run -n 2 --kill-after 1 -- "$member" linger
no_leftovers "an mpirun that outlives the job"
finish
