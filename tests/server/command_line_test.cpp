// The executable's other uses: --version, --help, check, inspect, watch (status: status_test.cpp);
// and what it says to mistakes.
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/json.hpp"
#include "tests/support/server_group.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::test;

Finished run_jackfield(std::vector<std::string> arguments, Where where = Where::here()) {
  arguments.insert(arguments.begin(), jackfield_executable());
  return run_program(arguments, where);
}

bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST_GROUP(CommandLine) {
  // Code 2, nothing on standard output, and one line on standard error that holds `part`.
  void expect_usage_error(const std::vector<std::string>& arguments, std::string_view part,
                          Where where = Where::here()) {
    const Finished finished = run_jackfield(arguments, where);
    check(finished.ending.code == 2, finished.ending.text() + ": " + finished.errors, where);
    check(finished.output.empty(), finished.output, where);
    check(finished.errors.starts_with("jackfield: "), finished.errors, where);
    check(holds(finished.errors, part), finished.errors, where);
  }
};

TEST(CommandLine, version) {
  const Finished finished = run_jackfield({"--version"});
  LONGS_EQUAL(0, finished.ending.code);
  STRCMP_EQUAL("jackfield 0.1.0\n", finished.output.c_str());
}

TEST(CommandLine, help_names_every_use) {
  const Finished finished = run_jackfield({"--help"});
  LONGS_EQUAL(0, finished.ending.code);
  for (const char* word : {"--config", "--listen", "--plugins", "--log-level", "--version",
                           "--help", "check", "inspect", "watch", "status"}) {
    STRCMP_CONTAINS(word, finished.output.c_str());
  }
  STRCMP_EQUAL("", finished.errors.c_str());
}

TEST(CommandLine, mistakes_are_one_line_and_code_2) {
  expect_usage_error({"--nonsense"}, "--nonsense");
  expect_usage_error({"nonsense"}, "nonsense");
  expect_usage_error({"--listen", "127.0.0.1"}, "127.0.0.1");
  expect_usage_error({"--listen", "127.0.0.1:99999"}, "99999");
  expect_usage_error({"--listen", "nowhere:http"}, "nowhere:http");
  expect_usage_error({"--log-level", "loud"}, "loud");
  expect_usage_error({"--config"}, "--config");
  expect_usage_error({"check"}, "--config");
}

TEST(CommandLine, a_configuration_that_cannot_be_read_is_one_line_and_code_2) {
  expect_usage_error({"--config", "/nowhere/jackfield.toml"}, "/nowhere/jackfield.toml");
  expect_usage_error({"check", "--config", "/nowhere/jackfield.toml"}, "/nowhere/jackfield.toml");
  const TemporaryFolder folder;
  expect_usage_error({"--config", folder.path().string()}, folder.path().string());
}

TEST(CommandLine, a_server_does_not_start_with_a_mistaken_configuration) {
  const TemporaryFolder folder;
  const std::string path = folder.write("a.toml", "[server]\nmax_conections = 5\n").string();
  const Finished finished = run_jackfield({"--config", path});
  LONGS_EQUAL(2, finished.ending.code);
  STRCMP_CONTAINS("max_conections", finished.errors.c_str());
  STRCMP_CONTAINS("max_connections", finished.errors.c_str());
}

TEST_GROUP(Check) {
  TemporaryFolder folder;

  Finished check_text(std::string_view toml) {
    return run_jackfield({"check", "--config", folder.write("c.toml", toml).string()});
  }
};

TEST(Check, a_right_configuration_is_right) {
  folder.write("plugins/none", "");
  const Finished finished = check_text(
      "[server]\nlisten = [\"127.0.0.1:3001\", \"[::1]:3001\", \"unix:/tmp/x\"]\npath = \"/ws\"\n"
      "max_connections = 7\n[plugins]\ndirectory = \"plugins\"\norder = [\"a\"]\n"
      "[plugin.anything]\nkey = [1, 2.5, \"x\", {a = true}]\n");
  LONGS_EQUAL(0, finished.ending.code);
  STRCMP_EQUAL("", finished.errors.c_str());
}

TEST(Check, every_mistake_is_named_with_its_place) {
  const Finished finished = check_text(
      "[server]\n"
      "listen = \"127.0.0.1:3001\"\n"
      "max_connections = \"many\"\n"
      "max_conections = 5\n"
      "[plugins]\n"
      "directory = 5\n"
      "[unknown]\n");
  LONGS_EQUAL(2, finished.ending.code);
  const std::string said = finished.output + finished.errors;
  for (const char* place : {"c.toml:2:", "c.toml:3:", "c.toml:4:", "c.toml:6:", "c.toml:7:"}) {
    STRCMP_CONTAINS(place, said.c_str());
  }
  // The unknown key, and the one that was meant.
  LONGS_EQUAL(1, count_lines(said, {"c.toml:4:1", "max_conections", "max_connections"}));
}

TEST(Check, a_mistake_of_syntax_is_named_with_its_place) {
  const Finished finished = check_text("[server]\nlisten = [\n\nmax = = 5\n");
  LONGS_EQUAL(2, finished.ending.code);
  STRCMP_CONTAINS("c.toml:4:", (finished.output + finished.errors).c_str());
}

// As the start does.
TEST(Check, the_files_of_tokens_and_keys_are_read) {
  const std::string tokens = folder.write("tokens", "alice 0123456789abcdef-alice\n").string();
  const std::string key = folder.write("key", "0123456789abcdef0123456789abcdef").string();
  const std::string text = "[auth]\ntokens = \"" + tokens +
                           "\"\n[[jwt.keys]]\nalgorithm = \"HS256\"\nfile = \"" + key + "\"\n";
  const auto expect = [&](int code, const std::string& part, Where where = Where::here()) {
    const Finished finished = check_text(text);
    check(finished.ending.code == code, finished.ending.text(), where);
    check(holds(finished.errors + finished.output, part), finished.errors, where);
  };
  LONGS_EQUAL(0, ::chmod(tokens.c_str(), 0604));
  LONGS_EQUAL(0, ::chmod(key.c_str(), 0602));
  const Finished both = check_text(text);
  LONGS_EQUAL(2, both.ending.code);
  STRCMP_CONTAINS(tokens.c_str(), both.errors.c_str());
  STRCMP_CONTAINS(key.c_str(), both.errors.c_str());
  LONGS_EQUAL(0, ::chmod(tokens.c_str(), 0600));
  expect(2, key);
  LONGS_EQUAL(0, ::chmod(key.c_str(), 0600));
  expect(0, "no mistakes");
  folder.write("tokens", "alice short\n");
  expect(2, tokens + ":1: must have a token");
  LONGS_EQUAL(0, ::unlink(tokens.c_str()));
  expect(2, "cannot be read: No such file or directory");
}

TEST(Check, an_empty_configuration_is_right) { LONGS_EQUAL(0, check_text("").ending.code); }

TEST_GROUP(Inspect) {
  const TemporaryFolder folder;

  // The path of a copy of a built plugin: the build's folders may be those of another user than the
  // one who runs the tests.
  std::string copy_of(const std::string& name) {
    const std::filesystem::path copy = folder.path() / (name + ".so");
    std::filesystem::copy_file(built_plugin(name), copy);
    return copy.string();
  }
};

TEST(Inspect, says_what_a_plugin_is) {
  const Finished finished = run_jackfield({"inspect", copy_of("params")});
  LONGS_EQUAL(0, finished.ending.code);
  for (const char* word : {"params", "1.2.3", "MIT", "a tiny test plugin"}) {
    STRCMP_CONTAINS(word, finished.output.c_str());
  }
}

TEST(Inspect, says_it_as_json) {
  const Finished finished = run_jackfield({"inspect", copy_of("echo"), "--json"});
  LONGS_EQUAL(0, finished.ending.code);
  STRCMP_EQUAL("echo", string_member(finished.output, "name").c_str());
  STRCMP_EQUAL("1.0.0", string_member(finished.output, "version").c_str());
  STRCMP_CONTAINS("echo:<name>", finished.output.c_str());
}

TEST(Inspect, says_the_patterns) {
  const Finished finished = run_jackfield({"inspect", copy_of("params")});
  for (const char* pattern : {"reasoning:<sessionId>", "two:<first>:of:<second>", "<all>"}) {
    STRCMP_CONTAINS(pattern, finished.output.c_str());
  }
}

TEST(Inspect, says_why_one_would_be_refused) {
  const std::string text = folder.write("text.so", "no shared object").string();
  for (const std::string& path :
       {text, copy_of("no_symbol"), copy_of("wrong_major"),
        copy_of("small_size"), copy_of("null_start"),
        copy_of("bad_name"), copy_of("unresolved"),
        std::string("/nowhere/plugin.so")}) {
    const Finished finished = run_jackfield({"inspect", path});
    check(finished.ending.code > 0, path + ": " + finished.ending.text());
    check(holds(finished.output + finished.errors, path), path + ": " + finished.errors);
  }
}

TEST_GROUP_BASE(Watch, ServerGroup) {
  void setup() override { start({.plugins = {"echo"}}); }
};

TEST(Watch, shows_what_arrives_on_its_topics) {
  const Finished finished =
      run_jackfield({"watch", "--url", server().url(), "--count", "4", "echo:w", "echo:v"});
  LONGS_EQUAL(0, finished.ending.code);
  for (const char* part : {"echo:w", "echo:v", "subscribed", "snapshot"}) {
    STRCMP_CONTAINS(part, finished.output.c_str());
  }
}

TEST(Watch, sends_messages_too) {
  const Finished finished =
      run_jackfield({"watch", "--url", server().url(), "--send",
                     R"(["echo:w","echo",12345678901234567890])", "--count", "3", "echo:w"});
  LONGS_EQUAL(0, finished.ending.code);
  STRCMP_CONTAINS("12345678901234567890", finished.output.c_str());
  STRCMP_CONTAINS("echoed", finished.output.c_str());
}

TEST(Watch, a_server_that_is_not_there_is_one_line) {
  const Finished finished = run_jackfield({"watch", "--url", "ws://127.0.0.1:1/", "echo:w"});
  CHECK_TRUE(finished.ending.code > 0);
  CHECK_TRUE(finished.errors.starts_with("jackfield: "));
}

TEST(Watch, ends_when_the_server_does) {
  ChildProcess watcher({jackfield_executable(), "watch", "--url", server().url(), "echo:w"});
  CHECK_TRUE(watcher.wait_for_output({"snapshot"}).has_value());
  server().stop();
  const std::optional<Ending> ending = watcher.wait();
  CHECK_TRUE(ending.has_value());
}

TEST(Watch, mistakes_are_code_2) {
  LONGS_EQUAL(2, run_jackfield({"watch", "--url", "http://127.0.0.1/", "echo:w"}).ending.code);
  LONGS_EQUAL(
      2, run_jackfield({"watch", "--url", server().url(), "--count", "x", "echo:w"}).ending.code);
  LONGS_EQUAL(2, run_jackfield({"watch", "--url", server().url()}).ending.code);
}

}  // namespace
