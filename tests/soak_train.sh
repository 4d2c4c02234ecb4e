#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Trains again and again while ranks are killed at random steps and points: none may hang, none may end with other
# weights than the undisturbed run. One line per run, a summary at the end.
#   tests/soak_train.sh [--runs 50] [--seed K] [--steps 60] [--bin build/release/bin] [--only RUN]
# A run that went wrong is repeated by its seed: --seed K --only RUN. Status: 0 all well; 1 a hang or a wrong result.
exec python3 "$(dirname "${BASH_SOURCE[0]}")/soak_train.py" "$@"
