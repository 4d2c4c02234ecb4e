#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Kills a whole training job, mpirun and all ranks, in mid-run, starts it again on the same directory and compares the
# weights with plain_train's: as it was, with other numbers of engines, with the newest checkpoint damaged or cut, with
# a death in the first step after the restart. Usage: train_restarts.sh MPIRUN TRAIN PLAIN_TRAIN
set -uo pipefail
mpirun=$1 train=$2 plain=$3
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
steps=80 every=7
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0
flags=(--with-ft ulfm --mca mpi_preconnect_mpi 1 --mca coll_ftagree_agreement 1 --mca mpi_yield_when_idle 1
    --bind-to none --oversubscribe --mca coll ^han,cuda)

launch() { timeout 60 "$mpirun" "${flags[@]}" "$@" 2> "$scratch/errors"; }
weights() { sed -n 's/.*"weights": "\([0-9a-f]*\)".*/\1/p' "$scratch/result"; }

say() {
    echo "$1 $2"
    [[ $1 == FAILED ]] || return 0
    tail -n 8 "$scratch/errors"
    failed=1
}

# The steps that all 4 parts are there of, ascending.
whole_steps() {
    find "$1" -name '*.checkpoint' -printf '%f\n' | cut -d. -f2,3 | sort -n | uniq -c | awk '$1 == 4 {print $2}' | cut -d. -f1
}

# Starts a job of 4, waits for its line about step 50 and kills everything that belongs to it.
kill_everything() {
    mkfifo "$scratch/lines"
    "$mpirun" "${flags[@]}" -n 4 "$train" --steps $steps --step-ms 10 --checkpoint "$scratch/saved" --every $every \
        2> "$scratch/lines" &
    local job=$! line ranks seen=no
    exec 3< "$scratch/lines"
    while read -r -t 30 -u 3 line; do
        [[ $line == "step 50/"* ]] && seen=yes && break
    done
    mapfile -t ranks < <(pgrep -P $job)
    kill -KILL "${ranks[@]}" $job
    wait $job 2> "$scratch/errors"
    exec 3<&-
    # The last rank is gone when nobody writes to the pipe any more; those that are left would still save.
    for rank in "${ranks[@]}"; do
        for ((i = 0; i < 500; ++i)); do kill -0 "$rank" 2> /dev/null && sleep 0.01 || break; done
    done
    [[ $seen == yes && ${#ranks[@]} -ge 4 ]]
}

# goes_on NAME RANKS FROM_STEP [OPTION...]: a copy of what was saved leads from that step to the undisturbed weights.
goes_on() {
    local name=$1 ranks=$2 from=$3
    shift 3
    rm -f "$scratch/result"
    if launch -n "$ranks" "$train" --steps $steps --checkpoint "$scratch/copy" --every $every --json "$scratch/result" \
        "$@" && [[ $(weights) == "$expected" ]] && grep -q "goes on from step $from, saved by 4" "$scratch/errors"; then
        say ok "$name"
    else
        say FAILED "$name: from step $from; weights '$(weights)', expected '$expected'"
    fi
    return 0
}

copy() {
    rm -rf "$scratch/copy"
    cp -r "$scratch/saved" "$scratch/copy"
}

launch -n 2 "$plain" --steps $steps --json "$scratch/result" || exit 1
expected=$(weights)
mkdir "$scratch/saved"
if kill_everything; then say ok 'killed in mid-run'; else say FAILED 'killed in mid-run'; fi
newest=$(whole_steps "$scratch/saved" | tail -n 1)
before=$(whole_steps "$scratch/saved" | tail -n 2 | head -n 1)
[[ -n $newest && $newest -ge 42 && $before -lt $newest ]] || say FAILED "whole steps: $(whole_steps "$scratch/saved")"
newest_part=$(find "$scratch/saved" -name "muster-train.$newest.*.2-of-4.checkpoint" -printf '%f')

copy
goes_on 'the same size' 4 "$newest"
[[ $(whole_steps "$scratch/copy" | tail -n 1) == 77 ]] || say FAILED "the second job saves too: $(ls "$scratch/copy")"
goes_on 'once more, from the second job' 4 77
copy
goes_on '3 engines instead of 4' 3 "$newest"
copy
MUSTER_ENGINES=4 goes_on 'a death in the first step again' 5 "$newest" --kill "1@$((newest + 1)):in-commit"
copy
truncate -s -1 "$scratch/copy/$newest_part"
goes_on 'the newest cut by a byte' 4 "$before"
grep -q "step $newest is passed over: '$scratch/copy/$newest_part' is not whole at byte" "$scratch/errors" ||
    say FAILED 'the cut file is named'
copy
rm "$scratch/copy/$newest_part"
goes_on 'a part of the newest gone' 6 "$before"

copy
launch -n 2 "$train" --steps 20 --checkpoint "$scratch/copy" --json "$scratch/result"
if [[ $? != 0 ]] && grep -q "behind --steps 20" "$scratch/errors"; then say ok refused; else say FAILED refused; fi
exit $failed
