# SPDX-License-Identifier: Apache-2.0
# For the tests of relaunches over emulated nodes: bin, out (shared by all nodes), train's result, waiting, leftovers.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bin=$(cd "${1:?folder of muster and train}" && pwd)
name=$(basename "$0" .sh)
out=$(mktemp -d "$bin/../$name.XXXXXX")   # not in /tmp: every node has its own
export MUSTER_LAB=$name$$ MUSTER_LAB_OWNER=$$
trap '"$here/nodes.sh" down "$MUSTER_LAB"; rm -rf "$out"' EXIT

fail() { echo "$name: FAILED: $*"; tail -n 40 "$out"/*.log 2>/dev/null; exit 1; }
value() { python3 -c 'import json,sys; print(eval(sys.argv[2], {"job": json.load(open(sys.argv[1]))}))' "$1" "$2" 2>&1; }
# Of the lines of --json FILE that are relaunches, an expression over `all`.
relaunches() { python3 -c 'import json,sys; all = [e for e in map(json.loads, open(sys.argv[1])) if e["event"] == "relaunch"]; print(eval(sys.argv[2], {"all": all}))' "$1" "$2" 2>&1; }
awaits() {   # SECONDS WHAT COMMAND...: until it succeeds
    local seconds=$1 what=$2 end; shift 2
    end=$((SECONDS + seconds))
    while [ $SECONDS -lt $end ]; do "$@" && return; sleep 0.05; done
    fail "$what: not within $seconds s"
}
saved() { [ "$(find "$1" -name '*.checkpoint' 2>/dev/null | wc -l)" -ge "$2" ]; }
undisturbed() {   # STEPS: the weights to compare with
    timeout 180 "$bin/muster" run -n 4 -- "$bin/train" --steps "$1" --json "$out/alone.json" >"$out/alone.log" 2>&1 ||
        fail "the undisturbed run failed"
    expected=$(value "$out/alone.json" 'job["weights"]')
}
same_weights() { [ "$(value "$1" 'job["weights"]')" = "$expected" ] || fail "the weights of $1 differ: $(cat "$1")"; }
nothing_left() {
    "$here/nodes.sh" down "$MUSTER_LAB" || fail "the lab does not go down"
    ls /run/muster-lab/"$MUSTER_LAB"* 2>/dev/null && fail "files of the lab are left"
    grep -q muster-lab /proc/mounts && fail "mounts are left"
    pgrep -f "$out" >/dev/null && fail "processes are left: $(pgrep -af "$out")"
    return 0
}
