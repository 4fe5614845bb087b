#include "core/plugin/library.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/fake_host.hpp"
#include "tests/support/temporary_folder.hpp"

#include <CppUTest/TestHarness.h>

using jackfield::plugin::AddressRange;
using jackfield::files::FileStamp;
using jackfield::plugin::Library;
using jackfield::plugin::PrivateCopies;
using jackfield::test::FakeHost;
namespace fs = std::filesystem;

namespace {

const fs::path kPlugins = JACKFIELD_PLUGINS;
const fs::path kTinyPlugins = JACKFIELD_TEST_PLUGINS;

std::vector<std::string> mappings() {
  std::ifstream maps("/proc/self/maps");
  std::vector<std::string> lines;
  for (std::string line; std::getline(maps, line);) lines.push_back(line);
  return lines;
}

// How many mappings are of a file whose path holds this.
std::size_t mappings_of(const std::string& path) {
  const auto all = mappings();
  return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [&](const auto& line) {
    return line.find(path) != std::string::npos;
  }));
}

std::size_t descriptors() {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()));
}

std::uintptr_t address_of(const Library& library) {
  return reinterpret_cast<std::uintptr_t>(&library.table());
}

}  // namespace

TEST_GROUP(PluginLibrary) {
  jackfield::test::TemporaryFolder folder;
  const fs::path run = folder.path() / "run";
  std::optional<PrivateCopies> copies;

  void setup() override {
    auto opened = PrivateCopies::open(run);
    CHECK(opened.is_ok());
    copies.emplace(std::move(opened.value()));
  }

  void use_memory() {
    copies.reset();
    copies.emplace(PrivateCopies::in_memory());
  }

  // Whoever owns the build's folders.
  static jackfield::base::Result<Library> open_from(const fs::path& file,
                                                    const PrivateCopies& into) {
    jackfield::plugin::FileTrust trust{.is_required = false, .fault = {}};
    std::error_code ignored;
    return Library::open(file, into, trust, ignored);
  }

  Library open(const fs::path& file) {
    auto library = open_from(file, *copies);
    if (!library.is_ok()) FAIL(library.message().c_str());
    return std::move(library.value());
  }

  std::string refusal(const fs::path& file) {
    const auto library = open_from(file, *copies);
    return library.is_ok() ? std::string() : library.message();
  }

  void expect_gone(Library library) {
    const Library::Unloading unloading = std::move(library).close();
    STRCMP_EQUAL("", unloading.reason.c_str());
    CHECK_TRUE(unloading.is_gone);
  }

  void expect_kept(Library library, const char* why) {
    const Library::Unloading unloading = std::move(library).close();
    CHECK_FALSE(unloading.is_gone);
    STRCMP_CONTAINS(why, unloading.reason.c_str());
  }

  // Opens, starts, uses, stops and closes a plugin again and again: nothing may be left of it.
  void expect_nothing_left(const fs::path& file, const char* topic, const char* event) {
    std::size_t before = 0;
    std::size_t files_before = 0;
    std::size_t descriptors_before = 0;
    for (int i = 0; i < 105; ++i) {
      if (i == 5) {  // what is made once is made by then
        before = mappings().size();
        files_before = mappings_of("/");
        descriptors_before = descriptors();
      }
      Library library = open(file);
      {
        FakeHost host(library.table());
        LONGS_EQUAL(JF_OK, host.start());
        const jf_id connection = host.connect();
        host.subscribe(connection, topic);
        host.send(connection, topic, event, R"({"text":"hello"})");
        CHECK(host.received(connection).size() >= 2);
        host.stop();
      }
      expect_gone(std::move(library));
      LONGS_EQUAL(0, mappings_of(run));
    }
    LONGS_EQUAL(files_before, mappings_of("/"));
    CHECK(mappings().size() < before + 50);  // the heap's own come and go, but not one each time
    LONGS_EQUAL(descriptors_before, descriptors());
    LONGS_EQUAL(1, std::distance(fs::directory_iterator(run), fs::directory_iterator()));
  }
};

TEST(PluginLibrary, a_plugin_in_c_goes_without_a_trace) {
  expect_nothing_left(kPlugins / "echo.so", "echo:a", "say");
}

TEST(PluginLibrary, a_plugin_in_cxx_goes_without_a_trace) {
  expect_nothing_left(kPlugins / "chat.so", "chat:a", "say");
}

TEST(PluginLibrary, no_plugin_of_ours_has_anything_that_keeps_it) {
  int count = 0;
  for (const char* name : {"echo", "chat", "observatory", "system"}) {
    const fs::path file = kPlugins / (std::string(name) + ".so");
    if (!fs::exists(file)) continue;
    ++count;
    Library library = open(file);
    STRCMP_EQUAL("", jackfield::plugin::obstacle(library.traits()).c_str());
    CHECK_FALSE(library.traits().has_thread_exits);
    expect_gone(std::move(library));
  }
  CHECK(count > 0);
}

TEST(PluginLibrary, knows_where_it_is_mapped) {
  Library library = open(kPlugins / "echo.so");
  const AddressRange range = library.range();
  CHECK(range.contains(address_of(library)));
  CHECK(range.contains(reinterpret_cast<std::uintptr_t>(library.table().start)));
  std::size_t inside = 0;
  for (const std::string& line : mappings()) {
    if (line.find(run.string()) == std::string::npos) continue;
    const auto begin = static_cast<std::uintptr_t>(std::stoull(line, nullptr, 16));
    const auto end =
        static_cast<std::uintptr_t>(std::stoull(line.substr(line.find('-') + 1), nullptr, 16));
    CHECK(range.contains(begin) && range.contains(end - 1));
    ++inside;
  }
  CHECK(inside >= 3);
  const auto ranges = library.ranges_to_unmap();
  LONGS_EQUAL(1, ranges.size());  // the C library stays
  CHECK(ranges[0] == range);
  CHECK(*FileStamp::of(kPlugins / "echo.so") == library.stamp());
}

TEST(PluginLibrary, one_that_exports_a_unique_symbol_stays_and_names_it) {
  Library library = open(kTinyPlugins / "unique.so");
  STRCMP_CONTAINS("unique_count", library.traits().unique_symbol.c_str());
  // Only the first image of this process stays: later ones use its variable.
  static bool is_first = true;
  if (std::exchange(is_first, false)) {
    expect_kept(std::move(library), "it exports unique symbols (STB_GNU_UNIQUE), such as ");
    CHECK(mappings_of(run) > 0);
  } else {
    expect_gone(std::move(library));
  }
}

TEST(PluginLibrary, one_that_is_linked_with_nodelete_stays) {
  Library library = open(kTinyPlugins / "nodelete.so");
  CHECK_TRUE(library.traits().is_nodelete);
  expect_kept(std::move(library), "it is linked with -z nodelete");
}

TEST(PluginLibrary, one_with_a_thread_local_object_that_nobody_touched_goes) {
  Library library = open(kTinyPlugins / "thread_local_object.so");
  CHECK_TRUE(library.traits().has_thread_locals);
  CHECK_TRUE(library.traits().has_thread_exits);
  {
    FakeHost host(library.table());
    LONGS_EQUAL(JF_OK, host.start());
  }
  expect_gone(std::move(library));
}

TEST(PluginLibrary, one_with_a_thread_local_object_stays_while_the_thread_that_touched_it_runs) {
  const auto touch = [](const Library& library) {
    FakeHost host(library.table());
    host.start();
    host.send(host.connect(), "thread_local_object", "touch");
  };
  Library touched = open(kTinyPlugins / "thread_local_object.so");
  std::thread([&] { touch(touched); }).join();
  expect_gone(std::move(touched));

  Library again = open(kTinyPlugins / "thread_local_object.so");
  Library::Unloading unloading;
  std::thread([&] {
    touch(again);
    unloading = std::move(again).close();
  }).join();
  CHECK_FALSE(unloading.is_gone);
  STRCMP_CONTAINS("perhaps a thread that still runs has thread-local objects",
                  unloading.reason.c_str());
}

TEST(PluginLibrary, one_that_something_opened_once_more_stays) {
  Library library = open(kPlugins / "echo.so");
  Dl_info info{};
  CHECK(::dladdr(&library.table(), &info) != 0);
  const std::string path = info.dli_fname;
  void* const again = ::dlopen(path.c_str(), RTLD_NOW);
  expect_kept(std::move(library), "perhaps something opened it once more");
  CHECK_FALSE(fs::exists(path));
  LONGS_EQUAL(0, ::dlclose(again));
  LONGS_EQUAL(0, mappings_of(run));
}

TEST(PluginLibrary, after_an_image_that_stayed_the_same_file_is_another_image) {
  for (const bool in_memory : {false, true}) {
    if (in_memory) use_memory();
    const std::size_t before = descriptors();
    Library old = open(kTinyPlugins / "nodelete.so");
    const std::uintptr_t old_table = address_of(old);
    expect_kept(std::move(old), "nodelete");
    LONGS_EQUAL(before + (in_memory ? 1 : 0), descriptors());

    // Of another file, which would get the descriptor's number, were it closed.
    Library other = open(kPlugins / "echo.so");
    STRCMP_EQUAL("echo", std::string(other.table().name.data, other.table().name.size).c_str());
    Library fresh = open(kTinyPlugins / "nodelete.so");
    CHECK(address_of(fresh) != old_table);
    expect_gone(std::move(other));
    expect_kept(std::move(fresh), "nodelete");
  }
}

TEST(PluginLibrary, after_the_copies_folder_was_made_again_the_same_file_is_another_image) {
  Library old = open(kTinyPlugins / "nodelete.so");
  const std::uintptr_t old_table = address_of(old);
  expect_kept(std::move(old), "nodelete");
  copies.reset();
  CHECK_FALSE(fs::exists(run / ("jackfield-" + std::to_string(::getpid()))));
  setup();
  Library fresh = open(kTinyPlugins / "nodelete.so");
  CHECK(address_of(fresh) != old_table);
}

TEST(PluginLibrary, a_refused_file_leaves_nothing_mapped_or_open) {
  for (const bool in_memory : {false, true}) {
    if (in_memory) use_memory();
    const std::string where = in_memory ? "/memfd:" : run.string();
    const std::size_t before = descriptors();
    const std::size_t mapped_before = mappings_of(where);
    STRCMP_CONTAINS("exports no jackfield_plugin_v1",
                    refusal(kTinyPlugins / "no_symbol.so").c_str());
    STRCMP_CONTAINS("a_function_that_nobody_has", refusal(kTinyPlugins / "unresolved.so").c_str());
    STRCMP_CONTAINS("no such file", refusal(kTinyPlugins / "missing.so").c_str());
    STRCMP_CONTAINS("not a file", refusal(kTinyPlugins).c_str());
    LONGS_EQUAL(before, descriptors());
    LONGS_EQUAL(mapped_before, mappings_of(where));
  }
}

TEST(PluginLibrary, a_refused_file_whose_image_stays_says_so_and_is_not_taken_for_the_next) {
  use_memory();
  const std::size_t before = descriptors();
  STRCMP_EQUAL("exports no jackfield_plugin_v1: not a Jackfield plugin; its image stays mapped: "
               "it is linked with -z nodelete",
               refusal(kTinyPlugins / "no_symbol_nodelete.so").c_str());
  LONGS_EQUAL(before + 1, descriptors());
  expect_gone(open(kPlugins / "echo.so"));
}

TEST(PluginLibrary, an_abandoned_one_stays_whole_without_its_file) {
  for (const bool in_memory : {false, true}) {
    if (in_memory) use_memory();
    const std::size_t before = descriptors();
    Library library = open(kPlugins / "echo.so");
    const jf_plugin& table = library.table();
    std::move(library).abandon();
    LONGS_EQUAL(before + (in_memory ? 1 : 0), descriptors());
    copies.reset();
    FakeHost host(table);
    LONGS_EQUAL(JF_OK, host.start());
    host.stop();
    CHECK_FALSE(fs::exists(run) && !fs::is_empty(run));
  }
}

TEST(PluginLibrary, is_closed_by_its_end_too) {
  { const Library library = open(kPlugins / "chat.so"); }
  LONGS_EQUAL(0, mappings_of(run));
}

TEST(PluginLibrary, a_file_with_an_odd_or_long_name_is_opened_all_the_same) {
  for (const std::string& name : {std::string("$LIB"), std::string("a b\n%s"),
                                  std::string(250, 'x'), std::string("\xc3\xa4")}) {
    const fs::path file = folder.path() / (name + ".so");
    fs::copy_file(kPlugins / "echo.so", file);
    expect_gone(open(file));
  }
}

TEST(PluginLibrary, a_file_that_is_cut_anywhere_never_reaches_the_loader) {
  const std::string sound = jackfield::test::read_file(kPlugins / "chat.so");
  std::size_t cuts = 0;
  for (std::size_t size = 0; size < sound.size(); size += 4096, ++cuts) {
    const fs::path file = folder.write("cut.so", std::string_view(sound).substr(0, size));
    const std::string why = refusal(file);
    const bool is_ours = why == "not an ELF file" || why.starts_with("cut short: ");
    CHECK_TEXT(is_ours, (std::to_string(size) + ": " + why).c_str());
  }
  CHECK(cuts > 20);
}

TEST(PluginLibrary, several_are_opened_and_closed_by_several_threads_at_once) {
  constexpr int kThreads = 4;
  constexpr int kTimes = 25;
  std::vector<int> gone(kThreads, 0);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      for (int time = 0; time < kTimes; ++time) {
        auto library = open_from(kPlugins / (i % 2 == 0 ? "echo.so" : "chat.so"), *copies);
        if (library.is_ok() && std::move(library.value()).close().is_gone) {
          ++gone[static_cast<std::size_t>(i)];
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const int times : gone) LONGS_EQUAL(kTimes, times);
  LONGS_EQUAL(0, mappings_of(run));
}
