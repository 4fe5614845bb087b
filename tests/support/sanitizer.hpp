// Which sanitizer this build has, in g++'s words and in clang's; and how a test says what it does
// not look at for that reason.
#pragma once

#include <cstdio>

namespace jackfield::test {

#ifdef __has_feature
#define JACKFIELD_HAS_FEATURE(feature) __has_feature(feature)
#else
#define JACKFIELD_HAS_FEATURE(feature) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || JACKFIELD_HAS_FEATURE(address_sanitizer)
inline constexpr bool kHasAddressSanitizer = true;
#else
inline constexpr bool kHasAddressSanitizer = false;
#endif

#if defined(__SANITIZE_THREAD__) || JACKFIELD_HAS_FEATURE(thread_sanitizer)
inline constexpr bool kHasThreadSanitizer = true;
#else
inline constexpr bool kHasThreadSanitizer = false;
#endif

#undef JACKFIELD_HAS_FEATURE

inline constexpr bool kHasSanitizer = kHasAddressSanitizer || kHasThreadSanitizer;

// A line that tests/run.sh shows at its end: something that a test of this build leaves out, and
// why. (Of a group that leaves out everything, CMakeLists.txt tells ctest.)
inline void say_not_checked(const char* what_and_why) {
  static const char* last = nullptr;
  if (last != what_and_why) std::printf("\nNOT CHECKED: %s\n", what_and_why);
  last = what_and_why;
}

}  // namespace jackfield::test
