#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Kills ranks of the training job at every point where examples/train can, and compares the weights with plain_train's.
# 4 engines and 2 standbys under plain mpirun. Usage: train_survives.sh MPIRUN TRAIN PLAIN_TRAIN [CASE]
set -uo pipefail
mpirun=$1 train=$2 plain=$3 only=${4:-}
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 MUSTER_ENGINES=4
steps=60
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

launch() {
    timeout 60 "$mpirun" --with-ft ulfm --mca mpi_preconnect_mpi 1 --mca coll_ftagree_agreement 1 \
        --mca mpi_yield_when_idle 1 --bind-to none --oversubscribe --mca coll ^han,cuda "$@" 2> "$scratch/errors"
}

weights() { sed -n 's/.*"weights": "\([0-9a-f]*\)".*/\1/p' "$scratch/result"; }

# How many ranks the rounds in the result say were lost.
lost() { tr -d ' \n' < "$scratch/result" | grep -o '"lost":\[[0-9,]*\]' | grep -o '[0-9]\+' | wc -l; }

launch -n 2 "$plain" --steps $steps --json "$scratch/result" || exit 1
expected=$(weights)
failed=0

# try NAME OPTIONS...: every --kill must happen, and the job end with the weights of a run that lost nobody.
try() {
    local name=$1
    shift
    local kills
    kills=$(grep -o -- --kill <<< "$*" | wc -l)
    [[ -n $only && $only != "$name" ]] && return
    rm -f "$scratch/result"
    local begin=$SECONDS
    if launch -n 6 "$train" --steps $steps --json "$scratch/result" "$@" && [[ $(weights) == "$expected" ]] &&
        [[ $(lost) == "$kills" ]]; then
        echo "ok     $name ($((SECONDS - begin)) s)"
    else
        echo "FAILED $name: $*; weights '$(weights 2> /dev/null)', expected '$expected', $kills lost"
        tail -n 5 "$scratch/errors"
        failed=1
    fi
}

try undisturbed
try in-alltoall --kill 2@20
try rank-0 --kill 0@20
try in-step --kill 1@20:in-step
try in-replicate --kill 1@20:in-replicate
try in-commit --kill 3@20:in-commit
try in-first-commit --kill 1@0:in-commit
try in-eval --kill 2@60:in-eval
try tracked --kill 2@20 --track
try standby-in-restore --kill 2@20 --kill 4@20:in-restore
try rank-0-then-engine-in-restore --kill 0@20 --kill 1@20:in-restore
try both-standbys --kill 2@20 --kill 4@30:in-commit
try more-than-standbys --kill 0@10 --kill 1@20 --kill 2@30 --track

exit $failed
