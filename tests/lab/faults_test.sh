#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Faults to order that are a node's, over 3 emulated nodes: a link that is dark for a moment is survived with the same
# weights and is up again; where the right to switch it is missing that is said; a node's death takes all of its ranks
# and the daemon, and Open MPI 5's launcher ends the job (openmpi6_test: there it goes on).
#   faults_test.sh BIN-FOLDER        status 77: emulated nodes are not possible here
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bin=$(cd "${1:?folder of muster and train}" && pwd)
export MUSTER_LAB=faults$$
"$here/nodes.sh" check   # exits 77

out=$(mktemp -d "$bin/../faults_test.XXXXXX")   # not in /tmp: every node has its own
trap '"$here/nodes.sh" down "$MUSTER_LAB"; rm -rf "$out"' EXIT
fail() { echo "faults_test: $case: $*"; cat "$out/$case.log" 2>/dev/null; exit 1; }
said() { grep -qE -- "$1" "$out/$case.log" || fail "not said: $1"; }
weights() { python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["weights"])' "$out/$1.json"; }

case=alone
timeout 60 "$bin/muster" run -n 4 -- "$bin/train" --steps 60 --json "$out/alone.json" >"$out/alone.log" 2>&1 ||
    fail "the undisturbed run on one machine failed"
MUSTER_LAB_OWNER=$$ "$here/nodes.sh" up 3 "$MUSTER_LAB" || fail "no lab"

# run CASE ORDER [WRAPPER...]: ranks 0,1 on n0, 2,3 on n1, the standbys 4,5 on n2; the status is in $status
run() {
    case=$1
    local order=$2
    shift 2
    timeout 60 "$here/on" n0 "$@" "$bin/muster" run -n 4 --standbys 2 --hosts n0:2,n1:2,n2:2 --rsh "$here/agent" \
        --inject "$order" -- "$bin/train" --steps 60 --json "$out/$case.json" >"$out/$case.log" 2>&1
    status=$?
    [ "$(grep -c "a fault to order: $order" "$out/$case.log")" = 1 ] || fail "$order was not carried out once"
}

run dark link:n1@step=20:0.4
[ $status = 0 ] || fail "status $status"
said 'rank [23]: a fault to order: link:n1@step=20:0.4: takes down e0$'
[ "$(weights dark)" = "$(weights alone)" ] || fail "the weights differ"
"$here/on" n1 ip -o link show e0 | grep -q 'state UP' || fail "the link is not up again"

# mpirun on n0 has no such right, so its ranks have none either.
run forbidden link:n0@step=20:0.4 setpriv --bounding-set -net_admin
[ $status = 0 ] || fail "status $status"
said 'e0 could not be taken down: Operation not permitted \(it needs CAP_NET_ADMIN'

run node node:n1@step=20
[ $status = 15 ] || fail "status $status"
for _ in $(seq 50); do
    left=$("$here/nodes.sh" processes "$MUSTER_LAB")
    [ "$left" = 0 ] && break
    sleep 0.1
done
[ "$left" = 0 ] || fail "$left processes are left on the nodes"
echo "faults_test: a dark link, a link that may not be switched, a node's death: well"
