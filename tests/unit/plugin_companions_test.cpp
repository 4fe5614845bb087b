// What a library would bring along, and whose that is. Files are made of one that was linked with a
// long run path, which is written over.
#include "core/plugin/companions.hpp"

#include <elf.h>
#include <link.h>
#include <sys/stat.h>

#include <cstring>
#include <filesystem>
#include <string>

#include "core/plugin/library.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/where.hpp"

#include <CppUTest/TestHarness.h>

namespace {

namespace fs = std::filesystem;
using namespace jackfield::plugin;
using jackfield::test::check;
using FileHeader = ElfW(Ehdr);
using ProgramHeader = ElfW(Phdr);
using Entry = ElfW(Dyn);

}  // namespace

TEST_GROUP(PluginCompanions) {
  jackfield::test::TemporaryFolder folder;
  const std::string sound = jackfield::test::read_file(JACKFIELD_TEST_PLUGINS "/run_path.so");
  const std::string placeholder = "/" + std::string(400, 'x');

  template <class T>
  static T at(const std::string& bytes, std::size_t offset) {
    T value{};
    CHECK(offset + sizeof value <= bytes.size());
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
  }
  template <class T>
  static void put(std::string& bytes, std::size_t offset, const T& value) {
    std::memcpy(bytes.data() + offset, &value, sizeof value);
  }
  // Where the entry of a tag is in the file.
  static std::size_t entry_of(const std::string& bytes, long tag) {
    const auto header = at<FileHeader>(bytes, 0);
    for (std::size_t i = 0; i < header.e_phnum; ++i) {
      const auto segment = at<ProgramHeader>(bytes, header.e_phoff + i * sizeof(ProgramHeader));
      if (segment.p_type != PT_DYNAMIC) continue;
      for (std::size_t offset = segment.p_offset;; offset += sizeof(Entry)) {
        const auto entry = at<Entry>(bytes, offset);
        if (entry.d_tag == tag) return offset;
        CHECK(entry.d_tag != DT_NULL);
      }
    }
    FAIL("no such entry");
    return 0;
  }
  std::string with_text(const std::string& text, long tag = DT_RUNPATH) {
    std::string bytes = sound;
    const std::size_t place = bytes.find(placeholder);
    CHECK(place != std::string::npos && text.size() <= placeholder.size());
    bytes.replace(place, placeholder.size(),
                  text + std::string(placeholder.size() - text.size(), '\0'));
    const std::size_t offset = entry_of(bytes, DT_RUNPATH);
    auto entry = at<Entry>(bytes, offset);
    entry.d_tag = tag;
    put(bytes, offset, entry);
    return bytes;
  }
  fs::path file(const std::string& bytes) { return folder.write("plugin.so", bytes); }
  std::string fault(const std::string& text, long tag = DT_RUNPATH) {
    return fault_of_companions(file(with_text(text, tag)));
  }
  fs::path make(const std::string& name, mode_t mode = 0755) {
    const fs::path made = folder.path() / name;
    fs::create_directory(made);
    ::chmod(made.c_str(), mode);
    return made;
  }
};

TEST(PluginCompanions, are_read_from_the_file) {
  const auto read = read_companions(file(with_text("/a:/b")));
  CHECK(read.is_ok());
  LONGS_EQUAL(1, read.value().run_paths.size());
  STRCMP_EQUAL("/a:/b", read.value().run_paths[0].c_str());
  CHECK(!read.value().names.empty());
  STRCMP_EQUAL("/a", read_companions(file(with_text("/a", DT_RPATH))).value().run_paths[0].c_str());
}

TEST(PluginCompanions, in_folders_of_others_are_found_out) {
  const std::string sound_folder = make("sound").string();
  const std::string open_folder = make("open", 0777).string();
  STRCMP_EQUAL("", fault(sound_folder).c_str());
  STRCMP_EQUAL("", fault("/usr/lib:" + sound_folder).c_str());
  for (const long tag : {DT_RUNPATH, DT_RPATH}) {
    STRCMP_CONTAINS(("the folder " + open_folder).c_str(), fault(open_folder, tag).c_str());
    STRCMP_CONTAINS(("the folder " + open_folder).c_str(),
                    fault(sound_folder + ":" + open_folder + "/below", tag).c_str());
  }
}

TEST(PluginCompanions, may_not_be_put_where_nothing_is_yet) {
  const fs::path sticky = make("sticky", 01777);
  STRCMP_EQUAL("", fault((make("sound") / "missing/lib").string()).c_str());
  STRCMP_CONTAINS("is not there, and others can put it into the folder",
                  fault((sticky / "build/lib").string()).c_str());
  fs::create_symlink(sticky / "elsewhere", folder.path() / "link");
  STRCMP_CONTAINS("is not there, and others can put it into the folder",
                  fault((folder.path() / "link").string()).c_str());
}

TEST(PluginCompanions, are_looked_for_by_absolute_paths_only) {
  for (const char* path : {"", "lib", ".", "/usr/lib:", ":/usr/lib", "/usr/lib::/lib", "$LIB",
                           "/usr/$LIB", "$ORIGINAL", "${ORIGIN", "/usr/$ORIGIN", "~/lib"}) {
    const std::string found = fault(path);
    check(found.find("which is no absolute path") != std::string::npos, path + (": " + found));
  }
}

TEST(PluginCompanions, beside_the_library_are_where_it_is_loaded_from) {
  STRCMP_EQUAL("", fault("$ORIGIN").c_str());
  STRCMP_EQUAL("", fault("${ORIGIN}/lib").c_str());
  make("open", 0777);
  STRCMP_CONTAINS((folder.path() / "open").c_str(), fault("$ORIGIN/open").c_str());
}

TEST(PluginCompanions, that_are_named_by_a_path_are_judged_themselves) {
  const fs::path library = make("sound") / "some.so";
  fs::copy_file(JACKFIELD_PLUGINS "/echo.so", library);
  STRCMP_EQUAL("", fault(library.string(), DT_NEEDED).c_str());
  ::chmod(library.c_str(), 0666);
  for (const long tag : {long{DT_NEEDED}, long{DT_AUXILIARY}, long{DT_FILTER}}) {
    STRCMP_CONTAINS(("the file " + library.string()).c_str(), fault(library, tag).c_str());
  }
  STRCMP_CONTAINS("which is no absolute path", fault("lib/some.so", DT_NEEDED).c_str());
}

TEST(PluginCompanions, that_a_run_path_finds_are_judged_and_what_they_bring_along) {
  const fs::path sound_folder = make("sound");
  // The C library's name, for every library needs it.
  const fs::path library = sound_folder / "libc.so.6";
  fs::copy_file(JACKFIELD_PLUGINS "/echo.so", library);
  STRCMP_EQUAL("", fault(sound_folder).c_str());
  ::chmod(library.c_str(), 0666);
  STRCMP_CONTAINS(("the file " + library.string()).c_str(), fault(sound_folder).c_str());
  fs::remove(library);
  folder.write("sound/libc.so.6", with_text(make("open", 0777).string()));
  STRCMP_CONTAINS((folder.path() / "open").c_str(), fault(sound_folder).c_str());
}

TEST(PluginCompanions, no_number_in_the_file_is_believed) {
  const auto is_refused = [&](const std::string& bytes) {
    return !read_companions(file(bytes)).is_ok();
  };
  const auto with_value = [&](long tag, std::uint64_t value) {
    std::string bytes = sound;
    const std::size_t offset = entry_of(bytes, tag);
    auto entry = at<Entry>(bytes, offset);
    entry.d_un.d_val = static_cast<decltype(entry.d_un.d_val)>(value);
    put(bytes, offset, entry);
    return bytes;
  };
  for (const std::uint64_t value : {~std::uint64_t{0}, ~std::uint64_t{7}, std::uint64_t{1} << 40}) {
    CHECK(is_refused(with_value(DT_RUNPATH, value)));
    CHECK(is_refused(with_value(DT_NEEDED, value)));
    CHECK(is_refused(with_value(DT_STRTAB, value)));
  }
  const auto header = at<FileHeader>(sound, 0);
  for (std::size_t i = 0; i < header.e_phnum; ++i) {
    const std::size_t offset = header.e_phoff + i * sizeof(ProgramHeader);
    auto segment = at<ProgramHeader>(sound, offset);
    if (segment.p_type != PT_DYNAMIC) continue;
    segment.p_vaddr = static_cast<decltype(segment.p_vaddr)>(-16);
    std::string bytes = sound;
    put(bytes, offset, segment);
    CHECK(is_refused(bytes));
  }
  // One without an end.
  std::string endless = sound;
  const std::size_t end = entry_of(sound, DT_NULL);
  for (std::size_t offset = end; offset + sizeof(Entry) <= endless.size();
       offset += sizeof(Entry)) {
    put(endless, offset, Entry{DT_DEBUG, {}});
    if (offset > end + (std::size_t{1} << 16)) break;
  }
  CHECK(is_refused(endless));
  for (std::size_t size = 0; size < sound.size(); size += 61) {
    const auto read = read_companions(file(sound.substr(0, size)));
    if (read.is_ok()) LONGS_EQUAL(1, read.value().run_paths.size());
  }
}

TEST(PluginCompanions, of_others_keep_a_library_from_being_loaded_where_trust_is_asked_for) {
  const auto copies = PrivateCopies::in_memory();
  const fs::path plugin = file(with_text(make("open", 0777).string()));
  const auto refused = Library::open(plugin, copies);
  CHECK_FALSE(refused.is_ok());
  STRCMP_CONTAINS("others can change what it loads: its run path (DT_RUNPATH) leads to ",
                  refused.message().c_str());
  FileTrust trust;
  trust.is_required = false;
  std::error_code error;
  CHECK(Library::open(plugin, copies, trust, error).is_ok());
  STRCMP_CONTAINS("its run path", trust.fault.c_str());
  CHECK(Library::open(file(with_text(make("sound").string())), copies).is_ok());
  CHECK(Library::open(file(with_text("$ORIGIN/lib")), copies).is_ok());
}
