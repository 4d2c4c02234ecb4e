# SPDX-License-Identifier: Apache-2.0
# For the scripts beside it: what is expected of one run of muster. Nothing here kills by name.
set -u
muster=$(realpath "$1")
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
member=$here/fake_member.sh
work=$(mktemp -d "${TMPDIR:-/tmp}/muster-cli.XXXXXX")
failures=0
trap 'rm -rf "$work"' EXIT

# expect NAME CODE PATTERN COMMAND...: exit code, a line of stderr that matches (empty: nothing on stderr), no leftovers.
expect() {
    local name=$1 code=$2 pattern=$3 got; shift 3
    timeout 30 "$@" >"$work/out" 2>"$work/err" </dev/null
    got=$?
    verdict "$name" "$got" "$code" "$pattern"
}
verdict() {
    local name=$1 got=$2 code=$3 pattern=$4 why=""
    [ "$got" = "$code" ] || why="exit code $got, not $code"
    if [ -n "$pattern" ]; then grep -qE -- "$pattern" "$work/err" || why="$why; stderr lacks: $pattern"
    elif [ -s "$work/err" ]; then why="$why; stderr is not empty"; fi
    ! grep -qE 'terminate called|Aborted|\[0x[0-9a-f]+\]$' "$work/err" || why="$why; stack trace"
    fail_if "$name" "$why"
}
fail_if() {
    if [ -z "$2" ]; then echo "ok    $1"; return; fi
    failures=$((failures + 1))
    echo "FAIL  $1: $2"; sed 's/^/      | /' "$work/out" "$work/err"
}
says() { grep -qE -- "$2" "$work/out" || fail_if "$1" "stdout lacks: $2"; }
# Processes that carry this script's own mark in their environment: members that outlived their job.
leftovers() { grep -lz "^MUSTER_TEST_MARK=$MUSTER_TEST_MARK\$" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3 | grep -vx $$; }
no_leftovers() {
    local pid left=""
    for pid in $(leftovers); do
        [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = fake_member.sh ] && left="$left $pid"
    done
    fail_if "$1 leaves nobody behind" "$left"
}
export MUSTER_TEST_MARK=$$.$RANDOM
finish() { [ "$failures" = 0 ] && echo "all good" && exit 0; echo "$failures failed"; exit 1; }
