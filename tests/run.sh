#!/bin/sh
# Installs what is missing, builds, and runs every test:
#
#     sh tests/run.sh [asan|valgrind|clang] [CTEST-OPTION...]     such as: asan -R config
#
# asan: under AddressSanitizer, LeakSanitizer and UBSan. valgrind: under valgrind, the servers that
# tests start too (mismatched frees are left to asan: CppUTest's own look like them). clang: built by
# clang. Any warning is an error. The last line is ctest's summary, the exit status ctest's.
set -u
me=tests/run.sh
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd) || exit 1
. "$root/conf/setup.sh"

preset=test
case ${1-} in
  asan | valgrind | clang)
    preset=$1
    shift
    ;;
  '' | -*) ;;
  *) fail "usage: sh tests/run.sh [asan|valgrind|clang] [CTEST-OPTION...]" ;;
esac

packages="$build_packages $test_packages"
[ "$preset" != clang ] || packages="$packages $clang_packages"
install_packages $packages

say "building"
if ! build "$preset"; then
  cat "$log" >&2
  fail "the build failed; $log says why"
fi

# A plugin's frames in a leak's trace have no names once it is unloaded: walk the stack exactly, so
# that at least the host's callers are right.
export ASAN_OPTIONS="detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1:\
check_initialization_order=1:fast_unwind_on_malloc=0${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
export UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1${UBSAN_OPTIONS:+:$UBSAN_OPTIONS}"

results=$root/build/$preset/ctest.log
ctest --test-dir "$root/build/$preset" --output-on-failure --no-tests=error \
  --parallel "$(nproc)" --output-log "$results" "$@"
status=$?
grep 'tests passed' "$results" | tail -n 1
exit $status
