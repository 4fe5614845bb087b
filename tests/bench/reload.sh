#!/bin/sh
# Measures what it takes to drop plugins in and to replace them while clients stay connected:
#
#     sh tests/bench/reload.sh [--short] [OPTION...]
#
# --short takes one minute instead of six. --only drop-in, replacement, pause or footprint
# (repeatable) measures only that; --core N is the core that the server has for itself. Installs what
# is missing to build, builds the release preset's server and the benchmark, prints tables, and writes
# them into build/bench: reload.md and reload.json. README.md in this folder says how to read them.
set -u
me=tests/bench/reload.sh
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd) || exit 1
. "$root/conf/setup.sh"

install_packages $build_packages
say "building"
build release || fail "the build failed; $log says why"
build bench bench_programs || fail "the build failed; $log says why"

output=$root/build/bench
commit=$(git -C "$root" describe --always --dirty 2>/dev/null)
. "$root/tests/support/in_folder.sh"
in_folder "$output/tests/bench/reload_bench" --server "$root/build/release/jackfield" \
  --plugins "$root/build/release/plugins" --bench-plugins "$output/tests/bench/plugins" \
  --output "$output" ${commit:+--commit "$commit"} "$@"
status=$?
[ $status -ne 0 ] || say "written: build/bench/reload.md, build/bench/reload.json"
exit $status
