#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Usage: saver.sh MPIRUN SAVER
set -uo pipefail
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
output=$(timeout 40 "$1" --with-ft ulfm --mca mpi_preconnect_mpi 1 --mca coll_ftagree_agreement 1 --mca mpi_yield_when_idle 1 \
    --bind-to none --oversubscribe --mca coll ^han,cuda -n 2 "$2" "$scratch")
echo "$output"
# Not by its exit code: mpirun may say 0 where both ranks have aborted.
[[ $(grep -c "^whole$" <<< "$output") == 2 && $output != *WRONG* ]]
