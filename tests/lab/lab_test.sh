#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The lab itself: two beside each other, names and addresses, the death of a node, and nothing left behind.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
"$here/nodes.sh" check   # exits 77
one=first$$ two=second$$
trap '"$here/nodes.sh" down $one; "$here/nodes.sh" down $two' EXIT
fail() { echo "lab_test: $*"; exit 1; }
namespaces() { lsns -n -o NS -t net | sort; }

hosts=$(cat /etc/hosts) before=$(namespaces)
for lab in $one $two; do MUSTER_LAB_OWNER=$$ "$here/nodes.sh" up 2 $lab || fail "no lab"; done
[ "$(MUSTER_LAB=$one "$here/on" n1 hostname)" = n1 ] || fail "on n1 is not on n1"
MUSTER_LAB=$one "$here/on" n1 ip -br addr show e0 | grep -q 10.77.0.11/24 || fail "n1 has another address"
MUSTER_LAB=$one "$here/on" n0 "$here/agent" -o BatchMode=yes n1 'echo "$(hostname)" "$(echo $$)"; ls /tmp' >/dev/null ||
    fail "the agent does not get from n0 to n1"
# Talk over the network: n0 listens, n1 connects.
MUSTER_LAB=$one timeout 10 "$here/on" n0 python3 -c 'import socket; s = socket.create_server(("10.77.0.10", 7000)); s.accept()[0].sendall(b"well")' &
for _ in $(seq 30); do
    said=$(MUSTER_LAB=$one "$here/on" n1 python3 -c 'import socket; print(socket.create_connection(("n0", 7000), 1).recv(9).decode())' 2>/dev/null) && break
    sleep 0.1
done
[ "$said" = well ] || fail "n1 does not reach n0"

MUSTER_LAB=$one timeout 20 "$here/on" n0 "$here/agent" n1 'sleep 1000' &
sleeper=$!
for _ in $(seq 30); do [ "$("$here/nodes.sh" processes $one)" -ge 1 ] && break; sleep 0.1; done
"$here/nodes.sh" kill n1 $one
wait $sleeper 2>/dev/null && fail "a process outlived its node"
MUSTER_LAB=$one "$here/on" n0 "$here/agent" n1 true 2>/dev/null && fail "a dead node answers"
[ "$(MUSTER_LAB=$two "$here/on" n1 hostname)" = n1 ] || fail "the other lab's n1 died too"
"$here/nodes.sh" boot n1 $one
[ "$(MUSTER_LAB=$one "$here/on" n1 hostname)" = n1 ] || fail "n1 does not come back"

for lab in $one $two; do "$here/nodes.sh" down $lab || fail "a lab does not go down"; done
[ "$(cat /etc/hosts)" = "$hosts" ] || fail "/etc/hosts has changed"
sleep 0.2
[ -z "$(comm -13 <(echo "$before") <(namespaces))" ] || fail "network namespaces are left: $(lsns -t net)"
grep -q muster-lab /proc/mounts && fail "mounts are left"
echo "lab_test: well"
