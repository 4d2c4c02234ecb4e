#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# From nothing to a training job that loses two ranks and ends with the very same weights.
# Installs what is missing, builds, trains once undisturbed and once with two deaths: a rank in the middle of an
# all-to-all, and the standby that had just taken its place. Ends with a table.
# Status: 0 accuracy >= 0.95 and equal weights; 1 not so; otherwise what failed says why.
#   examples/quickstart.sh [--steps N]      (default: 240)
set -eu
steps=240
[ "${1:-}" != --steps ] || { steps=${2:?--steps needs a number}; shift 2; }
[ $# = 0 ] || { sed -n '3,8s/^# \{0,1\}//p' "$0"; exit 2; }

. "$(dirname "${BASH_SOURCE[0]}")/../tests/setup.sh"
setup
cd "$muster_root"
setup_configure release
cmake --build --preset release --target muster train plain_train

bin=$muster_root/build/release/bin
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
first_death=$((steps / 3)) second_death=$((steps / 3 + 4))
title() { if [ -t 1 ]; then printf '\n\033[1m== %s\033[0m\n' "$*"; else printf '\n== %s\n' "$*"; fi; }
# A run of this takes seconds; what takes minutes hangs, and that should be seen.
run() { echo "\$ muster $*"; timeout --signal=INT --kill-after=10 120 "$bin/muster" "$@"; }

title "4 engines, 2 standbys, nobody dies"
run run -n 4 --standbys 2 -- "$bin/train" --steps "$steps" --json "$out/undisturbed.json"

title "the same, rank 2 killed inside an all-to-all of step $first_death, rank 4, just promoted, at step $second_death"
run run -n 4 --standbys 2 -- "$bin/train" --steps "$steps" --json "$out/disturbed.json" \
    --kill "2@$first_death:in-alltoall" --kill "4@$second_death"

title "result"
python3 - "$out" <<'PYTHON'
import json, sys
calm, rough = (json.load(open(f"{sys.argv[1]}/{name}.json")) for name in ("undisturbed", "disturbed"))
equal = calm["weights"] == rough["weights"]
print(f'{"":24}{"undisturbed":>18}{"two deaths":>18}')
print(f'{"accuracy":24}{calm["accuracy"]:>18.4f}{rough["accuracy"]:>18.4f}')
print(f'{"weights":24}{calm["weights"][:16]:>18}{rough["weights"][:16]:>18}   {"equal" if equal else "NOT EQUAL"}')
print(f'{"steps done twice":24}{calm["steps_repeated"]:>18}{rough["steps_repeated"]:>18}')
for entry in rough["rounds"]:
    who = lambda ranks: ", ".join(f"rank {rank}" for rank in ranks) or "nobody"
    lost, promoted = ([r["rank"] if isinstance(r, dict) else r for r in entry[key]] for key in ("lost", "promoted"))
    print(f'stall of round {entry["round"]:<10}{entry["stalled_ms"]:>33.1f} ms   lost {who(lost)}, promoted {who(promoted)}')
wrong = []
if min(calm["accuracy"], rough["accuracy"]) < 0.95: wrong.append("the accuracy is below 0.95")
if not equal: wrong.append("the weights differ")
if len(rough["rounds"]) < 2: wrong.append("fewer than two rounds were rebuilt")
print("\n" + ("quickstart: failed: " + " and ".join(wrong) if wrong else
              "quickstart: two ranks died, and the weights are the same to the last bit."))
sys.exit(bool(wrong))
PYTHON
