#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing, builds and tests.
#   tests/run.sh [--build] [-R REGEX] [-j JOBS] [--preset release|debug|asan|tsan]
#     --build        stop after building
#     -R REGEX       only tests whose name matches (ctest -R)
#     -j JOBS        tests at a time (default 2; tests that need the machine to themselves say so to ctest)
#     --preset NAME  which build (default release, in build/release)
# The exit status is ctest's: 0 when no test failed.
set -eu
usage() { sed -n '3,9s/^# \{0,1\}//p' "$0"; }

build_only=0 preset=release select=() jobs=2
while [ $# -gt 0 ]; do
    case $1 in
        --build) build_only=1 ;;
        -R | -j | --preset)
            [ $# -ge 2 ] || { echo "run.sh: $1 needs a value" >&2; exit 2; }
            case $1 in -R) select=(-R "$2" --no-tests=error) ;; -j) jobs=$2 ;; *) preset=$2 ;; esac
            shift ;;
        -h | --help) usage; exit 0 ;;
        *) echo "run.sh: unknown option '$1'" >&2; usage >&2; exit 2 ;;
    esac
    shift
done

. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
setup
setup_slurm
cd "$muster_root"
setup_configure "$preset"
cmake --build --preset "$preset"
[ "$build_only" = 1 ] && exit 0

# An mpirun that was killed leaves its session folder; another one that happens to get its pid does not start then
# ("The PMIx server's listener thread failed to start"). Ours are swept once nobody has that pid.
for folder in "${TMPDIR:-/tmp}"/ompi.[0-9]*; do
    [ -O "$folder" ] && [ ! -e "/proc/${folder##*.}" ] && rm -rf "$folder"
done
exec ctest --test-dir "build/$preset" --output-on-failure -j "$jobs" "${select[@]}"
