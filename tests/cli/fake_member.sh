#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# fake_member.sh MODE: speaks over the launcher link as a member does, without MPI. Rank 0 tells; the others are there.
set -u
rank=${OMPI_COMM_WORLD_RANK:-0} mode=${1:-finish}
echo "out of $rank"
echo "err of $rank" >&2
printf '%s\n' ---------- >&2
if [ "$rank" = 0 ] && [ "$mode" != silent ]; then
    for address in ${MUSTER_LINK//,/ }; do
        { exec 3<>"/dev/tcp/${address%:*}/${address##*:}"; } 2>/dev/null && break
    done
    tell() { printf '%s\n' "$1" >&3; }
    tell "{\"hello\":\"$MUSTER_LINK_TOKEN\",\"rank\":$rank}"
    tell "{\"event\":\"joined\",\"engines\":$MUSTER_ENGINES,\"standbys\":$MUSTER_STANDBYS,\"nodes\":[\"n0\",\"n1\"],\"round\":1}"
    [ "$mode" = losses ] && tell '{"event":"round","from":1,"to":2,"lost":[{"rank":3,"node":"n1","text":"killed"}],"promoted":[{"rank":2,"slot":1}],"size":2,"stalled_ms":7.94}'
    case $mode in
        below) tell '{"event":"ended","code":12,"reason":"1 engine is left"}' ;;
        exit3) tell '{"event":"ended","code":0,"reason":""}'; tell '{"event":"exit","rank":0,"status":3}'; exit 3 ;;
        vanish) exit 0 ;;
        wait) ;;
        *) tell '{"event":"ended","code":0,"reason":""}' ;;
    esac
fi
[ "$mode" = vanish ] && exit 0
case $mode in wait | linger | silent)
    trap 'echo "usr1 at $rank"' USR1
    echo "ready $rank"
    for _ in $(seq 250); do sleep 0.1; done ;;
esac
exit 0
