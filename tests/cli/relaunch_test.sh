#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `muster run --relaunch` and `--on-usr1 requeue` on one machine: mpirun dies with all its ranks, the job goes on from
# its checkpoint to the weights of an undisturbed one; how often, and with which exit codes it ends.
. "$(dirname "$0")/lib.sh"
train=$(dirname "$muster")/train
[ -x "$train" ] || { echo "skipped: no examples"; exit 77; }
steps=200
value() { python3 -c 'import json,sys; print(eval(sys.argv[2], {"job": json.load(open(sys.argv[1]))}))' "$1" "$2" 2>&1; }
# Of the lines of --json that are relaunches.
relaunch() { python3 -c 'import json,sys; all = [e for e in map(json.loads, open(sys.argv[1])) if e["event"] == "relaunch"]; print(eval(sys.argv[2], {"all": all}))' "$work/events" "$1" 2>&1; }

# begin OPTIONS -- ARGUMENTS: `muster run` of train in the background, on a fresh checkpoint directory unless KEEP is set.
begin() {
    local options=()
    while [ "$1" != -- ]; do options+=("$1"); shift; done; shift
    [ -n "${KEEP:-}" ] || rm -rf "$work/saved"
    mkdir -p "$work/saved"; rm -f "$work/result" "$work/events"; : >"$work/err"
    timeout 150 "$muster" run -n 2 --json "$work/events" "${options[@]}" -- "$train" --steps $steps --step-ms 10 \
        --checkpoint "$work/saved" --every "${EVERY:-10}" --json "$work/result" "$@" >"$work/out" 2>"$work/err" </dev/null &
    job=$!
}
muster_of() { tr -d ' ' <"/proc/$job/task/$job/children"; }
# mpirun, below muster and its keeper.
mpirun_of() {
    local pid=$1 child
    for child in $(cat "/proc/$pid/task/"*/children); do
        if [ "$(cat "/proc/$child/comm")" = mpirun ] || [ "$(cat "/proc/$child/comm")" = prterun ]; then echo "$child"; else mpirun_of "$child"; fi
    done
}
saved() { for _ in $(seq 600); do [ "$(find "$work/saved" -name '*.checkpoint' | wc -l)" -ge "$1" ] && return; sleep 0.02; done; fail_if "waiting for $1 files" "$(cat "$work/err")"; }
awaits() { for _ in $(seq 600); do [ "$(grep -cE "$2" "$work/err")" -ge "$1" ] && return; sleep 0.02; done; fail_if "waiting for $1 x $2" "$(cat "$work/err")"; }
end() { wait "$job" 2>/dev/null; verdict "$1" $? "$2" "$3"; }
same_weights() { [ "$(value "$work/result" 'job["weights"]')" = "$expected" ] || fail_if "$1" "other weights: $(cat "$work/result" "$work/err")"; }

expect "undisturbed" 0 "step 200/200" "$muster" run -n 2 -- "$train" --steps $steps --json "$work/result"
expected=$(value "$work/result" 'job["weights"]')
[ ${#expected} = 16 ] || fail_if "there are weights to compare with" "$expected"

begin --relaunch 2 --; saved 4; kill -KILL "$(mpirun_of "$(muster_of)")"
end "mpirun dies: relaunched" 0 "relaunch 1 of 2: .* at step [0-9]+; 2 engines and 0 standbys"
same_weights "mpirun dies"
grep -qE 'of the relaunch: noticed [0-9]+ ms .* hosts asked [0-9]+ ms, launch [0-9]+ ms, first step [0-9]+ ms; back at work after' "$work/err" || fail_if "the parts of the time" "$(cat "$work/err")"
grep -qE 'goes on from step [1-9]' "$work/err" || fail_if "from the checkpoint" "$(cat "$work/err")"
[ "$(relaunch 'len(all) == 1 and all[0]["step_after"] > 0 and all[0]["step_before"] >= all[0]["step_after"] - 40 and abs(sum(all[0][k] for k in ("noticed_ms", "over_ms", "asked_ms", "launch_ms", "first_step_ms")) - all[0]["total_ms"]) < 2')" = True ] || fail_if "the event" "$(cat "$work/events")"
echo "      $(grep 'of the relaunch' "$work/err")"

begin --relaunch 1 --; saved 4; kill -KILL "$(mpirun_of "$(muster_of)")"
awaits 1 "of the relaunch: .* back at work"; kill -KILL "$(mpirun_of "$(muster_of)")"
end "at most as often as asked for" 15 "launcher_failed \(15\): .*relaunched 1 times: --relaunch"

begin --; saved 4; kill -KILL "$(mpirun_of "$(muster_of)")"
end "not without --relaunch" 15 "launcher_failed"

begin --relaunch 1 --min 2 --state "$work/state" --inject kill:rank=1@step=60 --
end "too few for --min: relaunched" 0 "relaunch 1 of 1: it ended with below_min"
same_weights "below min"
grep -q "the job's state goes on from term 1" "$work/err" || fail_if "from the journal" "$(cat "$work/err")"
[ "$(grep -h '"event":"joined"' "$work/events" | sed 's/.*"round":\([0-9]*\).*/\1/' | tr '\n' ' ')" = "1 2 " ] || fail_if "rounds go on counting" "$(cat "$work/events")"

# Rank 1 never comes to MPI_Init, once.
mkdir "$work/hung"; : >"$work/err"
MUSTER_JOIN_DEADLINE_MS=2000 timeout 60 "$muster" run -n 2 --relaunch 1 -- bash -c "[ \"\$OMPI_COMM_WORLD_RANK\" = 1 ] && mkdir '$work/hung/once' 2>/dev/null && exec sleep 1000
    exec '$train' --steps $steps --json '$work/result'" >"$work/out" 2>"$work/err" </dev/null &
job=$!; end "a start that hangs: relaunched" 0 "relaunch 1 of 1: it ended with timed_out"
same_weights "a start that hangs"

# A member that stands still where nobody can end it and MPI cannot be told of it: the others would wait for ever.
MUSTER_PROOF=none begin --relaunch 1 --inject stop:rank=1@step=60 --
end "a hang that nobody can end: relaunched" 0 "relaunch 1 of 1: rank 1 on [^ ]+ is silent, and nobody there can end it at step"
same_weights "a hang that nobody can end"

begin --relaunch 1 --; saved 4; kill -TERM "$(muster_of)"; end "TERM is no loss" 10 "stopped"

# Nothing but the request saves here.
EVERY=100000 begin --on-usr1 requeue --; awaits 1 "step 50/"; kill -USR1 "$(muster_of)"
end "USR1: saves, ends with 11" 11 "requeue_wanted \(11\): .*USR1 has come"
grep -q 'asked to save and to end' "$work/err" || fail_if "it says so" "$(cat "$work/err")"
at=$(find "$work/saved" -name '*.checkpoint' -printf '%f\n' | cut -d. -f2 | sort -n | tail -n 1)
KEEP=1 begin --on-usr1 requeue --; end "the same again" 0 "goes on from step $at, saved by 2"
same_weights "after a requeue"

# Growth: who joins later is taken in, the job saves, ends and begins again on both.
quick=last_call_timeout=0.5,join_timeout=20,keep_alive_interval=0.2,keep_alive_max_attempt=50,poll_sleep=0.05,join_delay=0
mkdir "$work/meet"; rm -rf "$work/saved"; mkdir "$work/saved"; rm -f "$work/result" "$work/events"
timeout 150 "$muster" run --rendezvous "$work/meet" --run-id grow --nodes 1:2 --host 127.0.0.1:2 --rendezvous-config $quick \
    --allow-relaunch --json "$work/events" -- "$train" --steps $steps --step-ms 10 --checkpoint "$work/saved" --every 100000 \
    --json "$work/result" >"$work/out" 2>"$work/err" </dev/null &
job=$!
awaits 1 "step 50/"
timeout 150 "$muster" run --join grow --rendezvous "$work/meet" --host localhost:2 --rendezvous-config $quick >"$work/join" 2>&1 </dev/null &
joiner=$!
end "a job that somebody joins grows" 0 "relaunch to grow: localhost_[0-9]+_[0-9]+ is taken in; 4 engines and 0 standbys on 127.0.0.1:2, localhost:2"
same_weights "growth"
wait $joiner || fail_if "who joined ends as the job does" "$? $(cat "$work/join")"
grep -q "taken in by 127.0.0.1_[0-9]*_0, which launches the job again with this machine" "$work/join" || fail_if "who joined is told" "$(cat "$work/join")"
[ "$(value "$work/result" 'job["size"]')" = 4 ] || fail_if "4 engines" "$(cat "$work/result")"

expect "a lease that is too short" 2 "lease must be longer" "$muster" run -n 1 --relaunch 1 --lease 1 --silence 3 -- "$member" silent
expect "srun outside an allocation" 2 "not in a Slurm allocation" env -u SLURM_JOB_ID "$muster" run -n 1 --launcher srun -- "$member"
expect "--dry-run" 0 "" "$muster" run -n 2 --min 1 --relaunch 3 --dry-run -- "$train"
says "--dry-run" "^would run .*mpirun --with-ft ulfm -n 2 .*train$"
says "--dry-run" "^relaunches  3, down to 1 engines$"
no_leftovers "all"
finish
