#include "core/plugin/mapped_images.hpp"

#include <string>
#include <vector>

#include <CppUTest/TestHarness.h>

using namespace jackfield::plugin;

TEST_GROUP(PluginMappedImages) {
  // Each of a name and what it needs; its place in the list is where it is mapped.
  std::vector<MappedImage> images;

  void add(const std::string& path, const std::vector<std::string>& needed = {},
           const std::string& soname = "") {
    const std::uintptr_t begin = images.size() * 0x1000;
    images.push_back({path, {begin, begin + 0x1000}, soname, needed});
  }

  std::string unmapped_with(const std::string& path) {
    std::string names;
    for (const AddressRange& range : ranges_to_unmap(path, images)) {
      names += images[range.begin / 0x1000].path + " ";
    }
    return names;
  }
};

TEST(PluginMappedImages, lists_the_program_and_the_libraries_of_this_process) {
  const auto function = reinterpret_cast<std::uintptr_t>(&mapped_images);
  const MappedImage* program = nullptr;
  const MappedImage* c_library = nullptr;
  images = mapped_images();
  for (const MappedImage& image : images) {
    if (image.range.contains(function)) program = &image;
    if (image.soname.starts_with("libc.")) c_library = &image;
  }
  CHECK(program != nullptr);
  CHECK(c_library != nullptr);
  STRCMP_EQUAL("", program->path.c_str());
  CHECK(program->needed.size() > 2);
  STRCMP_CONTAINS("/libc.", c_library->path.c_str());
  // Neither can go: the program is no library, and the program needs the C library.
  LONGS_EQUAL(1, ranges_to_unmap(c_library->path, images).size());
}

TEST(PluginMappedImages, an_image_that_is_not_mapped_has_neither_range_nor_traits) {
  LONGS_EQUAL(0, ranges_to_unmap("/nowhere.so", mapped_images()).size());
  CHECK_FALSE(traits_of("/nowhere.so").has_value());
}

TEST(PluginMappedImages, what_only_it_needs_goes_with_it) {
  add("", {"libc.so.6"});
  add("/lib/libc.so.6", {}, "libc.so.6");
  add("/run/a.1.so", {"libown.so.1", "libc.so.6"});
  add("/lib/libown.so.1.2", {"libdeep.so", "libc.so.6"}, "libown.so.1");
  add("/lib/libdeep.so", {"libc.so.6"});
  STRCMP_EQUAL("/run/a.1.so /lib/libown.so.1.2 /lib/libdeep.so ",
               unmapped_with("/run/a.1.so").c_str());
}

TEST(PluginMappedImages, what_another_needs_too_stays_with_all_that_it_needs) {
  add("");
  add("/run/a.1.so", {"libshared.so", "libown.so"});
  add("/run/b.2.so", {"libshared.so"});
  add("/lib/libshared.so", {"libdeep.so"});
  add("/lib/libdeep.so");
  add("/lib/libown.so", {"libdeep.so"});
  STRCMP_EQUAL("/run/a.1.so /lib/libown.so ", unmapped_with("/run/a.1.so").c_str());
}

TEST(PluginMappedImages, libraries_that_need_each_other_go_together) {
  add("");
  add("/run/a.1.so", {"libone.so"});
  add("/lib/libone.so", {"libtwo.so"});
  add("/lib/libtwo.so", {"libone.so"});
  STRCMP_EQUAL("/run/a.1.so /lib/libone.so /lib/libtwo.so ", unmapped_with("/run/a.1.so").c_str());
}

TEST(PluginMappedImages, says_why_one_was_kept_what_is_sure_first) {
  add("/run/a.1.so", {}, "liba.so");
  const MappedImage image = images[0];
  STRCMP_CONTAINS("perhaps something opened it", why_kept(image, {}, images).c_str());

  ImageTraits traits;
  traits.has_thread_locals = true;
  STRCMP_CONTAINS("perhaps something opened it", why_kept(image, traits, images).c_str());
  traits.has_thread_exits = true;
  STRCMP_CONTAINS("perhaps a thread", why_kept(image, traits, images).c_str());

  add("/run/b.2.so", {"liba.so"});
  STRCMP_EQUAL("/run/b.2.so depends on it", why_kept(image, traits, images).c_str());

  STRCMP_EQUAL("", obstacle(traits).c_str());
  traits.unique_symbol = "_ZN7CountedIiE12unique_countE";
  STRCMP_EQUAL("it exports unique symbols (STB_GNU_UNIQUE), such as Counted<int>::unique_count",
               obstacle(traits).c_str());
  STRCMP_EQUAL(obstacle(traits).c_str(), why_kept(image, traits, images).c_str());
  traits.unique_symbol = std::string(1000, 'x');
  CHECK(obstacle(traits).size() < 300);
  traits.is_nodelete = true;
  STRCMP_EQUAL("it is linked with -z nodelete", why_kept(image, traits, images).c_str());
}
