#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Several `muster run` that have met: deaths, stops and disagreements. Whoever is left says who is missing.
. "$(dirname "$0")/meeting.sh"
both() {   # a leads with a program that waits, b waits for its end
    next_job
    begin a 127.0.0.1:1 2 -- "${until_told[@]}" "$work/go.$run_id" 0
    begin b localhost:1 2 -- "${until_told[@]}" "$work/go.$run_id" 0
    started a 2; await b "has launched the job"
}

both; kill -KILL "$(muster_of a)"; end "killed" a 137 ""
end "the launcher dies" b 15 "launcher_failed .15.: rank 0 of round 0 .127.0.0.1_[0-9]+_0., which launched the job, has not been heard of for 2 s"

both; kill -TERM "$(muster_of a)"
end "the launcher is stopped" a 10 "stopped"; end "and the others with it" b 10 "stopped .10.: a signal asked muster run to stop .told by rank 0"

both; keeper=$(children_of "$(muster_of a)"); kill -KILL "$(children_of "$keeper")"
end "mpirun is killed" a 137 "mpirun's exit code 137"; end "mpirun is killed" b 137 "mpirun's exit code 137"

both; kill -TERM "$(muster_of b)"; end "one that waits is stopped" b 10 "the job goes on without this muster run"
kill -0 "${pid[a]}" || fail_if "the job goes on" "it has gone"
go; end "the job goes on without it" a 0 ""

both; kill -KILL "$(muster_of b)"; end "one that waits is killed" b 137 ""
sleep 2.5   # the launcher sees it expire and does not mind
go; end "the job goes on without it, again" a 0 ""

both; frozen=$(muster_of a); kill -STOP "$frozen"
# Where it hangs with the lock in its hand, nobody can write any more; that ends in the same code.
end "the launcher hangs" b 15 "has not been heard of for 2 s|meet/muster-$run_id.lock' was held by another process for 5000 ms"
kill -CONT "$frozen"; since=$SECONDS
end "a launcher that was given up stops its job" a 15 "the others have not heard of this muster run for 2 s .* its job was stopped"
[ $((SECONDS - since)) -lt 15 ] || fail_if "its job was stopped" "it ran to its end, $((SECONDS - since)) s"

both   # T10: a spare does not begin the job again when the launcher is gone.
begin spare localhost:1 2 -- "${until_told[@]}" "$work/go.$run_id" 0
await spare "waiting as a warm spare"
kill -KILL "$(muster_of a)"; end "killed" a 137 ""
end "the launcher dies" b 15 "has not been heard of"
end "a spare of a dead job" spare 15 "the job that ran in round 0 is gone, and this node does not begin it again"
short=${quick/join_timeout=20/join_timeout=1}
expect "nor does --join" 17 "its job did not begin within 1 s: round 1 is not complete, 0 nodes have come" \
    "$muster" run --join "$run_id" --rendezvous "$work/meet" --rendezvous-config "$short"

next_job
begin a 127.0.0.1:1 1 -- "${until_told[@]}" "$work/go.$run_id" 0
started a 1; kill -KILL "$(muster_of a)"; end "killed" a 137 ""; sleep 2.2
expect "--join of a dead job" 18 "its launcher, 127.0.0.1_[0-9]+_0, has not been heard of for 2 s" \
    "$muster" run --join "$run_id" --rendezvous "$work/meet" --rendezvous-config "$short"

both; mv "$work/meet" "$work/moved"   # the directory is out of reach
end "the directory goes" b 15 "launcher_failed .15.: .*cannot open the directory"
go; end "the job does not need it" a 0 "the others cannot be told how it ended"
mv "$work/moved" "$work/meet"

printf '#!/bin/sh\nsleep 5\n' >"$work/slow"; chmod +x "$work/slow"   # an mpirun that says nothing for longer than b waits
long=$quick; quick=${quick/join_timeout=20/join_timeout=3}
next_job
begin a 127.0.0.1:1 2 --mpirun "$work/slow" -- true
begin b localhost:1 2 -- true
end "a launcher that does not launch" b 17 "rank 0 of round 0 .127.0.0.1_[0-9]+_0. did not launch the job .key 'bootstrap'. within 3 s"
end "a launcher that does not launch" a 15 "slow"
quick=$long

next_job
begin a 127.0.0.1:2 2 --standbys 1 -- true
begin b localhost:2 2 -- true
end "two jobs under one run id" a 2 "bad_usage .2.: rank 1 .localhost_[0-9]+_0. wants another job: MUSTER_STANDBYS is '0' there and '1' here .rank 0, 127.0.0.1_"
end "both hear it" b 2 "MUSTER_STANDBYS is '0' there and '1' here"

next_job
begin a 127.0.0.1:2 2 -- true
begin b localhost:2 2 -- false
end "two programs" a 2 "the program is .false. there and .true. here"; end "two programs" b 2 "the program is"

next_job
begin a 127.0.0.1:1 2 -n 3 -- true
begin b localhost:1 2 -n 3 -- true
end "too few slots" a 2 "do not fit in the 2 slots"; end "too few slots" b 2 "do not fit in the 2 slots"

next_job   # INT while it waits: it is off the list at once, so the next two need not wait for it to expire.
quick=${quick/keep_alive_interval=0.1/keep_alive_interval=5}
begin a 127.0.0.1:1 2 -- true
for _ in $(seq 200); do grep -qs '"executor.run"' "$work/a.json" && break; sleep 0.05; done
kill -INT "$(muster_of a)"; end "INT while it waits" a 10 "stopped .10."
begin b localhost:1 2 -- true; begin c localhost:1 2 -- true
end "two others meet" b 0 ""; end "two others meet" c 0 ""
nobody_left "all of it"
finish
