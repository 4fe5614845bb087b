// The entry that libFuzzer calls (clang's -fsanitize=fuzzer brings main).
#include "tests/fuzz/fuzz.hpp"

extern "C" __attribute__((visibility("default"))) int LLVMFuzzerTestOneInput(
    const std::uint8_t* octets, std::size_t size) {
  return jackfield::fuzz::run(octets, size);
}
