#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Stories told to `muster transcript MACHINE`, in a folder each: input above ----, the whole answer below; MUSTER_REWRITE=1 writes the answers
# anew, to be read as a diff. And: the diagrams in DESIGN.md are what the tables print.
. "$(dirname "$0")/lib.sh"

tell() {
    local story=$1 name machine code got why=""
    name=$(basename "$story" .txt)
    machine=$(basename "$(dirname "$story")")
    code=$(sed -n '1s/^# exit \([0-9]*\)$/\1/p' "$story")
    sed '/^----$/,$d; /^#/d' "$story" >"$work/in"
    timeout 30 "$muster" transcript "$machine" <"$work/in" >"$work/out" 2>"$work/err"
    got=$?
    if [ -n "${MUSTER_REWRITE:-}" ]; then
        { sed '/^----$/q' "$story"; cat "$work/out"; } >"$work/story" && cp "$work/story" "$story"
    fi
    [ "$got" = "${code:-0}" ] || why="exit code $got, not ${code:-0}"
    sed '1,/^----$/d' "$story" | diff - "$work/out" >"$work/diff" || why="$why; another answer: $(cat "$work/diff")"
    [ -s "$work/out" ] || why="$why; no answer at all"
    [ ! -s "$work/err" ] || why="$why; stderr is not empty"
    fail_if "story $machine/$name" "$why"
}
for story in "$here"/transcript_stories/*/*.txt; do tell "$story"; done

expect "the diagram" 0 "" "$muster" transcript lifecycle --diagram
sed '1,/^<!-- lifecycle diagram -->$/d; /^<!-- end -->$/,$d' "$here/../../DESIGN.md" >"$work/in_design"
fail_if "DESIGN.md shows the tables as they are" "$(diff "$work/in_design" "$work/out" | head -20)"
grep -q "PAUSING --> PAUSED" "$work/out" || fail_if "the diagram has edges" "it lacks PAUSING --> PAUSED"

printf '\377\376{"event"\000:1}\n{"event":"\377"}\n' >"$work/in"
timeout 30 "$muster" transcript lifecycle <"$work/in" >"$work/out" 2>"$work/err"
verdict "bytes that are no text" "$?" 2 ""
[ "$(grep -c '^{"error":' "$work/out")" = 2 ] || fail_if "bytes that are no text" "each is an error"

# An answer comes at once: a conversation, not a batch.
mkfifo "$work/ask" "$work/answer"
timeout 30 "$muster" transcript lifecycle <"$work/ask" >"$work/answer" &
talker=$!
exec {ask}>"$work/ask" {answer}<"$work/answer"
echo '{"event":"pause"}' >&"$ask"
read -r -t 20 line <&"$answer"
[[ "$line" == *'"to":"PAUSING"'* ]] || fail_if "answers come at once" "got: $line"
exec {ask}>&-
wait "$talker" || fail_if "a conversation ends well" "exit code $?"

expect "no machine" 2 "subcommand is required" "$muster" transcript
expect "help" 0 "" "$muster" transcript lifecycle --help
says "help has examples" "^  muster transcript lifecycle"
expect "help of rendezvous" 0 "" "$muster" transcript rendezvous --help
says "help of rendezvous has examples" "^  muster transcript rendezvous"
expect "help of waves" 0 "" "$muster" transcript waves --help
says "help of waves has examples" "^  muster transcript waves"

# Where a line has no answer there is none, not an empty one.
printf '{"settings":{"run_id":"a","min_nodes":1,"max_nodes":1}}\n{"backend":"lost"}\n' >"$work/in"
timeout 30 "$muster" transcript rendezvous <"$work/in" >"$work/out" 2>"$work/err"
verdict "lines without an answer" "$?" 0 ""
[ ! -s "$work/out" ] || fail_if "lines without an answer" "there is one"
finish
