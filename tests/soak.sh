#!/bin/sh
# Has hundreds of clients connect, subscribe, send, vanish and misbehave for so many minutes, while
# plugins are replaced, and accounts for every message:
#
#     sh tests/soak.sh MINUTES [--seed N] [--size FACTOR]     such as: sh tests/soak.sh 30
#
# Installs what is missing to build, builds the release preset's server and the soak, prints a table
# with a row for each minute and what is wrong, and writes the table into build/bench: soak.md and
# soak.json. Ends with 0 where nothing is wrong. tests/soak/README.md says what is looked at.
set -u
me=tests/soak.sh
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd) || exit 1
. "$root/conf/setup.sh"

case ${1-} in
  '' | *[!0-9.]*) fail "usage: sh tests/soak.sh MINUTES [--seed N] [--size FACTOR]" ;;
esac
minutes=$1
shift

install_packages $build_packages
say "building"
build release || fail "the build failed; $log says why"
build bench bench_programs || fail "the build failed; $log says why"

output=$root/build/bench
commit=$(git -C "$root" describe --always --dirty 2>/dev/null)
. "$root/tests/support/in_folder.sh"
in_folder "$output/tests/soak/soak" --server "$root/build/release/jackfield" \
  --plugins "$root/build/release/plugins" --output "$output" \
  --minutes "$minutes" ${commit:+--commit "$commit"} "$@"
