#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Serves while it is paused, suspended, resumed and stopped and while ranks die: nothing may be lost, answered twice or
# answered otherwise than in a quiet run. 4 engines in groups of 2, a standby, a client.
# Usage: serve_survives.sh MPIRUN MUSTER SERVE [CASE]
set -uo pipefail
mpirun=$1 muster=$2 serve=$3 only=${4:-}
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 MPI_HOME=${MPI_HOME:-$(dirname "$(dirname "$mpirun")")}
requests=450 rate=300
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0

by_muster() {
    timeout 40 "$muster" run -n 4 --group-size 2 --standbys 1 --clients 1 --work requests -- "$serve" "$@"
}

by_mpirun() {
    MUSTER_GROUP_SIZE=2 MUSTER_STANDBYS=1 MUSTER_CLIENTS=1 MUSTER_WORK=requests timeout 40 "$mpirun" --with-ft ulfm \
        --mca coll ^han,cuda --mca mpi_yield_when_idle 1 --bind-to none --oversubscribe -n 6 "$serve" "$@"
}

# What the table must say: check KILLED..., with the ranks that were to die.
check() {
    python3 - "$scratch/result" "$requests" "$@" << 'PYTHON'
import json, sys
result, requests, killed = json.load(open(sys.argv[1])), int(sys.argv[2]), [int(rank) for rank in sys.argv[3:]]
cycle = ["pause", "suspend", "resume", "unpause"]
wrong = []
def expect(what, value, good):
    if not good: wrong.append(f"{what} is {value}")
expect("sent", result["sent"], result["sent"] == requests)
expect("answered", result["answered"], result["answered"] == requests)
expect("answered twice", result["answered_twice"], result["answered_twice"] == 0)
expect("differing", result["differing"], result["differing"] == 0)
expect("accuracy", result["accuracy"], result["accuracy"] >= 0.95)
signals = [transition["signal"] for transition in result["transitions"]]
expect("the order of signals", signals, signals == 2 * cycle + ["stop"])
lost = sorted(rank for entry in result["rounds"] for rank in entry["lost"])
expect("the lost ranks", lost, lost == sorted(killed))
dummies = sum(engine["dummy_forwards"] for engine in result["engines"])
expect("the number of dummy forwards", dummies, dummies > 0)
released = max((engine["released_mib"] for engine in result["engines"]), default=0)
expect("released memory (of 32 MiB)", released, released >= 30)
expect("the list of problems", result["problems"], not result["problems"])
print("; ".join(wrong))
sys.exit(bool(wrong))
PYTHON
}

# try NAME HOW KILLS: a run with those --kill options, by_muster or by_mpirun.
try() {
    local name=$1 how=$2 kills=() killed=() begin=$SECONDS wrong=""
    [[ -n $only && $only != "$name" ]] && return
    for kill in $3; do kills+=(--kill "$kill") killed+=("${kill%@*}"); done
    rm -f "$scratch/result"
    "$how" --requests $requests --rate $rate --json "$scratch/result" "${kills[@]}" > "$scratch/output" 2>&1
    local status=$?
    if [[ $status == 0 ]] && wrong=$(check "${killed[@]}"); then
        echo "ok     $name ($((SECONDS - begin)) s)"
    else
        echo "FAILED $name: status $status; $wrong"
        tail -n 40 "$scratch/output"
        failed=1
    fi
}

try undisturbed by_muster ""
try in-all-to-all by_muster "1@50"
try coordinator-in-suspend by_muster "0@suspend"
try in-resume-under-mpirun by_mpirun "2@resume"

# Requests for the first group alone: the other has no turn of any kind.
one_group() {
    local begin=$SECONDS
    [[ -n $only && $only != one-group ]] && return
    by_muster --requests 100 --rate $rate --cycles 0 --only-slots 2 > "$scratch/output" 2>&1
    local status=$? rank
    for rank in 2 3; do
        grep -q "serve: rank $rank: 0 forwards, 0 dummy forwards" "$scratch/output" || status="$status, rank $rank was awake"
    done
    for rank in 0 1; do
        grep -q "serve: rank $rank: [1-9][0-9]* forwards" "$scratch/output" || status="$status, rank $rank had no work"
    done
    if [[ $status == 0 ]]; then
        echo "ok     one-group ($((SECONDS - begin)) s)"
    else
        echo "FAILED one-group: status $status"
        tail -n 40 "$scratch/output"
        failed=1
    fi
}
one_group

exit $failed
