#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Whole nodes die and the job goes on in place: Open MPI 6 over emulated nodes, mpirun's daemon on the node killed with it.
#   openmpi6_test.sh BIN-FOLDER   status 77: no emulated nodes, or no Debian sid to be had
# Each case: the weights are those of an undisturbed run, and the part of the stall that is not detection is below 100 ms.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bin=$(cd "${1:?folder of muster and train}" && pwd)
six=$here/../../build/openmpi6/bin
beyond_detection_ms=100 steps=300

"$here/nodes.sh" check   # exits 77
root=$("$here/openmpi6.sh" root) || { status=$?; echo "$root"; exit $status; }
"$here/openmpi6.sh" build train || exit 1

out=$(mktemp -d "$bin/../openmpi6_test.XXXXXX")   # not in /tmp: every node has its own
labs=()
trap 'for lab in "${labs[@]}"; do "$here/nodes.sh" down "$lab"; done; rm -rf "$out"' EXIT
fail() { echo "openmpi6_test: $*"; cat "$out/$case.log" 2>/dev/null; exit 1; }

case=alone
timeout 60 "$bin/muster" run -n 4 -- "$bin/train" --steps $steps --json "$out/alone.json" >"$out/alone.log" 2>&1 ||
    fail "the undisturbed run on one machine failed"

# await TEXT: until the job has said it
await() {
    for _ in $(seq 600); do grep -q -- "$1" "$out/$case.log" && return; sleep 0.05; done
    fail "30 s, and the job has not said '$1'"
}

# death CASE HOSTS ENGINES STANDBYS NODE@STEP...: each node dies once that step has been shown
death() {
    case=$1
    local hosts=$2 engines=$3 standbys=$4 lab=six$$-$1 job status
    shift 4
    labs+=("$lab")
    MUSTER_LAB_ROOT=$root MUSTER_LAB_OWNER=$$ "$here/nodes.sh" up "$(tr , '\n' <<<"$hosts" | wc -l)" "$lab" || fail "no lab"
    MUSTER_LAB=$lab timeout 120 "$here/on" n0 "$bin/muster" run --mpirun /usr/bin/mpirun --interface e0 -n "$engines" \
        --standbys "$standbys" --hosts "$hosts" --rsh "$here/agent" -v -- "$six/train" --steps $steps --step-ms 5 \
        --json "$out/$case.json" >"$out/$case.log" 2>&1 &
    job=$!
    for order in "$@"; do
        await "step ${order#*@}/"
        "$here/nodes.sh" kill "${order%@*}" "$lab"
    done
    wait $job
    status=$?
    [ $status = 0 ] || fail "the job ended with $status"
    python3 - "$out/alone.json" "$out/$case.json" "$out/$case.log" $# $beyond_detection_ms <<'CHECK' || fail "see above"
import json, re, sys
alone, job = (json.load(open(name)) for name in sys.argv[1:3])
log = open(sys.argv[3], errors="replace").read()
deaths, limit = map(int, sys.argv[4:6])
assert job["weights"] == alone["weights"], f"weights {job['weights']}, undisturbed {alone['weights']}"
assert len(job["rounds"]) == deaths, f"{deaths} nodes died, rounds: {job['rounds']}"
parts = re.findall(r"detect ([\d.]+), shrink ([\d.]+), build ([\d.]+), resume ([\d.]+)", log)
assert len(parts) == deaths, f"{deaths} nodes died, stalls told: {parts}"
for one, (detect, *rest) in zip(job["rounds"], parts):
    beyond = sum(map(float, rest))
    print(f"  lost {one['lost']}, promoted {one['promoted']}: stalled {one['stalled_ms']:.1f} ms = detect {detect} + "
          f"shrink {rest[0]} + build {rest[1]} + resume {rest[2]}")
    assert beyond < limit, f"{beyond} ms beyond detection, more than {limit}"
CHECK
    "$here/nodes.sh" down "$lab" || fail "the lab does not go down"
    echo "openmpi6_test: $case: well"
}

death engines n0:2,n1:2,n2:2 4 2 n1@100
death standbys n0:2,n1:2,n2:2 4 2 n2@100
death one-after-the-other n0:2,n1:2,n2:2,n3:2 4 4 n1@100 n2@200
grep -q muster-lab /proc/mounts && { echo "openmpi6_test: mounts are left"; exit 1; }
exit 0
