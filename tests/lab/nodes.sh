#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Emulated nodes on one machine. A lab is one process with its own network, mount, PID and UTS namespaces; its nodes
# n0, n1, ... are processes in it with namespaces, a host name, an address (10.77.0.10 + i), a /tmp and a /dev/shm of
# their own. All names are private to the lab: several labs live beside each other, nothing outside is changed
# (/etc/hosts included), and when the lab's first process dies the kernel takes everything in it away.
#
#   nodes.sh check                exits 77 and says why where namespaces are not allowed
#   nodes.sh up N [LAB]           LAB names it (default: lab). With MUSTER_LAB_OWNER=PID it goes down when PID is gone.
#                                 With MUSTER_LAB_ROOT=DIR its nodes run the system in DIR (openmpi6.sh makes one); this
#                                 repository is there under its own path
#   nodes.sh down [LAB]
#   nodes.sh kill NODE [LAB]      the death of a node: all its processes, the launcher's daemon too, and its network
#   nodes.sh boot NODE [LAB]      brings it back, empty
#   nodes.sh link NODE up|down [LAB]
#   nodes.sh processes [LAB]      counts the processes in the lab that are not its own
# To run something there: on NODE COMMAND; as mpirun's launch agent: agent.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
state=/run/muster-lab   # outside: LAB.pid; inside a lab: a tmpfs with NODE.pid, and `root`: the folder of MUSTER_LAB_ROOT

fail() { echo "nodes.sh: $*" >&2; exit 1; }

check() {
    local why=""
    for tool in ip unshare nsenter mount; do
        command -v "$tool" >/dev/null || why="$tool is missing (packages iproute2, util-linux, mount)"
    done
    [ -n "$why" ] || why=$(unshare --net --mount --pid --uts --fork bash -c \
        'mount -t tmpfs none /mnt && hostname n0 && ip link add bridge0 type bridge &&
         ip link add v0 type veth peer name e0' 2>&1) && return 0
    echo "lab: skipped: emulated nodes need root with CAP_SYS_ADMIN and CAP_NET_ADMIN: $why"
    exit 77
}

init_of() {   # the lab's first process, as seen from here
    [ -r "$state/$1.pid" ] || fail "there is no lab '$1'; start it with: nodes.sh up 3 $1"
    cat "$state/$1.pid"
}
in_lab() { local lab=$1; shift; nsenter -t "$(init_of "$lab")" --net --mount --pid --uts -- bash "$here/nodes.sh" "$@"; }

up() {
    local count=$1 lab=$2 unshared init
    [ ! -e "$state/$lab.pid" ] || ! kill -0 "$(cat "$state/$lab.pid")" 2>/dev/null || fail "lab '$lab' is up already"
    mkdir -p "$state"
    # No pipe or terminal of the caller stays open in the lab, else a caller that reads our output would wait for it.
    setsid unshare --net --mount --pid --uts --fork --kill-child bash "$here/nodes.sh" _lab "$count" \
        </dev/null >"$state/$lab.log" 2>&1 &
    unshared=$!
    for _ in $(seq 100); do
        init=$(cat "/proc/$unshared/task/$unshared/children" 2>/dev/null | tr -d ' ')
        [ -n "$init" ] && [ -e "/proc/$init/root$state/ready" ] && break
        kill -0 "$unshared" 2>/dev/null || { cat "$state/$lab.log" >&2; rm -f "$state/$lab".*; fail "lab '$lab' did not start"; }
        sleep 0.05
    done
    [ -e "/proc/$init/root$state/ready" ] || { kill -9 "$unshared"; cat "$state/$lab.log" >&2; fail "lab '$lab' did not get ready in 5 s"; }
    echo "$init" >"$state/$lab.pid"
    if [ -n "${MUSTER_LAB_OWNER:-}" ]; then
        setsid bash -c 'while kill -0 "$2" || exit 0; kill -0 "$1"; do sleep 0.3; done; kill -9 "$2"; rm -f "$3.pid" "$3.log"; rmdir "$4"' \
            watcher "$MUSTER_LAB_OWNER" "$init" "$state/$lab" "$state" </dev/null >/dev/null 2>&1 &
    fi
}

down() {
    local lab=$1 init
    [ -e "$state/$lab.pid" ] || return 0
    init=$(cat "$state/$lab.pid")
    kill -9 "$init" 2>/dev/null
    for _ in $(seq 100); do kill -0 "$init" 2>/dev/null || break; sleep 0.05; done
    rm -f "$state/$lab.pid" "$state/$lab.log"
    rmdir "$state" 2>/dev/null
    ! kill -0 "$init" 2>/dev/null || fail "lab '$lab' (process $init) does not go away"
}

# ---- inside the lab --------------------------------------------------------------------------------------------------
boot() {
    local node=$1 number=${1#n} init unshared
    unshare --net --mount --pid --uts --fork --kill-child bash "$here/nodes.sh" _node "$node" &
    unshared=$!
    for _ in $(seq 100); do
        init=$(cat "/proc/$unshared/task/$unshared/children" 2>/dev/null | tr -d ' ')
        [ -n "$init" ] && [ -e "/proc/$init/root/tmp/.ready" ] && break
        sleep 0.02
    done
    ip link del "v$node" 2>/dev/null
    ip link add "v$node" type veth peer name e0 netns "$init"
    ip link set "v$node" master bridge0 up
    nsenter -t "$init" --net ip addr add "10.77.0.$((10 + number))/24" dev e0
    nsenter -t "$init" --net ip link set e0 alias muster-fault up   # a fault to order may take it down
    nsenter -t "$init" --net ip link set lo up
    echo "$init" >"$state/$node.pid"
}
lab() {
    local count=$1
    mount -t proc proc /proc
    mount -t tmpfs -o mode=755 muster-lab "$state"
    { cat /etc/hosts; for i in $(seq 0 $((count - 1))); do echo "10.77.0.$((10 + i)) n$i"; done; } >"$state/hosts"
    mount --bind "$state/hosts" /etc/hosts
    [ -z "${MUSTER_LAB_ROOT:-}" ] || echo "$MUSTER_LAB_ROOT" >"$state/root"
    ip link set lo up
    ip link add bridge0 address 02:77:00:00:00:fe type bridge   # its own: else that of its lowest port, which changes when a node dies
    ip addr add 10.77.0.254/24 dev bridge0
    ip link set bridge0 up
    for i in $(seq 0 $((count - 1))); do boot "n$i"; done
    touch "$state/ready"
    stay
}
node() {
    hostname "$1"
    mount -t proc proc /proc
    mount -t tmpfs -o mode=1777 tmp /tmp
    mount -t tmpfs -o mode=1777 shm /dev/shm
    if [ -r "$state/root" ]; then furnish "$(cat "$state/root")"; fi
    touch /tmp/.ready
    stay
}
furnish() {   # another system's folder: the node's own /proc, /tmp ... and the repository, as they are outside of it
    local root=$1 repository
    repository=$(cd "$here/../.." && pwd)
    mkdir -p "$root$repository"
    for folder in /dev /proc /sys /run /tmp "$repository"; do mount --rbind "$folder" "$root$folder"; done
    mount --bind /etc/hosts "$root/etc/hosts"
}
stay() { trap '' TERM INT HUP; while :; do sleep 3600 & wait $!; done; }   # a first process: reaps the orphans too
processes() {   # the lab's own: first processes with their sleep, and the unshare beside each node
    ps -e -o args= | grep -v -E 'nodes\.sh (_|processes)|^sleep 3600$|^ps |^grep ' | grep -c .
}

case ${1:-} in
    check) check ;;
    up) [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || fail "up N [LAB]: N is the number of nodes"; check; up "$2" "${3:-lab}" ;;
    down) down "${2:-lab}" ;;
    kill) in_lab "${3:-lab}" _kill "$2" ;;
    boot) in_lab "${3:-lab}" _boot "$2" ;;
    link) in_lab "${4:-lab}" _link "$2" "$3" ;;
    processes) in_lab "${2:-lab}" _processes ;;
    _lab) lab "$2" ;;
    _node) node "$2" ;;
    _kill) kill -9 "$(cat "$state/$2.pid")" && rm "$state/$2.pid" ;;
    _boot) boot "$2" ;;
    _link) ip link set "v$2" "$3" ;;
    _processes) processes ;;
    *) sed -n '3,/^set -u/{/^set/d;s/^# \{0,1\}//;p}' "$0"; exit 2 ;;
esac
