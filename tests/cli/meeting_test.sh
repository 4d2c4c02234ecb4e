#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Several `muster run` meet in a directory: one launches for all, and all end with its code; spares; late ones.
. "$(dirname "$0")/meeting.sh"

next_job
begin b localhost:2 2 -- bash -c 'echo "started $OMPI_COMM_WORLD_RANK of $OMPI_COMM_WORLD_SIZE"'
begin a 127.0.0.1:1 2 -- bash -c 'echo "started $OMPI_COMM_WORLD_RANK of $OMPI_COMM_WORLD_SIZE"'
end "the lowest launches on all" a 0 "round 0, 2 nodes: launching 3 engines on 127.0.0.1:1, localhost:2"
[ "$(sort "$work/a.out" | tr '\n' ' ')" = "started 0 of 3 started 1 of 3 started 2 of 3 " ] || fail_if "3 ranks" "$(cat "$work/a.out")"
end "the other waits" b 0 "rank 0 of round 0 .127.0.0.1_[0-9]+_0. has launched the job"
[ -s "$work/b.out" ] && fail_if "the other launches nothing" "$(cat "$work/b.out")"
for step in handler.next_rendezvous executor.add_to_participants executor.mark_rendezvous_complete; do
    cat "$work/a.json" "$work/b.json" | grep -q "\"event\":\"rendezvous\".*\"name\":\"$step\"" || fail_if "T35 $step" "no record"
done
begin late localhost:1 2 -- true
end "nobody gets into a closed one" late 18 "is closed: its job is over, take another --run-id .RendezvousClosedError"

next_job
begin a 127.0.0.1:1 2 -- bash -c 'exit 7'
begin b localhost:1 2 -- bash -c 'exit 7'
end "the program's code" a 7 "mpirun's exit code 7 is passed on"
end "the same code" b 7 "exit code 7 is passed on .told by rank 0 of round 0 .127"

next_job   # 1 to 2 are enough: last call after 0.5 s. Then one more may come, but the launcher cannot take it in.
begin a 127.0.0.1:2 1:2 -n 2 -- "${until_told[@]}" "$work/go.$run_id" 0
started a 2
join() { expect "$1" 18 "$2" "$muster" run --join "$run_id" --rendezvous "$work/meet" --host localhost:4 --rendezvous-config "$quick"; }
join "--join is refused" "refused .18.: the job '$run_id' is running in round 0 with 2 engines on 127.0.0.1:2; its launcher cannot add processes to a running MPI job, and it was not started with --allow-relaunch"
begin late localhost:1 1:2 -- true
end "T22 a late one too" late 18 "refused .18.: the job '$run_id' is running in round 0"
await a "localhost_[0-9]+_0 asked to be taken in and was refused"
go; end "the job goes on" a 0 ""

next_job
begin a 127.0.0.1:1 1:2 --allow-relaunch -- "${until_told[@]}" "$work/go.$run_id" 0
started a 1
timeout 60 "$muster" run --join "$run_id" --rendezvous "$work/meet" --host localhost:1 --rendezvous-config "$quick" >"$work/j.out" 2>"$work/j.err" &
pid[j]=$!
await j "taken in by 127.0.0.1_[0-9]+_0, which launches the job again with this machine; waiting for its end"
go; end "it goes on: this program has joined no session" a 0 ""
end "and who was taken in sees it through" j 0 ""

next_job   # T19, T18: a redundant one waits beyond its deadline and ends gracefully.
begin a 127.0.0.1:1 1 -- "${until_told[@]}" "$work/go.$run_id" 5
started a 1
begin spare localhost:1 1 -- true
await spare "the 1 places of round 0 are taken; waiting as a warm spare"
sleep 0.5; kill -0 "${pid[spare]}" || fail_if "a spare waits" "it has gone"
go; end "the job beside a spare" a 5 ""
end "a spare that was not needed" spare 0 "^muster: The rendezvous '$run_id' is closed, terminating pending rendezvous.$"

next_job   # A death while it waits for others: found by its missing keep-alives.
begin dies 127.0.0.1:1 3 -- true
begin a localhost:1 3 -- bash -c 'echo "started $OMPI_COMM_WORLD_RANK of $OMPI_COMM_WORLD_SIZE"'
await dies "waiting in"; await a "waiting in"
for _ in $(seq 200); do grep -q '"executor.run"' "$work/dies.json" && break; sleep 0.05; done   # it is on the list
kill -KILL "$(muster_of dies)"; end "killed" dies 137 ""
begin b localhost:1 3 -- bash -c 'echo "started $OMPI_COMM_WORLD_RANK of $OMPI_COMM_WORLD_SIZE"'
begin c localhost:1 3 -- bash -c 'echo "started $OMPI_COMM_WORLD_RANK of $OMPI_COMM_WORLD_SIZE"'
end "three without the dead one" a 0 ""; end "three without the dead one" b 0 ""; end "three without the dead one" c 0 ""
[ "$(cat "$work"/[abc].out | grep -c 'of 3$')" = 3 ] || fail_if "3 ranks once" "$(cat "$work"/[abc].out)"
grep -h "launching" "$work"/[abc].err | grep -q "3 nodes: launching 3 engines on localhost:3" || fail_if "T9 the dead one is not counted" "$(cat "$work"/[abc].err)"

next_job   # What was missing is named.
quick=${quick/join_timeout=20/join_timeout=1}
begin a localhost:1 2:3 -- true
end "T21 alone until the deadline" a 17 "was not complete within 1 s: beside this node nobody had come, of at least 2 nodes .RendezvousTimeoutError"
finish
