#include "core/plugin/elf_check.hpp"

#include <elf.h>
#include <link.h>

#include <cstring>
#include <string>
#include <vector>

#include "tests/support/temporary_folder.hpp"

#include <CppUTest/TestHarness.h>

using jackfield::plugin::check_elf;
using FileHeader = ElfW(Ehdr);

TEST_GROUP(PluginElfCheck) {
  jackfield::test::TemporaryFolder folder;
  const std::string sound = jackfield::test::read_file(JACKFIELD_PLUGINS "/echo.so");
  FileHeader header{};

  void setup() override {
    CHECK(sound.size() > sizeof header);
    std::memcpy(&header, sound.data(), sizeof header);
  }

  std::string check(const std::string& bytes) {
    const auto path = folder.write("x.so", bytes);
    const auto status = check_elf(path);
    return status.is_ok() ? std::string() : status.message();
  }
  void expect_cut(std::size_t size) {
    if (size >= sound.size()) return;
    const std::string why = check(sound.substr(0, size));
    const bool is_told = why == "not an ELF file" || why.starts_with("cut short: ");
    CHECK_TEXT(is_told, (std::to_string(size) + ": " + why).c_str());
  }
  ElfW(Shdr) section(std::size_t index) const {
    ElfW(Shdr) found{};
    const std::size_t offset = header.e_shoff + index * sizeof found;
    CHECK(offset + sizeof found <= sound.size());
    std::memcpy(&found, sound.data() + offset, sizeof found);
    return found;
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

TEST(PluginElfCheck, refuses_a_file_that_is_cut_short_anywhere) {
  std::size_t cuts = 0;
  for (std::size_t size = 0; size < sound.size(); size += 997, ++cuts) expect_cut(size);
  CHECK(cuts > 8);
  for (std::size_t size = 4096; size < sound.size(); size += 4096) {
    for (const std::size_t cut : {size - 1, size, size + 1}) expect_cut(cut);
  }
}

TEST(PluginElfCheck, refuses_a_file_that_is_cut_short_at_the_bounds_of_its_parts) {
  std::vector<std::size_t> bounds{sizeof header, header.e_phoff, header.e_shoff, sound.size() - 1};
  for (std::size_t i = 0; i <= header.e_phnum; ++i) {
    bounds.push_back(header.e_phoff + i * header.e_phentsize);
  }
  for (std::size_t i = 0; i < header.e_shnum; ++i) {
    bounds.push_back(header.e_shoff + i * header.e_shentsize);
    bounds.push_back(section(i).sh_offset);
  }
  for (const std::size_t bound : bounds) {
    expect_cut(bound - 1);
    expect_cut(bound);
    expect_cut(bound + 1);
  }
}

TEST(PluginElfCheck, refuses_a_file_of_its_full_size_whose_end_is_not_written_yet) {
  std::string bytes = sound;
  for (std::size_t i = sound.size() - 100; i < sound.size(); ++i) bytes[i] = 0;
  STRCMP_EQUAL("half written: its section headers are missing", check(bytes).c_str());
  for (std::size_t i = header.e_shoff; i < sound.size(); ++i) bytes[i] = 0;
  STRCMP_EQUAL("half written: its section headers are missing", check(bytes).c_str());
}

TEST(PluginElfCheck, takes_a_file_without_section_headers_and_refuses_a_cut_one) {
  std::string bytes = sound;
  FileHeader bare = header;
  bare.e_shoff = 0;
  bare.e_shnum = 0;
  bare.e_shstrndx = 0;
  std::memcpy(bytes.data(), &bare, sizeof bare);
  STRCMP_EQUAL("", check(bytes).c_str());
  STRCMP_CONTAINS("do not hold its segments", check(bytes.substr(0, 4096)).c_str());
}

TEST(PluginElfCheck, does_not_believe_a_number_in_a_header) {
  const auto with_header = [&](auto change) {
    FileHeader changed = header;
    change(changed);
    std::string bytes = sound;
    std::memcpy(bytes.data(), &changed, sizeof changed);
    return check(bytes);
  };
  constexpr auto kHuge = static_cast<decltype(header.e_shoff)>(-8);
  STRCMP_CONTAINS("cut short", with_header([&](auto& h) { h.e_phoff = kHuge; }).c_str());
  STRCMP_CONTAINS("cut short", with_header([&](auto& h) { h.e_shoff = kHuge; }).c_str());
  STRCMP_CONTAINS("cut short", with_header([&](auto& h) { h.e_phnum = 0xffff; }).c_str());
  STRCMP_CONTAINS("cut short", with_header([&](auto& h) { h.e_shnum = 0xfeff; }).c_str());
  STRCMP_CONTAINS("malformed", with_header([&](auto& h) { h.e_shentsize = 1; }).c_str());
  STRCMP_CONTAINS("malformed", with_header([&](auto& h) { h.e_phentsize = 1; }).c_str());

  // A number of sections that does not fit is in the first section's header.
  std::string bytes = sound;
  FileHeader many = header;
  many.e_shnum = 0;
  ElfW(Shdr) first = section(0);
  first.sh_size = static_cast<decltype(first.sh_size)>(-1);
  std::memcpy(bytes.data(), &many, sizeof many);
  std::memcpy(bytes.data() + header.e_shoff, &first, sizeof first);
  STRCMP_CONTAINS("cut short", check(bytes).c_str());
}

TEST(PluginElfCheck, a_folder_or_nothing_cannot_be_read) {
  CHECK_FALSE(check_elf(folder.path()).is_ok());
  CHECK_FALSE(check_elf(folder.path() / "missing.so").is_ok());
}
