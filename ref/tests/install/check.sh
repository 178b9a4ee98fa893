#!/bin/sh
# check.sh STEP WORK SOURCE [BUILD]: the library as its users get it, in the folder WORK.
#   alone    configures SOURCE (ref/) by itself, as a shared library, and installs it to WORK/shared
#   exports  that library exports the functions of mmipc.h and nothing else
#   built    installs what BUILD, the surrounding build tree, has made of SOURCE to WORK/built
#   cmake    a project outside that finds it with find_package
#   pkg      programs that find it with pkg-config, as C and as C++
#   tool     the installed tool runs, and the manual is where man looks
# cmake, pkg and tool take it from each of the two. CC, CXX and CMAKE are what the surrounding build uses.
set -eu
step=$1 work=$2 source=$3 build=${4:-}

fail() {
    echo "check.sh: $*" >&2
    exit 1
}

# meet PROGRAM…: publishes from one process to another. Other steps run beside this one.
meet() {
    meeting=$work/meeting-$step heard=$work/heard-$step
    rm -rf "$meeting" && mkdir "$meeting"
    "$1" sub "$meeting" >"$heard" &
    subscriber=$! code=0
    "$1" pub "$meeting" || kill "$subscriber"
    wait "$subscriber" || code=$?
    [ "$code" -eq 0 ] && [ "$(cat "$heard")" = "$(printf 'hello world\nlent')" ] ||
        fail "$1 (exit $code) received: $(cat "$heard")"
    rmdir "$meeting" || fail "$1 left files behind"
    echo "$1: received all"
}

library_dir() {
    dirname "$(find "$1" -name 'libmmipc.so' -o -name libmmipc.a | head -n 1)"
}

# No installed text may lead back to the trees that it came from.
is_free_of() {
    for tree in "$source" "$2"; do
        found=$(grep -rlF --include='*.cmake' --include='*.pc' -- "$tree/" "$1" || true)
        [ -z "$found" ] || fail "these refer to $tree: $found"
    done
}

case $step in
alone)
    rm -rf "$work/shared" "$work/alone"
    "$CMAKE" -S "$source" -B "$work/alone" -G Ninja -DCMAKE_INSTALL_PREFIX="$work/shared" -DBUILD_SHARED_LIBS=ON \
        -DBUILD_TESTING=OFF -DMMIPC_WERROR=ON -DCMAKE_BUILD_TYPE=None -DCMAKE_C_COMPILER="$CC" -DCMAKE_CXX_COMPILER="$CXX" >"$work/alone.log" ||
        { cat "$work/alone.log" >&2; fail "it does not configure alone"; }
    "$CMAKE" --build "$work/alone" >"$work/alone.log" || { cat "$work/alone.log" >&2; fail "it does not build alone"; }
    "$CMAKE" --install "$work/alone" >"$work/alone.log" || { cat "$work/alone.log" >&2; fail "it does not install alone"; }
    is_free_of "$work/shared" "$work/alone"
    ;;
exports)
    declared=$(sed -n 's/^MMIPC_API [a-z][a-z_ *]*[ *]\(mmipc_[a-z_]*\)(.*/\1/p' "$work/shared/include/mmipc/mmipc.h" | sort)
    exported=$(nm -D --defined-only "$(library_dir "$work/shared")/libmmipc.so" | sed 's/.* //' | sort)
    [ -n "$declared" ] && [ "$declared" = "$exported" ] || fail "declared:
$declared
exported:
$exported"
    echo "$declared" | wc -l
    ;;
built)
    rm -rf "$work/built"
    "$CMAKE" -DCMAKE_INSTALL_PREFIX="$work/built" -DCMAKE_INSTALL_LOCAL_ONLY=OFF -P "$build/cmake_install.cmake" >"$work/built.log" ||
        { cat "$work/built.log" >&2; fail "it does not install"; }
    is_free_of "$work/built" "$build"
    ;;
cmake)
    for flavour in shared built; do
        rm -rf "$work/consumer-$flavour" "$work/consumer"
        cp -r "$source/tests/install/consumer" "$work/consumer"
        "$CMAKE" -S "$work/consumer" -B "$work/consumer-$flavour" -G Ninja -DCMAKE_PREFIX_PATH="$work/$flavour" \
            -DCMAKE_C_COMPILER="$CC" -DCMAKE_CXX_COMPILER="$CXX" >/dev/null
        "$CMAKE" --build "$work/consumer-$flavour" >"$work/consumer.log" || { cat "$work/consumer.log" >&2; fail "see above"; }
        meet "$work/consumer-$flavour/consumer_c"
        meet "$work/consumer-$flavour/consumer_cpp"
    done
    ;;
pkg)
    for flavour in shared built; do
        libraries=$(library_dir "$work/$flavour") static=
        [ -e "$libraries/libmmipc.so" ] || static=--static
        export PKG_CONFIG_PATH="$libraries/pkgconfig" LD_LIBRARY_PATH="$libraries"
        # shellcheck disable=SC2046,SC2086 # lists of flags
        "$CC" -std=c11 -Wall -Wextra -Wpedantic -Werror "$source/tests/install/consumer/consumer.c" -o "$work/pkg_c" \
            $(pkg-config $static --cflags --libs mmipc)
        # shellcheck disable=SC2046,SC2086
        "$CXX" -x c++ -std=c++17 -Wall -Wextra -Wpedantic -Werror "$source/tests/install/consumer/consumer.c" -x none \
            -o "$work/pkg_cpp" $(pkg-config $static --cflags --libs mmipc)
        meet "$work/pkg_c"
        meet "$work/pkg_cpp"
    done
    ;;
tool)
    for flavour in shared built; do
        version=$(PKG_CONFIG_PATH="$(library_dir "$work/$flavour")/pkgconfig" pkg-config --modversion mmipc)
        [ "$("$work/$flavour/bin/mmipc" --version)" = "mmipc $version" ] || fail "$flavour/bin/mmipc is not of version $version"
        for page in man1/mmipc.1 man3/mmipc_publish.3 man3/mmipc_publish_parts.3 man7/mmipc.7; do
            [ -s "$work/$flavour/share/man/$page" ] || fail "$flavour has no $page"
        done
    done
    ;;
*)
    fail "there is no step $step"
    ;;
esac
