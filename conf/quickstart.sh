#!/bin/sh
# From a bare Debian 12 to a running server, by one command:
#
#     sh conf/quickstart.sh [OPTION...]   installs what is missing, builds, and runs the server on
#                                         127.0.0.1:3001 with conf/demo.toml and all plugins of this
#                                         repository; options go to it, such as --listen 0.0.0.0:80
#     sh conf/quickstart.sh build         stops before it runs
#
# Results: build/release/jackfield, build/release/plugins/*.so.
set -u
me=quickstart
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd) || exit 1
. "$root/conf/setup.sh"

case ${1-} in
  build) [ $# -eq 1 ] || fail "build takes nothing behind it" ;;
  '' | -*) ;;
  *) fail "usage: sh conf/quickstart.sh [build | OPTION OF jackfield...]" ;;
esac

install_packages $build_packages
[ -x "$root/build/release/jackfield" ] || say "building; the first time takes a minute or two"
build release || fail "the build failed; $log says why"
[ "${1-}" != build ] || exit 0

exec "$root/build/release/jackfield" --config "$root/conf/demo.toml" \
  --plugins "$root/build/release/plugins" "$@"
