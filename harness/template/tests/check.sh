#!/bin/sh
# check.sh STEP WORK BUILD: what BUILD installs, used from outside of it, in the folder WORK.
#   built     installs it to WORK/prefix
#   template  a copy of the installed template finds the package, builds, and passes clauses with the installed command
#   pkg       the same source, compiled with what pkg-config says
#   agent     the installed agent in Python passes a clause; skipped without Python
# CC, CMAKE and PYTHON are what the build uses.
set -eu
step=$1 work=$2 build=$3
prefix=$work/prefix
unset IPCMARK_EXEC_PATH IPCMARK_DRIVER_PATH

fail() {
    echo "check.sh: $*" >&2
    exit 1
}

quietly() {
    "$@" >"$work/$step.log" 2>&1 || { cat "$work/$step.log" >&2; fail "$1 failed"; }
}

ipcmark() {
    (cd "$work" && "$prefix/bin/ipcmark" "$@" --keep "$work/evidence-$step")
}

package_dir() {
    dirname "$(find "$prefix" -name "$1" | head -n 1)"
}

case $step in
built)
    rm -rf "$prefix"
    quietly "$CMAKE" -DCMAKE_INSTALL_PREFIX="$prefix" -P "$build/cmake_install.cmake"
    found=$(grep -rlF --include='*.cmake' --include='*.pc' -e "$build/" "$prefix" || true)
    [ -z "$found" ] || fail "these refer to the build: $found"
    ;;
template)
    rm -rf "$work/mine"
    cp -r "$prefix/share/ipcmark/template" "$work/mine"
    quietly "$CMAKE" -S "$work/mine" -B "$work/mine/build" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_C_COMPILER="$CC" \
        -DCMAKE_C_FLAGS="-Wall -Wextra -Wpedantic -Werror"
    quietly "$CMAKE" --build "$work/mine/build"
    (cd "$work/mine" && "$prefix/bin/ipcmark" drivers build/mine.so) || fail "the driver cannot be used"
    ipcmark conformance --driver "$work/mine/build/mine.so" --quick --clause DEL-001 --clause CON-001 --clause CON-004 \
        --clause LIFE-003 --clause ISO-002 --clause KILL-002 || fail "the template does not pass its clauses"
    ;;
pkg)
    flags=$(PKG_CONFIG_PATH=$(package_dir ipcmark.pc) pkg-config --cflags ipcmark)
    # shellcheck disable=SC2086 # a list of flags
    "$CC" -std=c11 -D_GNU_SOURCE -Wall -Wextra -Wpedantic -Werror -shared -fPIC -o "$work/pkg.so" \
        "$prefix/share/ipcmark/template/mine.c" -pthread $flags
    ipcmark conformance --driver "$work/pkg.so" --quick --clause DEL-001 || fail "compiled by hand it does not pass"
    ;;
agent)
    [ -n "$PYTHON" ] || { echo "python3 is not installed"; exit 77; }
    ipcmark conformance --agent "$PYTHON $prefix/share/ipcmark/agents/python/agent.py" --quick --clause DEL-001 ||
        fail "the agent does not pass"
    ;;
*)
    fail "there is no step $step"
    ;;
esac
