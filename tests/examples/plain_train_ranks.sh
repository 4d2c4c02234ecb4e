#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Trains on 1, 2, 3 and 4 ranks in plain MPI: all must end with the same weights.
# Usage: plain_train_ranks.sh MPIRUN PLAIN_TRAIN
set -euo pipefail
mpirun=$1 program=$2
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
result=$(mktemp)
trap 'rm -f "$result"' EXIT

first=
for ranks in 1 2 3 4; do
    timeout 25 "$mpirun" -n "$ranks" --with-ft ulfm --mca mpi_yield_when_idle 1 --bind-to none --oversubscribe \
        --mca coll ^han,cuda "$program" --steps 60 --json "$result"
    weights=$(grep '"weights"' "$result")
    echo "$ranks ranks: $weights"
    if [[ -z $first ]]; then first=$weights; fi
    if [[ $weights != "$first" ]]; then
        echo "$ranks ranks end with other weights than one rank" >&2
        exit 1
    fi
done
