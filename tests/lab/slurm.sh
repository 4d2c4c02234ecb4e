#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A real Slurm inside a lab (nodes.sh): munged and slurmctld beside the nodes, a slurmd in each. Everything that they
# write lies in one folder, and all of it dies with the lab.
#
#   slurm.sh check                 exits 77 and says why where it is not possible
#   slurm.sh up N LAB FOLDER       N nodes with 2 tasks each; FOLDER: empty, not in /tmp (nodes have their own)
#   slurm.sh boot NODE LAB FOLDER  slurmd again, on a node that nodes.sh has booted
#   slurm.sh log FOLDER            the daemons' last words
# Commands find it by SLURM_CONF=FOLDER/slurm.conf: MUSTER_LAB=LAB on n0 env SLURM_CONF=... sbatch ...
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
state=/run/muster-lab
fail() { echo "slurm.sh: $*" >&2; exit 1; }

check() {
    "$here/nodes.sh" check || exit 77
    local tool
    for tool in slurmctld slurmd srun sbatch scontrol munged; do
        command -v $tool >/dev/null || { echo "slurm: skipped: $tool is missing (packages slurmctld slurmd slurm-client munge)"; exit 77; }
    done
    pmix_library >/dev/null || { echo "slurm: skipped: Slurm finds no PMIx (package libpmix2)"; exit 77; }
}
# Debian's plugin looks for libpmix.so, which only the package with headers puts there: nodes get a folder that has it.
pmix_library() { compgen -G '/usr/lib/*/pmix2/lib/libpmix.so.2'; }
pmix_folder() { dirname "$(pmix_library | head -1)"; }

conf() {
    local count=$1 folder=$2
    cat <<CONF
ClusterName=muster
SlurmctldHost=ctl(10.77.0.254)
MpiDefault=none
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket,cred_expire=5
CryptoType=crypto/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
SlurmUser=root
SlurmdUser=root
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.%n.pid
SlurmdSpoolDir=$folder/spool.%n
StateSaveLocation=$folder/state
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.%n.log
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmctldTimeout=30
SlurmdTimeout=20
SchedulerParameters=batch_sched_delay=0,sched_interval=2,sched_min_interval=0
JobRequeue=1
KillWait=2
ReturnToService=2
SlurmdParameters=config_overrides
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP OverSubscribe=YES
CONF
    for i in $(seq 0 $((count - 1))); do echo "NodeName=n$i NodeAddr=10.77.0.$((10 + i)) CPUs=2 State=UNKNOWN"; done
}

in_lab() { local lab=$1; shift; nsenter -t "$(cat "$state/$lab.pid")" --net --mount --pid --uts -- bash "$here/slurm.sh" "$@"; }

up() {
    local count=$1 lab=$2 folder=$3 i
    mkdir -p "$folder/state" && chmod 755 "$folder"
    conf "$count" "$folder" >"$folder/slurm.conf"
    dd if=/dev/urandom of="$folder/munge.key" bs=128 count=1 status=none
    chmod 400 "$folder/munge.key"
    cp -a "$(pmix_folder)" "$folder/pmix" && ln -sf libpmix.so.2 "$folder/pmix/libpmix.so"
    export SLURM_CONF=$folder/slurm.conf
    in_lab "$lab" _controller "$folder" || exit 1
    for i in $(seq 0 $((count - 1))); do in_lab "$lab" _slurmd "n$i" "$folder"; done
    for _ in $(seq 200); do
        [ "$(in_lab "$lab" _idle)" = "$count" ] && return
        sleep 0.1
    done
    "$0" log "$folder"
    fail "the $count nodes did not get idle in 20 s"
}

# ---- inside the lab --------------------------------------------------------------------------------------------------
controller() {
    local folder=$1
    setsid munged --foreground --force --socket="$folder/munge.socket" --key-file="$folder/munge.key" \
        --log-file="$folder/munged.log" --pid-file="$folder/munged.pid" --seed-file="$folder/munged.seed" </dev/null >/dev/null 2>&1 &
    for _ in $(seq 100); do [ -S "$folder/munge.socket" ] && break; sleep 0.05; done
    [ -S "$folder/munge.socket" ] || { cat "$folder/munged.log" >&2; fail "munged does not start"; }
    setsid unshare --uts bash -c 'hostname ctl; exec slurmctld -D' </dev/null >"$folder/slurmctld.out" 2>&1 &
}
slurmd() {
    local node=$1 folder=$2
    mkdir -p "$folder/spool.$node"
    setsid nsenter -t "$(cat "$state/$node.pid")" --net --mount --pid --uts -- bash -c '
        mount --bind "$1/pmix" "$2" && exec slurmd -N "$0" -D' "$node" "$folder" "$(pmix_folder)" </dev/null >"$folder/slurmd.$node.out" 2>&1 &
}
case ${1:-} in
    check) check ;;
    up) check; up "$2" "$3" "$(realpath -m "$4")" ;;
    boot) SLURM_CONF=$(realpath "$4")/slurm.conf in_lab "$3" _slurmd "$2" "$(realpath "$4")" ;;
    log) tail -n 15 "$2"/*.log "$2"/*.out ;;
    _controller) controller "$2" ;;
    _slurmd) slurmd "$2" "$3" ;;
    _idle) sinfo -h -N -o '%t' 2>/dev/null | grep -c '^idle$' ;;
    *) sed -n '3,/^set -u/{/^set/d;s/^# \{0,1\}//;p}' "$0"; exit 2 ;;
esac
