#include "core/plugin/manifest.hpp"

#include <cstddef>
#include <cstring>
#include <string>

#include <CppUTest/TestHarness.h>

using jackfield::plugin::Manifest;

namespace {

std::int32_t start(const jf_host* /*host*/, const jf_start* /*args*/, void** /*instance*/) {
  return JF_OK;
}
void stop(void* /*instance*/) {}

}  // namespace

TEST_GROUP(PluginManifest) {
  jf_plugin table{sizeof(jf_plugin),
                  JF_ABI_MINOR,
                  JF_TEXT("echo"),
                  JF_TEXT("1.2.3"),
                  JF_TEXT("Says it again"),
                  JF_TEXT("MIT"),
                  start,
                  stop,
                  nullptr,
                  nullptr,
                  nullptr};

  void expect_refused(const char* why) {
    const auto manifest = Manifest::read(table);
    CHECK_FALSE(manifest.is_ok());
    STRCMP_CONTAINS(why, manifest.message().c_str());
  }
};

TEST(PluginManifest, copies_what_the_table_says) {
  const auto manifest = Manifest::read(table);
  CHECK(manifest.is_ok());
  STRCMP_EQUAL("echo", manifest.value().name.c_str());
  STRCMP_EQUAL("1.2.3", manifest.value().version.c_str());
  STRCMP_EQUAL("Says it again", manifest.value().description.c_str());
  STRCMP_EQUAL("MIT", manifest.value().license.c_str());
  CHECK(manifest.value().functions.stop == stop);
}

TEST(PluginManifest, what_a_shorter_table_lacks_is_null) {
  table.size = offsetof(jf_plugin, start) + sizeof(jf_plugin::start);
  const auto manifest = Manifest::read(table);
  CHECK(manifest.is_ok());
  CHECK(manifest.value().functions.start == start);
  CHECK(manifest.value().functions.stop == nullptr);
}

TEST(PluginManifest, a_later_table_is_read_as_far_as_it_is_known) {
  struct {
    jf_plugin known;
    void (*later)();
  } larger{table, nullptr};
  larger.known.size = sizeof larger;
  larger.known.minor = 7;
  const auto manifest = Manifest::read(larger.known);
  CHECK(manifest.is_ok());
  LONGS_EQUAL(7, manifest.value().minor);
}

TEST(PluginManifest, a_table_without_start_is_refused) {
  table.size = offsetof(jf_plugin, start);
  expect_refused("octets");
  table.size = 8;
  expect_refused("its table says 8 octets");
  table.size = 0xffffffff;
  expect_refused("octets");
  table.size = sizeof table;
  table.start = nullptr;
  expect_refused("no start function");
}

TEST(PluginManifest, a_malformed_name_is_refused) {
  for (const char* name : {"", "Echo", "1x", "a b", "a.b", "a/../b",
                           "a23456789012345678901234567890123"}) {
    table.name = {name, std::strlen(name)};
    expect_refused("is not of the form");
  }
}

TEST(PluginManifest, a_malformed_text_is_refused) {
  table.description = {nullptr, 5};
  expect_refused("malformed");
  table.description = JF_TEXT("two\nlines");
  expect_refused("malformed");
  table.description = JF_TEXT("\xff");
  expect_refused("malformed");
  table.description = {"x", static_cast<std::size_t>(-1)};
  expect_refused("malformed");
}
