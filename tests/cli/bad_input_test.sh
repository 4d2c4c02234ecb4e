#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Bad input is refused before anything starts: a sentence that says what to do, and the right exit code.
. "$(dirname "$0")/lib.sh"

expect "no subcommand" 2 "subcommand is required" "$muster"
expect "unknown option is bad usage" 2 "." "$muster" run -n 1 --nonsense -- true
expect "a count that is no number" 2 "engines" "$muster" run -n x -- true
expect "no program" 2 "give it after --" "$muster" run -n 2
expect "unknown program" 2 "does not exist" "$muster" run -n 2 -- ./no-such-program
expect "unknown program in PATH" 2 "is not in PATH" "$muster" run -n 2 -- no-such-program
touch "$work/plain"
expect "not executable" 2 "chmod \+x" "$muster" run -n 2 -- "$work/plain"
expect "a directory" 2 "is a directory" "$muster" run -n 2 -- "$work"
expect "no engines" 2 "needs 1 engine" "$muster" run -n 0 -- true
expect "min above engines" 2 "could never run" "$muster" run -n 2 --min 3 -- true
expect "group size" 2 "does not divide" "$muster" run -n 3 --group-size 2 -- true
expect "negative standbys" 2 "0 or more" "$muster" run -n 2 --standbys -1 -- true
expect "engines of no ranks" 2 "engine-ranks 0: must be 1 or more" "$muster" run -n 2 --engine-ranks 0 -- true
expect "negative clients" 2 "clients -1: must be 0 or more" "$muster" run -n 2 --clients -1 -- true
expect "never a vote" 2 "consensus-every 0: must be 1 or more" "$muster" run -n 2 --consensus-every 0 -- true
expect "no fan-out" 2 "fan-out 0: must be 1 or more" "$muster" run -n 2 --fan-out 0 -- true
expect "unknown consensus" 2 "overlapped" "$muster" run -n 2 --consensus never -- true
expect "unknown work" 2 "requests" "$muster" run -n 2 --work sometimes -- true
expect "ranks of engines and clients" 2 "8 ranks .3 engines of 2 ranks . 1 standbys . 1 clients. do not fit in the 2 slots" \
    "$muster" run -n 3 --engine-ranks 2 --standbys 1 --clients 1 --hosts localhost:2 -- true
expect "more ranks than slots" 2 "do not fit in the 2 slots" "$muster" run -n 3 --hosts localhost:2 -- true
expect "bad host list" 2 "HOST:SLOTS" "$muster" run -n 2 --hosts a:b -- true
expect "unknown slot order" 2 "." "$muster" run -n 2 --slot-order random -- true
expect "json file" 2 "cannot be written" "$muster" run -n 2 --json /no/such/folder/file -- true
expect "a fault that there is not" 2 "'burn' is no fault; it may be kill, stop" "$muster" run -n 2 --inject burn:rank=1@step=2 -- true
expect "one of several faults" 2 "'PAUSE' is no state; it may be RUNNING, PAUSING" \
    "$muster" run -n 2 --inject kill:rank=1@step=2 --inject 'kill:rank=0@state=PAUSE' -- true
expect "a node's fault for a rank" 2 "'rank=1' must be the name of a node" "$muster" run -n 2 --inject node:rank=1@step=2 -- true
expect "a lock without an end" 2 "add :SECONDS" "$muster" run -n 2 --inject hold-lock:rank=1@step=2 -- true
expect "a fault for nobody" 2 "the job has the ranks 0 to 2" \
    "$muster" run -n 2 --standbys 1 --inject kill:rank=3@step=2 -- true
expect "a fault in the environment" 2 "add :MILLISECONDS" env MUSTER_INJECT=slow:rank=0@step=2 "$muster" run -n 2 -- true

meet="--rendezvous $work --run-id 1 --nodes 2"
expect "a meeting without a name" 2 "name the job with --run-id" "$muster" run --rendezvous "$work" --nodes 2 -- true
expect "a meeting of nobody knows how many" 2 "say with --nodes MIN:MAX" "$muster" run --rendezvous "$work" --run-id 1 -- true
expect "a meeting without a program" 2 "give it after --" "$muster" run $meet
expect "a meeting of hosts" 2 "give --host instead" "$muster" run $meet --hosts a:2 -- true
expect "no number of nodes" 2 "write it as MIN or MIN:MAX" "$muster" run --rendezvous "$work" --run-id 1 --nodes 2:x -- true
expect "T02 less than none" 2 "The minimum number of nodes .0. must be greater than zero" \
    "$muster" run --rendezvous "$work" --run-id 1 --nodes 0 -- true
expect "T02 most below least" 2 "maximum number of nodes .1. must be greater than or equal to the minimum number of nodes .2." \
    "$muster" run --rendezvous "$work" --run-id 1 --nodes 2:1 -- true
expect "no directory to meet in" 2 "there is no such directory" "$muster" run --rendezvous "$work/no" --run-id 1 --nodes 2 -- true
expect "unknown time" 2 "KEY one of join_timeout" "$muster" run $meet --rendezvous-config patience=1 -- true
expect "a host of slots that are none" 2 "NAME:SLOTS" "$muster" run $meet --host a:0 -- true
expect "two hosts" 2 "this machine alone" "$muster" run $meet --host a:1,b:1 -- true
expect "--host without a meeting" 2 "a job's hosts are --hosts" "$muster" run -n 2 --host a:2 -- true
expect "--nodes without a meeting" 2 "give --rendezvous DIR too" "$muster" run -n 2 --nodes 2 -- true
expect "--join without a place" 2 "give the job's --rendezvous DIR too" "$muster" run --join 1
expect "--join with a program" 2 "takes the running job's command" "$muster" run --join 1 --rendezvous "$work" -- true
expect "--join and a run id" 2 "leave out --run-id" "$muster" run --join 1 --run-id 1 --rendezvous "$work"
expect "--join of nothing" 18 "nobody has met there under this run id" "$muster" run --join 1 --rendezvous "$work"

expect "mpirun missing" 15 "install Open MPI" "$muster" run -n 2 --mpirun "$work/mpirun" -- true
expect "mpirun missing by variable" 15 "MUSTER_MPIRUN" env MUSTER_MPIRUN="$work/mpirun" "$muster" run -n 2 -- true
mkdir "$work/bin"
printf '#!/bin/sh\necho "mpirun (Open MPI) 4.1.4"\n' >"$work/bin/mpirun"
printf '#!/bin/sh\necho " Fault Tolerance support: no"\n' >"$work/bin/ompi_info"
chmod +x "$work"/bin/*
expect "mpirun without ULFM" 15 "4.1.4 .* has no ULFM" "$muster" run -n 2 --mpirun "$work/bin/mpirun" -- true
printf '#!/bin/sh\necho "HYDRA build details:"\n' >"$work/bin/mpirun"
expect "another MPI" 15 "is not Open MPI" "$muster" run -n 2 --mpirun "$work/bin/mpirun" -- true
expect "doctor without mpirun" 15 "" "$muster" doctor --mpirun "$work/none"
says "doctor says what to do" "-> install Open MPI"

printf '#!/bin/sh\necho "mpirun (Open MPI) 5.0.11"\n' >"$work/bin/mpirun"
printf '#!/bin/sh\necho " Fault Tolerance support: yes"\n' >"$work/bin/ompi_info"
printf '#!/bin/sh\n[ "$1" = good ] || { echo "no route to $1" >&2; exit 255; }\n' >"$work/agent"
chmod +x "$work/agent"
expect "a host that does not answer" 15 "host bad does not answer.*no route to bad" \
    "$muster" run -n 2 --mpirun "$work/bin/mpirun" --hosts good:1,bad:1 --rsh "$work/agent" -- true
grep -q "host good" "$work/err" && fail_if "the good host is not blamed" "it is"
expect "version" 0 "" "$muster" --version
says "version is said" "^muster [0-9]"
for command in run doctor; do
    expect "help of $command" 0 "" "$muster" "$command" --help
    says "examples of $command" "^  muster $command"
done
finish
