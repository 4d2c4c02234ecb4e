#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Random faults of all kinds against examples/train and examples/serve, in jobs of random shapes, again and again: none
# may hang, end with other weights or a lost request, or leave anything behind. One line a minute, a summary at the end.
#   tests/soak.sh [--minutes 10] [--seed K] [--only RUN] [--kinds kill,abort,...] [--nodes auto|yes|no] [--bin DIR]
# A run that went wrong is repeated by its seed and number: --seed K --only RUN.
# Status: 0 all well; 1 a hang, a wrong result, something left.
exec python3 -B "$(dirname "${BASH_SOURCE[0]}")/soak.py" "$@"
