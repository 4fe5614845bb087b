#!/bin/sh
# Installs what is missing, builds, and runs every test:
#
#     sh tests/run.sh [asan|tsan|valgrind|clang] [CTEST-OPTION...]     such as: asan -R config
#
# asan: under AddressSanitizer, LeakSanitizer and UBSan. tsan: under ThreadSanitizer. valgrind: under
# valgrind, the servers that tests start too (mismatched frees are left to asan: CppUTest's own look
# like them). clang: built by clang. Any warning is an error. What tests leave out in such a build is
# said before the last line. That is ctest's summary, the exit status ctest's.
set -u
me=tests/run.sh
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd) || exit 1
. "$root/conf/setup.sh"

preset=test
case ${1-} in
  asan | tsan | valgrind | clang)
    preset=$1
    shift
    ;;
  '' | -*) ;;
  *) fail "usage: sh tests/run.sh [asan|tsan|valgrind|clang] [CTEST-OPTION...]" ;;
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
# ThreadSanitizer's own __tls_get_addr takes some addresses that the loader gives for others, and
# dies of it, with glibc 2.25 and later; without it nothing is missed, for that memory is malloc's.
export TSAN_OPTIONS="second_deadlock_stack=1:history_size=4:intercept_tls_get_addr=0:\
suppressions=$root/tests/support/tsan.supp${TSAN_OPTIONS:+:$TSAN_OPTIONS}"
# Its shadow memory does not fit where the kernel puts programs anywhere ("unexpected memory
# mapping"): 28 bits are the most for g++ 12.
random_bits=$(cat /proc/sys/vm/mmap_rnd_bits 2>/dev/null || echo 0)
in_order=
if [ "$preset" = tsan ] && [ "$random_bits" -gt 28 ]; then
  in_order="setarch -R"
  $in_order true || fail "ThreadSanitizer needs vm.mmap_rnd_bits of 28 or less, or setarch -R"
fi

results=$root/build/$preset/ctest.log
$in_order ctest --test-dir "$root/build/$preset" --output-on-failure --no-tests=error \
  --parallel "$(nproc)" --output-log "$results" "$@"
status=$?
sed -n -e 's/^NOT CHECKED: //p' -e 's/^SKIPPED: //p' \
  "$root/build/$preset/Testing/Temporary/LastTest.log" 2>/dev/null |
  sort -u | sed "s|^|$me: not checked: |"
grep 'tests passed' "$results" | tail -n 1
exit $status
