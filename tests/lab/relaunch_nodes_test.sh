#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A node dies under Open MPI 5, whose launcher kills the whole job for it: `muster run --relaunch` is back at work on a
# spare node without a person; with no spare on fewer engines, and on all again when the node has come back. And a link
# goes dark: no two jobs run beside each other.
#   relaunch_nodes_test.sh BIN-FOLDER        status 77: emulated nodes are not possible here
bash "$(dirname "$0")/nodes.sh" check || exit 77
. "$(dirname "$0")/relaunch_lib.sh"
steps=200
undisturbed $steps
"$here/nodes.sh" up 3 "$MUSTER_LAB" || fail "no lab"

begin() {   # NAME OPTIONS...: train on the nodes, in the background
    local name=$1; shift
    mkdir "$out/$name"
    timeout 150 "$here/on" n0 "$bin/muster" run -n 4 --min 2 --relaunch 2 --json "$out/$name.events" "$@" -- \
        "$bin/train" --steps $steps --step-ms 10 --checkpoint "$out/$name" --every 10 --json "$out/$name.json" >"$out/$name.log" 2>&1 &
    job=$!
}

begin spare --rsh "$here/agent" --hosts n0:2,n1:2,n2:2
awaits 90 "checkpoints" saved "$out/spare" 8
"$here/nodes.sh" kill n1 "$MUSTER_LAB"
wait $job || fail "the job with a spare node ended with $?"
same_weights "$out/spare.json"
[ "$(relaunches "$out/spare.events" 'len(all), all[0]["silent"], all[0]["engines"]')" = "(1, ['n1'], 4)" ] || fail "n2 did not take n1's place"
grep -h 'muster: relaunch\|of the relaunch' "$out/spare.log"
"$here/nodes.sh" boot n1 "$MUSTER_LAB"

begin growth --rsh "$here/agent" --hosts n0:2,n1:2 --allow-relaunch
awaits 90 "checkpoints" saved "$out/growth" 8
"$here/nodes.sh" kill n1 "$MUSTER_LAB"
awaits 90 "2 engines" grep -q 'back at work' "$out/growth.log"
"$here/nodes.sh" boot n1 "$MUSTER_LAB"
wait $job || fail "the job that grows ended with $?"
same_weights "$out/growth.json"
[ "$(relaunches "$out/growth.events" '[e["engines"] for e in all]')" = "[2, 4]" ] || fail "it did not shrink and grow: $(cat "$out/growth.events")"
[ "$(value "$out/growth.json" 'job["size"]')" = 4 ] || fail "it did not end with 4 engines"
grep -h 'muster: relaunch\|of the relaunch\|asked to save' "$out/growth.log"

# A link goes dark: nothing is closed, n1's members are alive and must stop by themselves before the job runs elsewhere.
# The agent does not use the network, as ssh would: this one looks whether it could.
cat >"$out/agent" <<'AGENT'
#!/bin/bash
here=$1; shift
timeout 1 bash -c ": >/dev/tcp/$1/9" 2>&1 | grep -q refused || { echo "no answer from $1" >&2; exit 255; }
exec "$here/agent" "$@"
AGENT
chmod +x "$out/agent"
begin dark --hosts n0:2,n1:2,n2:2 --rsh "$out/agent $here" --silence 1 --lease 3
awaits 90 "checkpoints" saved "$out/dark" 8
"$here/nodes.sh" link n1 down "$MUSTER_LAB"
awaits 90 "the relaunch" grep -q 'muster: relaunch 1 of 2: node n1 does not answer' "$out/dark.log"
for pid in $(pgrep -f "^$bin/train .*--checkpoint $out/dark"); do
    [ "$(nsenter -t "$pid" --uts hostname)" != n1 ] || fail "process $pid of the old job is alive on n1 while the next one begins"
done
wait $job || fail "the job with a dark link ended with $?"
same_weights "$out/dark.json"
grep -h 'muster: relaunch\|of the relaunch' "$out/dark.log"

nothing_left
echo "$name: back at work without a person, same weights, nothing left behind"
