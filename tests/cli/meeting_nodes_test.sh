#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A `muster run` on each of 3 emulated nodes: they meet in a directory, n0 launches a real job on all of them, which
# loses a rank and goes on; a fourth node that joins is refused; all end with the job's code.
#   meeting_nodes_test.sh MUSTER        status 77: emulated nodes are not possible here
. "$(dirname "$0")/lib.sh"
lab=$here/../lab
train=$(dirname "$muster")/train
[ -x "$train" ] || { echo "skipped: no examples"; exit 77; }
"$lab/nodes.sh" check || exit 77
shared=$(mktemp -d "$(dirname "$muster")/../meeting_nodes.XXXXXX")   # not in /tmp: every node has its own
export MUSTER_LAB=meet$$ MUSTER_LAB_OWNER=$$
"$lab/nodes.sh" up 4 "$MUSTER_LAB" || exit 1
trap '"$lab/nodes.sh" down "$MUSTER_LAB"; rm -rf "$work" "$shared"' EXIT
quick=last_call_timeout=2,poll_sleep=0.05,keep_alive_interval=0.5,keep_alive_max_attempt=10,join_delay=0

declare -A pid
for node in n2 n1 n0; do
    timeout 90 "$lab/on" $node "$muster" run --rendezvous "$shared" --run-id lab --nodes 3:4 --host :2 --standbys 2 \
        --rendezvous-config $quick --rsh "$lab/agent" -- "$train" --steps 300 --kill 3@200 >"$work/$node.out" 2>"$work/$node.err" </dev/null &
    pid[$node]=$!
done
for _ in $(seq 600); do grep -q "launching" "$work/n0.err" && break; sleep 0.05; done
expect "a fourth node is refused" 18 "the job 'lab' is running in round 0 with 4 engines on n0:2, n1:2, n2:2" \
    "$lab/on" n3 "$muster" run --join lab --rendezvous "$shared"
for node in n0 n1 n2; do
    wait "${pid[$node]}"; got=$?
    cp "$work/$node.out" "$work/out"; cp "$work/$node.err" "$work/err"
    case $node in
        n0) verdict "n0 launches, and sees the job through" $got 0 "lost rank 3 on n1 .killed., rank [45] promoted to slot 3" ;;
        *) verdict "$node waits for the end" $got 0 "rank 0 of round 0 .n0_[0-9]+_0. has launched the job" ;;
    esac
done
finish
