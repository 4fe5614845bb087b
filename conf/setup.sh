# Sourced by conf/quickstart.sh and the scripts in tests/, not run: what a Debian needs to build
# Jackfield, and how it is installed and built. POSIX sh. Wants $me (the name in messages) and $root
# (the repository's folder). Every failure is one line on stderr.

# The only list of packages.
build_packages="cmake ninja-build gcc g++ pkg-config
  libwebsockets-dev libwebsockets-evlib-uv libuv1-dev libcjson-dev libtomlplusplus-dev
  libjwt-dev libssl-dev
  libboost-dev libboost-filesystem-dev libcli11-dev"
test_packages="cpputest valgrind libc6-dbg"
clang_packages="clang"
fuzz_packages="clang llvm libclang-rt-14-dev"

fail() {
  printf '%s: %s\n' "$me" "$*" >&2
  exit 1
}

say() {
  printf '%s: %s\n' "$me" "$*" >&2
}

# Runs a command as root, by sudo where that is needed.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  else
    sudo "$@"
  fi
}

apt() {
  as_root env DEBIAN_FRONTEND=noninteractive LC_ALL=C \
    apt-get -qq -y -o DPkg::Lock::Timeout=300 "$@" 2>&1 </dev/null
}

# install_packages NAME...: installs those that are missing; nothing happens where none is.
install_packages() {
  command -v dpkg-query >/dev/null 2>&1 ||
    fail "this system has no dpkg; install what conf/setup.sh lists by hand, then build by cmake"
  installed=$(dpkg-query -W -f '<${Package}:${db:Status-Status}>\n' "$@" 2>/dev/null)
  missing=
  for package in "$@"; do
    case $installed in
      *"<$package:installed>"*) ;;
      *) missing="$missing $package" ;;
    esac
  done
  [ -n "$missing" ] || return 0

  command -v apt-get >/dev/null 2>&1 || fail "this system has no apt-get to install:$missing"
  [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null 2>&1 ||
    fail "needs root, or sudo, to run: apt-get install$missing"
  say "installing$missing"
  apt update >/dev/null # where that fails, what is known already may be enough
  # $missing is a list.
  if ! messages=$(apt install --no-install-recommends $missing); then
    reason=$(printf '%s\n' "$messages" | grep '^E: ' | head -n 1)
    fail "apt-get could not install$missing (${reason:-$(printf '%s\n' "$messages" | tail -n 1)})"
  fi
}

# build PRESET [TARGET]: configures and builds into build/PRESET, everything or one target; what the
# tools say goes to build.log there. On failure the caller gets 1.
build() {
  log=$root/build/$1/build.log
  mkdir -p "$root/build/$1" 2>/dev/null && (: >"$log") 2>/dev/null || fail "cannot write $log"
  # A build folder from another place or of another compiler is made anew.
  (cd "$root" && cmake --preset "$1") >"$log" 2>&1 ||
    (cd "$root" && cmake --fresh --preset "$1") >"$log" 2>&1 || return 1
  cmake --build "$root/build/$1" ${2:+--target "$2"} >>"$log" 2>&1
}
