#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A process on another node than rank 0's is killed and refilled from a standby on a third node, over 3 emulated nodes.
# The weights must be those of an undisturbed run on one machine. Then replicas are scaled over the nodes under load. Nothing
# may be left behind.
#   nodes_test.sh BIN-FOLDER        status 77: emulated nodes are not possible here
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bin=$(cd "${1:?folder of muster and train}" && pwd)
lab=test$$
"$here/nodes.sh" check   # exits 77

out=$(mktemp -d "$bin/../nodes_test.XXXXXX")   # not in /tmp: every node has its own
trap '"$here/nodes.sh" down "$lab"; rm -rf "$out"' EXIT
fail() { echo "nodes_test: $*"; cat "$out"/*.log 2>/dev/null; exit 1; }
value() { python3 -c 'import json,sys; print(eval(sys.argv[2], {"job": json.load(open(sys.argv[1]))}))' "$1" "$2"; }
steps=60

timeout 60 "$bin/muster" run -n 4 -- "$bin/train" --steps $steps --json "$out/alone.json" >"$out/alone.log" 2>&1 ||
    fail "the undisturbed run on one machine failed"

export MUSTER_LAB=$lab
MUSTER_LAB_OWNER=$$ "$here/nodes.sh" up 3 "$lab" || fail "no lab"
# Ranks 0,1 on n0, 2,3 on n1, the standbys 4,5 on n2.
timeout 90 "$here/on" n0 "$bin/muster" run -n 4 --standbys 2 --hosts n0:2,n1:2,n2:2 --rsh "$here/agent" -- \
    "$bin/train" --steps $steps --kill 3@20 --json "$out/nodes.json" >"$out/nodes.log" 2>&1 ||
    fail "the run over three nodes failed with $?"
cat "$out/nodes.log"

[ "$(value "$out/alone.json" 'job["weights"]')" = "$(value "$out/nodes.json" 'job["weights"]')" ] || fail "the weights differ"
[ "$(value "$out/nodes.json" 'len(job["rounds"])')" = 1 ] || fail "not exactly one rebuild"
grep -q 'lost rank 3 on n1 (killed), rank [45] promoted to slot 3' "$out/nodes.log" || fail "the round was not told as expected"

# Replicas come and go over three nodes while requests flow: none is lost, none answered twice.
timeout 90 "$here/on" n0 "$bin/muster" run -n 9 --group-size 1 --clients 1 --work requests --controller \
    --hosts n0:4,n1:3,n2:3 --rsh "$here/agent" -- "$bin/serve" --replicas 2,6,3 --cycles 0 --requests 600 --rate 100 \
    --json "$out/serve.json" >"$out/serve.log" 2>&1 || fail "serve with 2, 6, 3 replicas over three nodes ended with $?"
[ "$(value "$out/serve.json" '[s["replicas"] for s in job["scalings"]], job["answered"], job["answered_twice"]')" = \
    "([2, 6, 3], 600, 0)" ] || fail "the replicas, or the answers, are not as expected"

# What is left? Daemons may need a moment to go.
for _ in 1 2 3 4 5 6 7 8 9 10; do
    left=$("$here/nodes.sh" processes "$lab")
    [ "$left" = 0 ] && break
    sleep 0.3
done
[ "$left" = 0 ] || fail "$left processes are left on the nodes"
"$here/nodes.sh" down "$lab" || fail "the lab does not go down"
ls /run/muster-lab/"$lab"* 2>/dev/null && fail "files of the lab are left"
grep -q muster-lab /proc/mounts && fail "mounts are left"
echo "nodes_test: rank 3 on n1 died, its place went to n2; weights equal; 2, 6, 3 replicas; nothing left behind"
