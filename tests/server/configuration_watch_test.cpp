// A configuration file that changes is read again without being asked, however it is changed.
#include <chrono>
#include <csignal>
#include <fstream>

#include "tests/support/json.hpp"
#include "tests/support/server_group.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::test;

TEST_GROUP_BASE(ConfigurationWatch, ServerGroup) {
  // The watcher waits for half of it.
  static constexpr std::chrono::milliseconds kLongerThanQuiet{200};

  ServerOptions options{.plugins = {"echo"}};

  std::filesystem::path file() { return server().folder().path() / "jackfield.toml"; }

  // The configuration with this limit, which tells each from all others.
  std::string text_with(int max_subscriptions) {
    options.server = "max_subscriptions = " + std::to_string(max_subscriptions);
    return configuration_text(server().folder(), options);
  }

  void write(std::string_view text) { server().folder().write("jackfield.toml", text); }

  // So many changes of that limit have been taken, and it is this now.
  void expect_taken(std::size_t times, int max_subscriptions, Where where = Where::here()) {
    server().wait_for_logs(times, {"configuration changed", "keys=server.max_subscriptions"},
                           where);
    WsClient client = connect({}, where);
    for (int i = 0; i <= max_subscriptions; ++i) {
      client.send_text("[\"echo:" + std::to_string(i) + "\",\"subscribe\",null]", where);
      const std::string answer = client.receive(where);
      const bool is_refused = answer.find("LIMIT_EXCEEDED") != std::string::npos;
      check(is_refused == (i == max_subscriptions), answer, where);
      if (!is_refused) client.receive(where);
    }
  }
};

TEST(ConfigurationWatch, a_file_that_is_written_in_place_is_read) {
  start(options);
  write(text_with(3));
  expect_taken(1, 3);
  write(text_with(2));
  expect_taken(2, 2);
}

TEST(ConfigurationWatch, a_file_that_is_moved_there_is_read) {
  start(options);
  for (int i = 1; i <= 3; ++i) {
    std::filesystem::rename(server().folder().write("jackfield.toml.new", text_with(i)), file());
    expect_taken(static_cast<std::size_t>(i), i);
  }
}

TEST(ConfigurationWatch, half_a_file_is_not_read) {
  start(options);
  const std::string whole = text_with(1) + "[log]\nlevel = \"info\"\n";
  std::ofstream writer(file(), std::ios::trunc);
  writer << whole.substr(0, whole.size() - 4) << std::flush;
  WsClient a = connect();
  const auto quiet_is_over = std::chrono::steady_clock::now() + kLongerThanQuiet;
  while (std::chrono::steady_clock::now() < quiet_is_over) a.expect_nothing();
  LONGS_EQUAL(0, count_lines(server().process().errors(), {"configuration"}));
  writer << whole.substr(whole.size() - 4) << std::flush;
  writer.close();
  expect_taken(1, 1);
  LONGS_EQUAL(1, count_lines(server().process().errors(), {"msg=\"configuration "}));
}

TEST(ConfigurationWatch, a_link_to_a_file_is_followed_and_may_be_pointed_elsewhere) {
  const TemporaryFolder elsewhere;
  start(options);
  const std::filesystem::path first = elsewhere.write("first.toml", text_with(1));
  const std::filesystem::path second = elsewhere.write("second.toml", text_with(2));
  const std::filesystem::path link = server().folder().path() / "link";
  std::filesystem::create_symlink(first, link);
  std::filesystem::rename(link, file());
  expect_taken(1, 1);
  std::filesystem::create_symlink(second, link);
  std::filesystem::rename(link, file());
  expect_taken(2, 2);
  elsewhere.write("second.toml", text_with(3));
  expect_taken(3, 3);
}

TEST(ConfigurationWatch, a_file_that_goes_changes_nothing_and_is_taken_when_it_is_back) {
  start(options);
  write(text_with(2));
  expect_taken(1, 2);
  std::filesystem::remove(file());
  server().wait_for_log({"level=error", "jackfield.toml: cannot be read"});
  server().wait_for_log({"level=error", "configuration not changed"});
  write(text_with(1));
  expect_taken(2, 1);
}

TEST(ConfigurationWatch, a_mended_file_is_taken) {
  start(options);
  write("[server]\nmax_subscriptions = 0\n");
  server().wait_for_log({"level=error", "mistake in the configuration",
                         "jackfield.toml:2:21: server.max_subscriptions: must be"});
  server().wait_for_log({"level=error", "configuration not changed", "mistakes=1"});
  write(text_with(1));
  expect_taken(1, 1);
}

TEST(ConfigurationWatch, a_signal_reads_it_besides) {
  start(options);
  server().process().signal(SIGHUP);
  server().wait_for_log({"nothing in it has changed"});
  write(text_with(1));
  expect_taken(1, 1);
}

TEST(ConfigurationWatch, it_is_switched_off_and_on_live) {
  start(options);
  options.tables = "[configuration]\nwatch = false\n";
  write(text_with(2));
  server().wait_for_log({"keys=server.max_subscriptions,configuration.watch"});
  // Now only a signal has it read: with all that was written before.
  write(text_with(3));
  options.tables = "[configuration]\nwatch = true\n";
  write(text_with(4));
  server().process().signal(SIGHUP);
  server().wait_for_logs(2, {"keys=server.max_subscriptions,configuration.watch"});
  write(text_with(5));
  expect_taken(3, 5);
  LONGS_EQUAL(3, count_lines(server().process().errors(), {"configuration changed"}));
}

TEST(ConfigurationWatch, a_file_that_changes_during_the_start_is_taken) {
  const TemporaryFolder folder;
  const std::string go = (folder.path() / "go").string();
  const ServerOptions before{.plugins = {"restarts"},
                             .tables = "[plugin.restarts]\nstart_waits = \"" + go + "\"\n"};
  const std::filesystem::path written = write_configuration(folder, before);
  ChildProcess process({jackfield_executable(), "--config", written.string()});
  CHECK_TRUE(process.wait_for_error({"it starts"}).has_value());
  ServerOptions after = before;
  after.server = "max_subscriptions = 7";
  folder.write("jackfield.toml", configuration_text(folder, after));
  folder.write("go", "");
  CHECK_TRUE(process.wait_for_error({"keys=server.max_subscriptions"}).has_value());
  process.signal(SIGTERM);
  const std::optional<Ending> ending = process.wait();
  CHECK_TRUE(ending.has_value() && ending->code == 0);
}

}  // namespace
