#!/bin/sh
# with_peers.sh SCRIPT WORK: ./ipcmark --with-peers installs the packages of all peers, leaves out and names a peer whose
# package the system does not know, and configures again a tree that was made without them. The system is made up: what
# would be installed, configured and built is written down in WORK.
set -eu
script=$1 work=$2
rm -rf "$work"
mkdir -p "$work/bin" "$work/tree/harness/drivers/one" "$work/tree/harness/drivers/two"
cp "$script" "$work/tree/ipcmark"
touch "$work/tree/CMakePresets.json"
cd "$work"

fail() {
    echo "with_peers.sh: $*" >&2
    cat said log >&2
    exit 1
}

said() {
    grep -qF -- "$1" said || fail "it did not say: $1"
}

logged() {
    grep -qxF -- "$1" log || fail "it was not called: $1"
}

stub() {
    printf '#!/bin/sh\nwork=%s\n' "$work" >"bin/$1"
    cat >>"bin/$1"
    chmod +x "bin/$1"
}

cat >tree/harness/drivers/one/CMakeLists.txt <<'END'
# ipcmark_find_peer(never DRIVERS never PACKAGES libnever-dev)
ipcmark_find_peer(alpha DRIVERS alpha alpha-too HEADER alpha.h LIBRARY alpha
  PACKAGES libalpha-dev alphad)
if(alpha_FOUND)
  ipcmark_add_peer(alpha alpha alpha.c)
endif()
END
cat >tree/harness/drivers/two/CMakeLists.txt <<'END'
ipcmark_find_peer(beta DRIVERS beta PROGRAM betad
  PACKAGES betad libstrange-dev)
ipcmark_find_peer(gamma DRIVERS gamma HEADER gamma.h
  PACKAGES libgamma-dev)
END

stub id <<'END'
echo 0
END
stub dpkg-query <<'END'
shift 3
for package; do grep -qxF "$package" "$work/installed" && printf 'ii %s ' "$package"; done
END
stub apt-cache <<'END'
shift 2
for package; do grep -qxF "$package" "$work/known" || exit 100; done
END
stub apt-get <<'END'
while [ $# -gt 0 ]; do
    case $1 in
    update) echo update >>"$work/log"; cat "$work/new" >>"$work/known"; exit ;;
    -o) shift ;;
    -* | install) ;;
    *) echo "install $1" >>"$work/log"; echo "$1" >>"$work/installed" ;;
    esac
    shift
done
END
stub cmake <<'END'
echo "configure $2" >>"$work/log"
mkdir -p "build/$2/lib/ipcmark/drivers" "build/$2/bin"
touch "build/$2/build.ninja"
printf '#!/bin/sh\necho "ran $*"\n' >"build/$2/bin/ipcmark"
chmod +x "build/$2/bin/ipcmark"
if grep -qxF alphad "$work/installed"; then alpha=built; else alpha='missing libalpha-dev alphad'; fi
printf 'alpha %s\nbeta %s\n' "$alpha" "$(cat "$work/beta")" >"build/$2/lib/ipcmark/drivers/peers.list"
END
stub ninja <<'END'
echo 'no work to do'
END

# What the script itself wants is there.
awk '/^packages="/ { inside = 1 } inside { gsub(/^packages="|"/, ""); print } inside && !/[a-z]$/ { exit } /python3/ { exit }' \
    tree/ipcmark | tr -s ' ' '\n' | sed '/^$/d' >installed
printf '%s\n' libalpha-dev alphad betad >known
echo libgamma-dev >new
echo 'missing betad libstrange-dev' >beta
: >log
PATH=$work/bin:$PATH

tree/ipcmark demo >said 2>&1 || fail "it failed without peers"
said 'ran demo'
[ "$(cat log)" = 'configure release' ] || fail "without --with-peers more was done than to configure"

: >log
tree/ipcmark --with-peers demo --now >said 2>&1 || fail "it failed with peers"
said 'left out: beta; this system does not know all of betad libstrange-dev'
said 'ran demo --now'
logged update # for libgamma-dev
logged 'install libalpha-dev'
logged 'install alphad'
logged 'install libgamma-dev'
logged 'configure release'
! grep -q 'betad\|strange\|never' log || fail "more was installed than is of use"

# All is there now, and known to be: it is not configured again.
echo built >beta
: >log
tree/ipcmark --with-peers >said 2>&1 || fail "it failed without a command"
said 'ready'
logged 'configure release'
: >log
tree/ipcmark --with-peers >said 2>&1 || fail "it failed at the second time"
! grep -q 'configure\|install' log || fail "what was done was done again"
