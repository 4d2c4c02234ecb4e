# SPDX-License-Identifier: Apache-2.0
# For the scripts of several `muster run` that meet: each has a name, its output in files, and an expected end.
. "$(dirname "$0")/lib.sh"

# Polls every 20 ms; dead after 2 s without a keep-alive; what is waited for is there within 20 s.
quick=last_call_timeout=0.5,join_timeout=20,keep_alive_interval=0.1,keep_alive_max_attempt=20,poll_sleep=0.02,join_delay=0
declare -A pid
run_id=none
next_job() { run_id=job$((++jobs)); mkdir -p "$work/meet"; }
jobs=0

# begin NAME HOST NODES ARGUMENTS...: a `muster run` in the background. 127.0.0.1 comes before localhost, so it leads.
begin() {
    local name=$1 host=$2 nodes=$3; shift 3
    rm -f "$work/$name".*
    : >"$work/$name.out"
    timeout -k 5 60 "$muster" run --rendezvous "$work/meet" --run-id "$run_id" --nodes "$nodes" --host "$host" \
        --rendezvous-config "$quick" --json "$work/$name.json" "$@" >"$work/$name.out" 2>"$work/$name.err" </dev/null &
    pid[$name]=$!
}
# The muster of that name: what timeout started.
muster_of() { children_of "${pid[$1]}"; }
children_of() { cat "/proc/$1/task/"*/children | tr -d ' '; }
# await NAME PATTERN: in its stderr, 20 s.
await() {
    for _ in $(seq 400); do grep -qE -- "$2" "$work/$1.err" 2>/dev/null && return; sleep 0.05; done
    fail_if "waiting for $1: $2" "not within 20 s: $(cat "$work/$1.err")"
}
# end TEXT NAME CODE PATTERN: how it ended; an empty pattern asks for nothing.
end() {
    wait "${pid[$2]}" 2>/dev/null
    local got=$?
    cp "$work/$2.out" "$work/out"; cp "$work/$2.err" "$work/err"
    verdict "$1 ($2)" "$got" "$3" "${4:-.}"
}
# A program that runs until the file $work/go.$run_id is there.
until_told=(bash -c 'echo "started $OMPI_COMM_WORLD_RANK of $OMPI_COMM_WORLD_SIZE"; for _ in $(seq 600); do [ -e "$0" ] && exit "$1"; sleep 0.05; done; exit 99')
go() { touch "$work/go.$run_id"; }
started() { for _ in $(seq 400); do [ "$(grep -c '^started ' "$work/$1.out")" = "$2" ] && return; sleep 0.05; done; fail_if "$1 starts $2" "$(cat "$work/$1.out" "$work/$1.err")"; }
# Jobs end their processes: a program, a muster or an mpirun that carries this script's mark was left behind.
nobody_left() {
    local left="" pid
    for _ in $(seq 40); do
        left=$(for pid in $(leftovers); do cat "/proc/$pid/comm"; done 2>/dev/null | grep -xE 'muster|mpirun|bash|sleep' | tr '\n' ' ')
        [ -z "$left" ] && break
        sleep 0.1
    done
    fail_if "$1 leaves nobody behind" "$left"
}
