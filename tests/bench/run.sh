#!/bin/sh
# Measures Jackfield beside the least that such a server must do, and beside what one would take
# instead: the same work for each server in turn, in one run.
#
#     sh tests/bench/run.sh [--no-install] [--short] [OPTION...]
#
# --short measures less, and fewer times. --only WORK, --server NAME (both repeatable) measure only
# that; --uwebsockets FILE names a server built upon uWebSockets; --core N is the core that servers
# have for themselves. Installs what is missing to build, and the other servers from Debian and npm:
# one that cannot be installed is left out, and --no-install leaves out all that are not there.
# Prints tables, and writes them into build/bench: suite.md and suite.json; where options leave out
# something, into build/bench/part. README.md in this folder says how to read them.
set -u
me=tests/bench/run.sh
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd) || exit 1
. "$root/conf/setup.sh"

install=yes
for option in "$@"; do
  shift
  case $option in
    --no-install) install= ;;
    *) set -- "$@" "$option" ;;
  esac
done

folder=
bench=
policy=/usr/sbin/policy-rc.d
is_policy_ours=
end() {
  allow_services
  if [ -n "$bench" ]; then
    kill "$bench" 2>/dev/null # it ends its servers; where it cannot, the kernel does
    wait "$bench" 2>/dev/null
  fi
  [ -z "$folder" ] || rm -rf "$folder"
}

# Debian starts a service as soon as it is installed, unless this file says no (101): then it is
# there for as long as we install. Who has one already keeps it.
forbid_services() {
  [ ! -e "$policy" ] || return 0
  is_policy_ours=yes
  printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null && as_root chmod 755 "$policy"
}
allow_services() {
  [ -n "$is_policy_ours" ] || return 0
  as_root rm -f "$policy"
  is_policy_ours=
}

is_installed() {
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# install_server SERVICE PACKAGE...: installs what is missing of the packages of a server that we
# start ourselves: the service is started neither now nor with the system. Goes on where it fails.
install_server() {
  service=$1
  shift
  wanted=
  for package in "$@"; do
    is_installed "$package" || wanted="$wanted $package"
  done
  [ -n "$wanted" ] || return 0
  was_installed=
  ! is_installed "$service" || was_installed=yes
  forbid_services
  (install_packages $wanted) || say "goes on without$wanted" # it exits where it fails
  allow_services
  [ -z "$was_installed" ] && is_installed "$service" || return 0
  if command -v systemctl >/dev/null 2>&1; then
    as_root systemctl disable "$service" >/dev/null 2>&1
  elif command -v update-rc.d >/dev/null 2>&1; then
    as_root update-rc.d "$service" disable >/dev/null 2>&1
  fi
}

# The packages of npm, in the versions that package.json names.
install_node_packages() {
  packages=$1
  list=$root/tests/bench/servers/node/package.json
  ! cmp -s "$list" "$packages/package.json" || return 0
  if ! command -v npm >/dev/null 2>&1; then
    say "goes on without the packages of npm: there is no npm"
    return 0
  fi
  say "installing the packages of npm"
  mkdir -p "$packages" && cp "$list" "$packages/package.json" &&
    (cd "$packages" && npm install --ignore-scripts --no-audit --no-fund --no-package-lock \
      >npm.log 2>&1 </dev/null) && return 0
  # So that the next run tries again.
  rm -f "$packages/package.json"
  say "goes on without the packages of npm; $packages/npm.log says why"
}

trap end EXIT
trap 'exit 1' HUP INT TERM

output=$root/build/bench
if [ -n "$install" ]; then
  install_packages $build_packages
  install_server nginx nginx libnginx-mod-nchan
  install_server nats-server nats-server
  install_server mosquitto mosquitto
  command -v node >/dev/null 2>&1 || install_server nodejs nodejs
  command -v npm >/dev/null 2>&1 || install_server npm npm
  install_node_packages "$output/packages"
fi

say "building"
build release || fail "the build failed; $log says why"
build bench bench_programs || fail "the build failed; $log says why"

# Not in /tmp: Jackfield watches the folders above its own, and whoever writes there would wake it.
folder=$(mktemp -d "$output/run.XXXXXX") || fail "no folder for temporary files"
commit=$(git -C "$root" describe --always --dirty 2>/dev/null)
"$output/tests/bench/run_bench" --jackfield "$root/build/release/jackfield" \
  --plugins "$root/build/release/plugins" --programs "$output/tests/bench" \
  --sources "$root/tests/bench/servers" --packages "$output/packages" \
  --folder "$folder" --output "$output" ${commit:+--commit "$commit"} "$@" &
bench=$!
wait "$bench"
status=$?
bench=
exit $status
