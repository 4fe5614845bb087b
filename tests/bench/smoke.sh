#!/bin/sh
# That the suite works, in some seconds: ctest runs it. What it measures here says nothing, for the
# other tests run beside it; that every message reaches everybody once and in order, it checks itself.
#
#     sh tests/bench/smoke.sh RUN_BENCH JACKFIELD PLUGINS
set -u
run_bench=$1
jackfield=$2
plugins=$3
fail() {
  printf 'smoke.sh: %s\n' "$*" >&2
  exit 1
}

folder=$(mktemp -d) || fail "no folder for temporary files"
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM
mkdir "$folder/run" "$folder/output"
"$run_bench" --jackfield "$jackfield" --plugins "$plugins" --programs "$(dirname "$run_bench")" \
  --sources "$(dirname "$0")/servers" --folder "$folder/run" --output "$folder/output" \
  --short --rounds 1 --server jackfield --server limit --server limit-joined \
  --only fan-out --subscribers 100 --under-way 16 --size 64 --size 16384 \
  --only echo --only idle --idle 100 >"$folder/tables" 2>"$folder/messages" || {
  cat "$folder/tables" "$folder/messages" >&2
  fail "the suite failed"
}

# Each server has its row for each case, with a figure.
rows() {
  grep -c "\"server\": \"$1\"" "$folder/output/part/suite.json"
}
for server in jackfield limit limit-joined; do
  [ "$(rows $server)" -ge 6 ] || fail "$(rows $server) rows of $server in suite.json"
done
! grep -E '"cpu_us[a-z_]*": null' "$folder/output/part/suite.json" || fail "a figure is missing"
[ ! -e "$folder/output/suite.json" ] || fail "a part is taken for all"
grep -q '^| idle connection' "$folder/output/part/suite.md" || fail "no targets in suite.md"
