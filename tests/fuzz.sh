#!/bin/sh
# Fuzzes: installs what is missing, builds the targets of tests/fuzz by clang with libFuzzer, and
# runs one after the other:
#
#     sh tests/fuzz.sh [--minutes N] [--coverage] [--keep] [TARGET...]
#
# --minutes: for each target, 10 by default; 0 runs only what is kept. --coverage: says how much of
# the code under test the inputs reach (builds a second time). --keep: adds to tests/fuzz/corpus
# what was found and reaches code that nothing in there does. Inputs found stay in
# build/fuzz/found/TARGET and are used again; findings are in build/fuzz/findings, logs in
# build/fuzz/TARGET.log. The last lines are a table; the exit status is 1 where anything was found.
set -u
me=tests/fuzz.sh
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd) || exit 1
. "$root/conf/setup.sh"

usage="usage: sh tests/fuzz.sh [--minutes N] [--coverage] [--keep] [TARGET...]"
corpus=$root/tests/fuzz/corpus
out=$root/build/fuzz
minutes=10
coverage=
keep=
targets=
while [ $# -gt 0 ]; do
  case $1 in
    --minutes)
      [ $# -ge 2 ] || fail "$usage"
      minutes=$2
      shift
      ;;
    --coverage) coverage=yes ;;
    --keep) keep=yes ;;
    -*) fail "$usage" ;;
    *)
      [ -d "$corpus/$1" ] || fail "there is no target $1; there are: $(ls "$corpus" | tr '\n' ' ')"
      targets="$targets $1"
      ;;
  esac
  shift
done
case $minutes in
  '' | *[!0-9]*) fail "--minutes takes a whole number, not $minutes" ;;
esac
[ -n "$targets" ] || targets=$(ls "$corpus")

install_packages $build_packages $test_packages $fuzz_packages

say "building"
if ! build fuzz fuzz_programs; then
  cat "$log" >&2
  fail "the build failed; $log says why"
fi

export ASAN_OPTIONS="detect_stack_use_after_return=1:strict_string_checks=1\
${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
export UBSAN_OPTIONS="print_stacktrace=1${UBSAN_OPTIONS:+:$UBSAN_OPTIONS}"

# A statistic of a run, by its name.
statistic() {
  sed -n "s/^stat::$2: *//p" "$out/$1.log" | tail -n 1
}

# How much of the lines and branches of the sources ($2...) the inputs of target $1 reach.
cover() {
  target=$1
  shift
  profile=$root/build/fuzz-coverage/$target
  LLVM_PROFILE_FILE=$profile.profraw "$root/build/fuzz-coverage/fuzz/fuzz_$target" \
    "$corpus/$target" "$out/found/$target" >"$profile.log" 2>&1 ||
    "$root/build/fuzz-coverage/fuzz/fuzz_$target" "$corpus/$target" >"$profile.log" 2>&1 ||
    fail "the inputs of $target fail; $profile.log says where"
  llvm-profdata merge -sparse "$profile.profraw" -o "$profile.profdata" ||
    fail "llvm-profdata failed"
  llvm-cov report "$root/build/fuzz-coverage/fuzz/fuzz_$target" -instr-profile="$profile.profdata" \
    "$@" >"$profile.coverage" || fail "llvm-cov failed"
  awk '$1 == "TOTAL" { print $10, $13 }' "$profile.coverage"
}

# What each target is for.
sources_of() {
  core=$root/core
  case $1 in
    message) echo "$core/wire/message.cpp $core/wire/json_text.cpp $core/wire/utf8.cpp
      $core/wire/frame.cpp $core/wire/octets.hpp $core/wire/json_text.hpp" ;;
    pattern) echo "$core/hub/pattern.cpp $core/hub/pattern.hpp $core/hub/router.cpp" ;;
    access) echo "$core/access" ;;
    config) echo "$core/config" ;;
    hub) echo "$core/hub" ;;
    http) ls "$core"/net/*.cpp "$core"/net/*.hpp | grep -v watch_client ;;
    *) echo "$core" ;;
  esac
}

if [ -n "$coverage" ]; then
  say "building for coverage"
  if ! build fuzz-coverage fuzz_programs; then
    cat "$log" >&2
    fail "the build failed; $log says why"
  fi
fi

findings=$out/findings
mkdir -p "$findings" || fail "cannot write $findings"
table=$out/table.txt
printf '%-8s %12s %8s %8s %9s%s\n' target executions inputs kept findings \
  "${coverage:+    lines branches}" >"$table"
status=0
for target in $targets; do
  new=$out/found/$target
  mkdir -p "$new" || fail "cannot write $new"
  set --
  [ ! -f "$root/tests/fuzz/$target.dict" ] || set -- "-dict=$root/tests/fuzz/$target.dict"
  if [ "$minutes" -eq 0 ]; then
    set -- "$@" -runs=0
  else
    set -- "$@" "-max_total_time=$((minutes * 60))"
  fi
  say "$target: $minutes minutes"
  found=0
  "$out/fuzz/fuzz_$target" "$@" -timeout=30 -report_slow_units=20 -print_final_stats=1 \
    "-artifact_prefix=$findings/$target-" "$new" "$corpus/$target" >"$out/$target.log" 2>&1 || found=1
  if [ "$found" -ne 0 ]; then
    status=1
    say "$target: found something; the end of $out/$target.log:"
    grep -E 'does not hold|ERROR|SUMMARY|runtime error|expected:|actual:|written to' \
      "$out/$target.log" >&2
  elif [ -n "$keep" ]; then
    "$out/fuzz/fuzz_$target" -merge=1 -use_counters=0 "$corpus/$target" "$new" \
      >"$out/$target.merge.log" 2>&1 || fail "the merge failed; $out/$target.merge.log says why"
  fi
  reached=
  if [ -n "$coverage" ]; then
    # Each is a list.
    reached=$(cover "$target" $(sources_of "$target")) || exit 1
  fi
  printf '%-8s %12s %8s %8s %9s' "$target" "$(statistic "$target" number_of_executed_units)" \
    "$(ls "$new" "$corpus/$target" | grep -c '^[^/]*[^:]$')" "$(ls "$corpus/$target" | wc -l)" \
    "$found" >>"$table"
  # Of the two figures, one a column.
  [ -z "$reached" ] || printf ' %8s %8s' $reached >>"$table"
  printf '\n' >>"$table"
done
cat "$table"
exit $status
