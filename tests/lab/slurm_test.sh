#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The scripts of slurm/ under a real slurmctld and three slurmd on emulated nodes:
#   srun     a rank is killed, Slurm ends the step, muster run starts again from the checkpoint
#   usr1     USR1 before the time limit: the requeued job ends with the weights of the undisturbed one
#   mpirun   a node dies in the allocation, under Open MPI 5
#   bare     srun ./program: told what it cannot survive; the world's size against SLURM_NTASKS
#   slurm_test.sh BIN-FOLDER [PART...]        status 77: not possible here
bash "$(dirname "$0")/slurm.sh" check || exit 77
. "$(dirname "$0")/relaunch_lib.sh"
parts=${*:2}
slurm=$here/../../slurm
steps=200
undisturbed $steps
"$here/nodes.sh" up 3 "$MUSTER_LAB" && "$here/slurm.sh" up 3 "$MUSTER_LAB" "$out/slurm" || fail "no Slurm"
export SLURM_CONF=$out/slurm/slurm.conf MUSTER=$bin/muster
wanted() { [ -z "$parts" ] || [[ " $parts " == *" $1 "* ]]; }
on() { "$here/on" n0 "$@"; }

submit() {   # NAME SCRIPT OPTIONS...: train as a job; sets `job`, its number
    local name=$1 script=$2; shift 2
    mkdir "$out/$name"
    job=$(MUSTER_OPTIONS="--json $out/$name.events ${OPTIONS:-}" on sbatch --parsable --output="$out/$name.log" "$@" "$slurm/$script" \
        "$bin/train" --steps $steps --step-ms 10 --checkpoint "$out/$name" --every 10 --json "$out/$name.json") || fail "sbatch $script"
}
state() { on scontrol show job "$job" -o | sed -n 's/.* JobState=\([A-Z_]*\).* Restarts=\([0-9]*\).* ExitCode=\([0-9:]*\).*/\1 \3 restarts \2/p;'; }
why() { on scontrol show job "$job" -o; grep -E "JobId=$job|_job_complete|requeue" "$out"/slurm/slurmctld.log | tail -n 12; }
is_over() { local state; state=$(on squeue -h -j "$job" -t all -o %T) && [[ $state =~ ^(COMPLETED|FAILED|CANCELLED|TIMEOUT|NODE_FAIL|OUT_OF_MEMORY)$ ]]; }
ends_well() {   # NAME SECONDS
    awaits "$2" "the end of $1 ($(on squeue -h -j "$job" -o '%T %r'))" is_over
    on scontrol show job "$job" -o | grep -q ' ExitCode=0:0 ' || fail "$1 did not end well: $(why)"
    same_weights "$out/$1.json"
}
told() { grep -ah 'muster: relaunch\|of the relaunch\|asked to save\|goes on from' "$out/$1.log" | sed "s/^/$1: /"; }
# A rank's process on a node, as seen from here.
rank_on() { local pid; for pid in $(pgrep -f "^$bin/train .*--checkpoint $out/$2"); do [ "$(nsenter -t "$pid" --uts hostname)" = "$1" ] && echo "$pid" && return; done; }

if wanted srun; then
    submit srun srun.sbatch
    awaits 90 "checkpoints under srun" saved "$out/srun" 8
    kill -KILL "$(rank_on n1 srun)" || fail "no rank on n1"
    ends_well srun 120
    [ "$(relaunches "$out/srun.events" 'len(all) == 1 and all[0]["noticed_ms"] < 1500 and all[0]["engines"] == 4 and all[0]["step_after"] > 10')" = True ] || fail "srun: not relaunched once: $(cat "$out/srun.events")"
    told srun
fi
if wanted usr1; then
    submit usr1 mpirun.sbatch --nodes=2 ${USR1_OPTIONS:-}
    awaits 90 "checkpoints before USR1" saved "$out/usr1" 8
    [ -n "${USR1_OPTIONS:-}" ] || on scancel --signal=USR1 --batch "$job"   # as --signal=B:USR1@120 does
    awaits 90 "the requeue" grep -q 'asked to save and to end' "$out/usr1.log"
    ends_well usr1 120
    on scontrol show job "$job" -o | grep -q ' Restarts=1 ' || fail "usr1: not requeued once"
    [ "$(grep -c 'goes on from step' "$out/usr1.log")" = 1 ] || fail "usr1: the requeued job does not begin from the checkpoint"
    told usr1
fi
if wanted bare; then
    on srun --mpi=pmix -N2 -n2 "$bin/train" --steps 5 >"$out/bare.log" 2>&1 || fail "a bare srun does not run"
    [ "$(grep -c 'started by srun: when any process dies, Slurm ends the whole step' "$out/bare.log")" = 1 ] || fail "it is not told"
    on srun --mpi=none -N2 -n2 "$bin/train" --steps 5 >"$out/bare.log" 2>&1 && fail "two worlds of one run"
    grep -q 'srun started 2 tasks (SLURM_NTASKS) but MPI sees one: srun has no PMIx here. Use srun --mpi=pmix' "$out/bare.log" || fail "the size is not checked"
    DRY_RUN=1 on sbatch --wait --output="$out/dry.log" "$slurm/mpirun.sbatch" "$bin/train" >/dev/null || fail "dry run"
    grep -q 'hosts       n0:2, n1:2, n2:2' "$out/dry.log" || fail "the dry run does not name the nodes"
fi
if wanted mpirun; then   # The last: a node less.
    submit mpirun mpirun.sbatch
    awaits 90 "checkpoints under mpirun" saved "$out/mpirun" 8
    node=$(on squeue -h -j "$job" -o %B); [ "$node" = n0 ] || fail "the script runs on $node"
    "$here/nodes.sh" kill n1 "$MUSTER_LAB"
    ends_well mpirun 120
    [ "$(relaunches "$out/mpirun.events" 'len(all), all[0]["silent"], all[0]["engines"], all[0]["total_ms"] < 20000')" = "(1, ['n1'], 4, True)" ] || fail "mpirun: $(cat "$out/mpirun.events")"
    told mpirun
fi
nothing_left
echo "$name: well"
