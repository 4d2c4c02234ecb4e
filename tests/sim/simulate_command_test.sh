#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# muster simulate: exit codes, one JSON object, the same seed gives the same figures.
. "$(dirname "$0")/../cli/lib.sh"

figures() { sed -E 's/"(seconds|events_per_s|memory_mib|first_seed)":[^,}]*,?//g' "$work/out"; }

expect "a world without faults" 0 "" "$muster" simulate --members 8 --group-size 2
says "a world without faults" "violations +0"
expect "members die" 0 "" "$muster" simulate --members 9 --standbys 2 --clients 1 --kill 0.002 --acts 2 --seeds 50 --json
says "members die" '"deaths":[1-9]'
says "members die" '"violations":\[\]'
first=$(figures)
expect "again" 0 "" "$muster" simulate --members 9 --standbys 2 --clients 1 --kill 0.002 --acts 2 --seeds 50 --json
[ "$first" = "$(figures)" ] || fail_if "the same seed is the same run" "figures differ"
expect "another seed" 0 "" "$muster" simulate --members 9 --standbys 2 --clients 1 --kill 0.002 --acts 2 --seeds 50 --json --seed 7
[ "$first" != "$(figures)" ] || fail_if "another seed is another run" "figures are equal"
expect "a rendezvous" 0 "" "$muster" simulate --machine rendezvous --members 20 --seeds 10 --json
for figure in members rounds deaths hangs wishes store_answered registry_answered; do
  says "a rendezvous" "\"$figure\":[1-9]"
done
says "a rendezvous" '"violations":\[\]'
first=$(figures)
expect "a rendezvous again" 0 "" "$muster" simulate --machine rendezvous --members 20 --seeds 10 --json
[ "$first" = "$(figures)" ] || fail_if "the same seed is the same rendezvous" "figures differ"
expect "replicas" 0 "" "$muster" simulate --machine rendezvous --controller --seeds 10 --json
says "replicas" '"seated":[1-9]'
says "replicas" '"violations":\[\]'
expect "waves" 0 "" "$muster" simulate --machine waves --members 20 --seeds 10 --json
for figure in rounds deaths hangs waves wakes aborted told_of_loads loads_most wake_us_max; do
  says "waves" "\"$figure\":[1-9]"
done
says "waves" '"violations":\[\]'
first=$(figures)
expect "waves again" 0 "" "$muster" simulate --machine waves --members 20 --seeds 10 --json
[ "$first" = "$(figures)" ] || fail_if "the same seed is the same waves" "figures differ"
expect "waves of many" 0 "" "$muster" simulate --machine waves --members 1032
says "waves of many" "violations +0"
expect "cycles" 0 "" "$muster" simulate --members 6 --engine-ranks 2 --cycles 3 --json
says "four barriers a cycle, two for the stop" '"barriers":14,'
expect "followed" 0 "crosses barrier 1" "$muster" simulate --members 2 --trace
expect "no whole engines" 2 "no multiple of 2" "$muster" simulate --members 7 --group-size 2
expect "nobody left" 2 "no engine is left" "$muster" simulate --members 3 --standbys 3
expect "deaths in a huge world" 2 "at most 1024" "$muster" simulate --members 5000 --kill 0.1
expect "unknown machine" 2 "lifecycle" "$muster" simulate --machine tape
expect "bad rate" 2 "kill" "$muster" simulate --kill 2
finish
