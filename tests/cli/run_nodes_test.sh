#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `muster run` over 3 emulated nodes through --rsh: it checks the hosts, starts everywhere, hears everyone.
. "$(dirname "$0")/lib.sh"
lab=$here/../lab
[ -x "$lab/nodes.sh" ] || { echo "skipped: no tests/lab"; exit 77; }
"$lab/nodes.sh" check || exit 77
export MUSTER_LAB=cli$$ MUSTER_LAB_OWNER=$$
"$lab/nodes.sh" up 3 "$MUSTER_LAB" || exit 1
trap '"$lab/nodes.sh" down "$MUSTER_LAB"; rm -rf "$work"' EXIT

expect "three nodes" 0 "^\[5\]<stderr>: err of 5$" "$lab/on" n0 "$muster" run -n 4 --standbys 2 --hosts n0:2,n1:2,n2:2 \
    --rsh "$lab/agent" --prefix-output -- "$member" finish
expect "a node that is not there" 15 "host n7 does not answer" "$lab/on" n0 "$muster" run -n 2 --hosts n0:1,n7:1 \
    --rsh "$lab/agent" -- "$member" finish
finish
