#include "core/plugin/elf_check.hpp"

#include <elf.h>

#include <string>

#include "tests/support/temporary_folder.hpp"

#include <CppUTest/TestHarness.h>

using jackfield::plugin::check_elf;

TEST_GROUP(PluginElfCheck) {
  jackfield::test::TemporaryFolder folder;
  const std::string sound = jackfield::test::read_file(JACKFIELD_PLUGINS "/echo.so");

  std::string check(const std::string& bytes) {
    const auto path = folder.write("x.so", bytes);
    const auto status = check_elf(path);
    return status.is_ok() ? std::string() : status.message();
  }
  std::string with(std::size_t offset, char value) {
    std::string bytes = sound;
    bytes.at(offset) = value;
    return bytes;
  }
};

TEST(PluginElfCheck, takes_a_shared_object) {
  CHECK(sound.size() > 1000);
  STRCMP_EQUAL("", check(sound).c_str());
}

TEST(PluginElfCheck, says_what_is_wrong) {
  STRCMP_CONTAINS("not an ELF file", check("").c_str());
  STRCMP_CONTAINS("not an ELF file", check(std::string(10'000, 'x')).c_str());
  STRCMP_CONTAINS("another word size", check(with(EI_CLASS, sizeof(void*) == 8 ? 1 : 2)).c_str());
  STRCMP_CONTAINS("another byte order", check(with(EI_DATA, 2)).c_str());
  STRCMP_CONTAINS("another machine", check(with(18, 0x2a)).c_str());
  STRCMP_CONTAINS("not a shared object", check(with(16, ET_EXEC)).c_str());
}

TEST(PluginElfCheck, refuses_a_file_that_is_cut_short_anywhere_in_its_segments) {
  // What follows the last segment (section headers, debug information) is never mapped.
  std::size_t refused = 0;
  for (std::size_t size = 0; size < sound.size(); size += 997) {
    const std::string why = check(sound.substr(0, size));
    if (!why.empty()) ++refused;
    if (size < 8192) CHECK_TEXT(!why.empty(), std::to_string(size).c_str());
  }
  CHECK(refused > 8);
}

TEST(PluginElfCheck, a_folder_or_nothing_cannot_be_read) {
  CHECK_FALSE(check_elf(folder.path()).is_ok());
  CHECK_FALSE(check_elf(folder.path() / "missing.so").is_ok());
}
