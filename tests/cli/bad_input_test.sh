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
