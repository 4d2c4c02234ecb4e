#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A Debian sid system with Open MPI 6 and PRRTE 5 in a folder, kept for later runs: the stack on which mpirun outlives the
# loss of a whole node. About half a minute and 1 GB, made once; what is built in it is built again where it has changed.
#
#   openmpi6.sh root              makes it where it is missing and prints its folder; exits 77 and says why where that
#                                 cannot be had (no root, no sid here, no network)
#   openmpi6.sh build TARGET...   builds the project in it; the programs are in build/openmpi6/bin
# A lab's nodes run it with MUSTER_LAB_ROOT=FOLDER (nodes.sh).
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$here/../.." && pwd)
root=$repository/.deps/openmpi6
packages=openmpi-bin,libopenmpi-dev,g++,cmake,ninja-build,ccache,mount,util-linux,procps,iproute2,python3
packages+=,nlohmann-json3-dev,libcli11-dev,libgtest-dev,zlib1g-dev

skip() { echo "openmpi6: skipped: $*"; exit 77; }

archive() {   # the Debian mirror that this machine uses
    local found
    found=$(grep -rhE '^(URIs:|deb )' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null |
            grep -oE 'https?://[^ ]+/debian/?( |$)' | head -1)
    echo "${found:-http://deb.debian.org/debian}"
}

make_root() {
    [ -d "$root" ] && return   # There only when it is whole.
    "$here/nodes.sh" check >&2 || skip "$("$here/nodes.sh" check)"
    command -v mmdebstrap >/dev/null || { apt-get update -q && apt-get install -y -q --no-install-recommends mmdebstrap; } >&2 ||
        skip "mmdebstrap is missing and could not be installed"
    local keys=/usr/share/keyrings/debian-archive-keyring.gpg log=$repository/.deps/openmpi6.log
    mkdir -p "$repository/.deps"
    rm -rf "$root.new"
    # The archive's index of sid may be a stored one, past its date.
    mmdebstrap --variant=apt --aptopt='Acquire::Check-Valid-Until "false"' --include="$packages" sid "$root.new" \
        "deb [signed-by=$keys] $(archive) sid main" >"$log" 2>&1 ||
        { tail -3 "$log" >&2; rm -rf "$root.new"; skip "Debian sid could not be had from $(archive), see $log"; }
    mv "$root.new" "$root"
}

# Runs a command in it, with the repository under its own path; the mounts are gone when it ends.
inside() {
    unshare --mount --propagation private bash -c '
        root=$1 repository=$2; shift 2
        mkdir -p "$root$repository"
        for folder in /dev /proc /sys "$repository"; do mount --rbind "$folder" "$root$folder" || exit; done
        exec chroot "$root" env -i PATH=/usr/bin:/bin:/usr/sbin:/sbin HOME=/root MPI_HOME=/usr CCACHE_DIR=/var/cache/ccache \
            CMAKE_CXX_COMPILER_LAUNCHER=ccache "$@"' inside "$root" "$repository" "$@"
}

build() {
    local folder=$repository/build/openmpi6 log=$repository/build/openmpi6.log
    mkdir -p "$repository/build"
    # g++ 16 takes a moved variant for uninitialised in places; what is an error is tried with this machine's compiler.
    { inside cmake -S "$repository" -B "$folder" -G Ninja -DCMAKE_BUILD_TYPE=Release -DMPI_HOME=/usr \
        -DMUSTER_WARNINGS_AS_ERRORS=OFF && inside nice -n 19 cmake --build "$folder" --parallel 2 --target "$@"; } >"$log" 2>&1 ||
        { tail -20 "$log"; echo "openmpi6: the build in $root failed, see $log"; exit 1; }
}

case ${1:-} in
    root) make_root; echo "$root" ;;
    build) shift; make_root; build "$@" ;;
    *) sed -n '3,/^set -u/{/^set/d;s/^# \{0,1\}//;p}' "$0"; exit 2 ;;
esac
