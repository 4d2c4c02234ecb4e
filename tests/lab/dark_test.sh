#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A link that goes dark: 3 nodes with 2 members each; the cable of n2 is pulled (no RST, no FIN: nothing comes any more).
# The majority must go on, the island must stop by itself, both within the limits that DESIGN.md states.
# dark_test.sh BIN_DIR TESTS_DIR
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bin=$1 tests=$2 lab=dark$$
"$here/nodes.sh" check   # exits 77
fail() { echo "dark_test: $*"; cat "$work/out" 2>/dev/null; exit 1; }
work=$(mktemp -d /var/tmp/muster-dark.XXXXXX)   # nodes have a /tmp of their own
trap '"$here/nodes.sh" down $lab; rm -rf "$work"' EXIT
MUSTER_LAB_OWNER=$$ "$here/nodes.sh" up 3 $lab || fail "no lab"
export MUSTER_LAB=$lab OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
now() { date +%s.%N; }
since() { python3 -c "print(f'{$(now) - $1:.2f}')"; }
wait_for() {   # PATTERN SECONDS
    for _ in $(seq $((20 * $2))); do grep -qE "$1" "$work/out" && return 0; sleep 0.05; done
    return 1
}

cd "$work" || exit 1
# Four engines on n0 and n1 and two standbys on n2 would lose no engine: the world spans all three nodes.
timeout 100 "$here/on" n0 "$bin/muster" run -n 6 --min 4 --hosts n0:2,n1:2,n2:2 --rsh "$here/agent" --interface 10.77.0.0/24 \
    --heartbeat 1s -v -- "$tests/stepper" 100000 --step-us 5000 >"$work/out" 2>&1 &
job=$!
wait_for "^round 1: 6 engines" 60 || fail "the job did not begin"
sleep 1
"$here/nodes.sh" link n2 down $lab
dark=$(now)
wait_for "^round 1->2: lost rank 4 .* and rank 5" 40 || fail "the majority did not go on"
majority=$(since "$dark")
wait_for "was silent for|stood still|nobody beyond" 1
island() { for p in /proc/[0-9]*; do [ "$(readlink "$p/exe" 2>/dev/null)" = "$tests/stepper" ] && grep -qz "OMPI_COMM_WORLD_RANK=[45]$" "$p/environ" 2>/dev/null && echo "${p#/proc/}"; done; }
for _ in $(seq 400); do [ -z "$(island)" ] && break; sleep 0.05; done
[ -z "$(island)" ] || fail "the island still runs: $(island)"
island=$(since "$dark")
kill -0 $job 2>/dev/null || fail "the majority's job has ended"
echo "dark_test: window 1 s: the majority's first commit after $majority s, the island had stopped after $island s"
python3 -c "exit(not ($majority < 15 and $island < 30))" || fail "too late"
for p in /proc/[0-9]*; do   # not the commands that lead into the lab: they pass no signal on
    [ "$(readlink "$p/exe" 2>/dev/null)" = "$bin/muster" ] && grep -qz "^MUSTER_LAB=$lab$" "$p/environ" 2>/dev/null && kill -TERM "${p#/proc/}"
done
wait $job
code=$?
[ $code -eq 10 ] || fail "the job ended with $code, not as it was told to"
echo "dark_test: well"
