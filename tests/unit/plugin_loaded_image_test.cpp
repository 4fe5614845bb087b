#include "core/plugin/loaded_image.hpp"

#include <dlfcn.h>

#include <cstdint>
#include <memory>
#include <vector>

#include <jackfield.h>

#include <CppUTest/TestHarness.h>

using jackfield::plugin::Callee;
using jackfield::plugin::CodeRange;
using jackfield::plugin::LoadedImage;

TEST_GROUP(PluginLoadedImage) {
  const Callee one{"one", "", 1, ""};
  const Callee two{"two", "", 2, ""};
};

TEST(PluginLoadedImage, an_address_belongs_to_the_image_whose_code_it_is) {
  const LoadedImage first({1000, 2000, 3000}, one);
  const LoadedImage second({5000, 5000, 6000}, two);
  POINTERS_EQUAL(nullptr, LoadedImage::at(0).callee);
  POINTERS_EQUAL(nullptr, LoadedImage::at(1999).callee);
  POINTERS_EQUAL(&one, LoadedImage::at(2000).callee);
  LONGS_EQUAL(1000, LoadedImage::at(2000).offset);
  POINTERS_EQUAL(&one, LoadedImage::at(2999).callee);
  POINTERS_EQUAL(nullptr, LoadedImage::at(3000).callee);
  POINTERS_EQUAL(&two, LoadedImage::at(5000).callee);
  LONGS_EQUAL(0, LoadedImage::at(5000).offset);
}

TEST(PluginLoadedImage, goes_with_its_object_and_makes_room) {
  for (std::size_t i = 0; i < 3 * LoadedImage::kMaxImages; ++i) {
    const LoadedImage image({1000, 1000, 2000}, one);
    POINTERS_EQUAL(&one, LoadedImage::at(1500).callee);
  }
  POINTERS_EQUAL(nullptr, LoadedImage::at(1500).callee);
}

TEST(PluginLoadedImage, one_more_than_there_may_be_is_not_entered) {
  std::vector<std::unique_ptr<LoadedImage>> images;
  for (std::size_t i = 0; i < LoadedImage::kMaxImages; ++i) {
    images.push_back(std::make_unique<LoadedImage>(CodeRange{i * 10, i * 10, i * 10 + 10}, one));
  }
  {
    const LoadedImage further({1'000'000, 1'000'000, 2'000'000}, two);
    POINTERS_EQUAL(nullptr, LoadedImage::at(1'500'000).callee);
  }
  POINTERS_EQUAL(&one, LoadedImage::at(2559).callee);
  images.pop_back();
  POINTERS_EQUAL(nullptr, LoadedImage::at(2559).callee);
  POINTERS_EQUAL(&one, LoadedImage::at(2549).callee);
}

TEST(PluginLoadedImage, an_empty_range_is_not_entered) {
  const LoadedImage image({0, 0, 0}, one);
  POINTERS_EQUAL(nullptr, LoadedImage::at(0).callee);
}

TEST(PluginLoadedImage, finds_the_code_of_the_image_that_holds_an_address) {
  void* const library = ::dlopen(JACKFIELD_TEST_PLUGINS "/crash.so", RTLD_NOW | RTLD_LOCAL);
  CHECK(library != nullptr);
  const void* const table = ::dlsym(library, JF_SYMBOL_NAME);
  const CodeRange range = CodeRange::of(table).value();
  Dl_info info{};
  CHECK(::dladdr(table, &info) != 0);
  UNSIGNED_LONGS_EQUAL(reinterpret_cast<std::uintptr_t>(info.dli_fbase), range.base);
  CHECK(range.base <= range.begin);
  CHECK(range.begin < range.end);
  const auto start = reinterpret_cast<std::uintptr_t>(static_cast<const jf_plugin*>(table)->start);
  CHECK(range.begin <= start && start < range.end);
  ::dlclose(library);
}

TEST(PluginLoadedImage, finds_the_programs_own_code_too_and_nothing_at_address_0) {
  const auto own = reinterpret_cast<std::uintptr_t>(&CodeRange::of);
  const auto host = CodeRange::of(reinterpret_cast<const void*>(own));
  CHECK(host.has_value() && host->begin <= own && own < host->end);
  CHECK_FALSE(CodeRange::of(nullptr).has_value());
}
