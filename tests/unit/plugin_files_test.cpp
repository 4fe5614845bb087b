#include "core/plugin/plugin_files.hpp"

#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/temporary_folder.hpp"

#include <CppUTest/TestHarness.h>

using jackfield::plugin::plugin_files;
namespace fs = std::filesystem;

TEST_GROUP(PluginFiles) {
  jackfield::test::TemporaryFolder folder;

  std::string files(const std::vector<std::string>& order) {
    const auto found = plugin_files(folder.path(), order);
    CHECK(found.is_ok());
    std::string names;
    for (const fs::path& file : found.value()) names += file.filename().string() + " ";
    return names;
  }
};

TEST(PluginFiles, files_come_in_the_order_of_their_names) {
  for (const char* name : {"b.so", "a.so", "c10.so", "c2.so"}) folder.write(name, "");
  STRCMP_EQUAL("a.so b.so c10.so c2.so ", files({}).c_str());
}

TEST(PluginFiles, those_that_the_order_names_come_first) {
  for (const char* name : {"a.so", "b.so", "c.so", "d.so"}) folder.write(name, "");
  STRCMP_EQUAL("c.so a.so b.so d.so ", files({"c", "missing", "a"}).c_str());
}

TEST(PluginFiles, other_files_and_folders_are_passed_over) {
  for (const char* name : {"a.so", "a.so.bak", ".so", "readme.txt", ".hidden.so.swp"}) {
    folder.write(name, "");
  }
  fs::create_directory(folder.path() / "folder.so");
  fs::create_symlink("a.so", folder.path() / "link.so");
  fs::create_symlink("nowhere.so", folder.path() / "dangling.so");
  STRCMP_EQUAL("a.so link.so ", files({}).c_str());
}

TEST(PluginFiles, a_missing_folder_is_a_sentence) {
  const auto found = plugin_files(folder.path() / "missing", {});
  CHECK_FALSE(found.is_ok());
  STRCMP_CONTAINS("cannot read the plugins folder", found.message().c_str());
  STRCMP_CONTAINS("No such file or directory", found.message().c_str());
}
