// `jackfield status`: what running servers say of themselves, and which of them are asked.
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/support/change_group.hpp"
#include "tests/support/json.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::test;
namespace fs = std::filesystem;

// What `jackfield status` says where $RUNTIME_DIRECTORY is this.
Finished run_status(const fs::path& runtime, std::vector<std::string> arguments,
                    Where where = Where::here()) {
  arguments.insert(arguments.begin(), {jackfield_executable(), "status"});
  ChildProcess program(arguments, {{"RUNTIME_DIRECTORY", runtime.string()}}, where);
  const std::optional<Ending> ending = program.wait();
  check(ending.has_value(), "it does not end: " + program.errors(), where);
  return {*ending, program.output(), program.errors()};
}

TEST_GROUP_BASE(Status, ChangeGroup) {
  static fs::path runtime_of(const ServerProcess& server) { return server.folder().path() / "run"; }

  // Of the test's server.
  std::string ask(std::vector<std::string> arguments = {}, Where where = Where::here()) {
    arguments.push_back("--pid=" + std::to_string(server().process().pid()));
    const Finished finished = run_status(runtime_of(server()), std::move(arguments), where);
    check(finished.ending.code == 0, finished.ending.text() + ": " + finished.errors, where);
    check(finished.errors.empty(), finished.errors, where);
    return finished.output;
  }
  std::string ask_json(Where where = Where::here()) { return ask({"--json"}, where); }

  // So many lines of the text for people hold every one of `parts`.
  void expect_lines(std::size_t count, std::initializer_list<std::string_view> parts,
                    Where where = Where::here()) {
    const std::string text = ask({}, where);
    const std::size_t lines = count_lines(text, parts);
    check(lines == count, std::to_string(lines) + " lines in\n" + text, where);
  }
  // The JSON, without its white space, holds this.
  void expect_json(std::string_view part, bool does = true, Where where = Where::here()) {
    const std::string json = without_space(ask_json(where));
    check((json.find(part) != std::string::npos) == does, std::string(part) + " in " + json, where);
  }
  static std::string without_space(const std::string& json) {
    std::string text;
    for (const char c : json) {
      if (c != '\n' && c != '\t' && c != ' ') text += c;
    }
    return text;
  }

  // There is one line on standard error, and code 3.
  static void expect_nobody(const Finished& finished, std::string_view part,
                            Where where = Where::here()) {
    check(finished.ending.code == 3, finished.ending.text() + ": " + finished.output, where);
    check(finished.output.empty(), finished.output, where);
    check(finished.errors.starts_with("jackfield: ") && count_lines(finished.errors, {}) == 1 &&
              finished.errors.find(part) != std::string::npos,
          finished.errors, where);
  }

  // Its runtime folder, as the configuration of `status --config` names it.
  static std::vector<std::string> in_folder(const TemporaryFolder& folder) {
    const std::string text = "[plugins]\nruntime_directory = \"" + folder.path().string() + "\"\n";
    return {"--config", folder.write("status.toml", text).string()};
  }
  static std::string with_runtime(const TemporaryFolder& folder) {
    return "runtime_directory = \"" + folder.path().string() + "\"";
  }
  static fs::path socket_of(const TemporaryFolder& folder, ServerProcess& server) {
    return folder.path() / ("jackfield-" + std::to_string(server.process().pid())) / "status";
  }
};

// ---- what is said

TEST(Status, the_text_names_each_plugin_with_what_it_serves) {
  serve("gen_1");
  subscribe(client("A"), "gen:a", "1.0.0");
  subscribe(client("A"), "gen:b", "1.0.0");
  subscribe(client("B"), "gen:a", "1.0.0");
  const std::string pid = std::to_string(server().process().pid());
  expect_lines(1, {"jackfield    ", "pid " + pid});
  expect_lines(1, {"connections  2 of 100"});
  expect_lines(1, {"plugin       generation 1.0.0  generation 1  since 20", "  subscriptions 3"});
  expect_lines(1, {"plugin       echo ", "  generation 1  ", "  subscriptions 0"});
  expect_lines(1, {"             gen:<name>"});
  expect_lines(1, {"images       0 unmapped, 0 stayed, 0 on their way"});
  expect_lines(0, {"slow calls"});
  expect_lines(0, {"refused"});
}

TEST(Status, the_json_says_the_same) {
  serve("gen_1");
  subscribe(client("A"), "gen:a", "1.0.0");
  const std::string json = ask_json();
  LONGS_EQUAL(server().process().pid(), integer_member(json, "pid"));
  LONGS_EQUAL(1, integer_member(json, "connections"));
  LONGS_EQUAL(100, integer_member(json, "max_connections"));
  LONGS_EQUAL(0, integer_member(json, "stayed_count"));
  STRCMP_EQUAL("0.1.0", string_member(json, "version").c_str());
  expect_json(R"({"name":"generation","version":"1.0.0","generation":1,"since":"20)");
  expect_json(R"("file":")" + file().string() + R"(","patterns":["gen:<name>"],"subscriptions":1,)"
              R"("slow_calls":0,"slowest_ms":0})");
  expect_json(R"("refused":[],"stayed":[])");
}

TEST(Status, a_replacement_is_generation_2_with_its_subscriptions) {
  serve("gen_1", {.log_level = "debug"});
  subscribe(client("A"), "gen:a", "1.0.0");
  replace("gen_2", 2);
  server().wait_for_log({"plugin unmapped", "plugin=generation ", "generation=1"});
  expect_lines(1, {"plugin       generation 2.0.0  generation 2 ", "  subscriptions 1"});
  expect_lines(1, {"images       1 unmapped, 0 stayed, 0 on their way"});
  expect_json(R"("name":"generation","version":"2.0.0","generation":2,)");
}

TEST(Status, a_removed_plugin_is_no_longer_said) {
  serve("gen_1");
  remove();
  server().wait_for_log({"plugin removed", "plugin=generation"});
  expect_lines(0, {"generation 1.0.0"});
  expect_lines(1, {"plugin       "});
}

TEST(Status, a_refused_file_is_said_with_its_reason_until_a_better_one_is_taken) {
  serve("gen_1");
  put_bytes("no shared object");
  server().wait_for_log({"plugin refused"});
  expect_lines(1, {"refused      ", file().string(), "not an ELF file"});
  expect_lines(1, {"plugin       generation 1.0.0  generation 1 "});
  expect_json(R"("refused":[{"file":")" + file().string() + R"(","reason":"notanELFfile)");
  replace("gen_2", 2);
  expect_lines(0, {"refused"});
  expect_json(R"("refused":[])");
}

TEST(Status, a_refused_file_is_said_until_it_is_removed) {
  serve("gen_1");
  put("start_fails", "bad.so");
  put_bytes("", "worse.so");
  server().wait_for_log({"plugin refused", "bad.so"});
  server().wait_for_log({"plugin refused", "worse.so"});
  expect_lines(2, {"refused      "});
  remove("bad.so");
  // What comes later is looked at later.
  put("gen_beside", "beside.so");
  server().wait_for_log({"plugin loaded", "plugin=beside"});
  expect_lines(0, {"bad.so"});
  expect_lines(1, {"refused      ", "worse.so"});
}

TEST(Status, whatever_a_file_is_called_lines_stay_lines_and_json_stays_json) {
  serve("gen_1");
  put_bytes("", "a\nb\f\x1b[2J\xff\"c.so");
  server().wait_for_log({"plugin refused"});
  expect_lines(1, {"refused      ", "/a?b??[2J\xef\xbf\xbd\"c.so  not an ELF file"});
  expect_json("/a?b??[2J\xef\xbf\xbd\\\"c.so\",");
}

TEST(Status, an_image_that_stayed_is_said_with_its_reason) {
  start({.plugins = {{"nodelete", "plugin.so"}}});
  put("nodelete", "plugin.so");
  server().wait_for_log({"plugin stays mapped", "plugin=nodelete"});
  expect_lines(1, {"stayed       nodelete 1.2.3  generation 1  ", "nodelete"});
  expect_lines(1, {"images       0 unmapped, 1 stayed, 0 on their way"});
  expect_json(R"("stayed":[{"plugin":"nodelete","version":"1.2.3","generation":1,"reason":")");
  LONGS_EQUAL(1, integer_member(ask_json(), "stayed_count"));
}

TEST(Status, slow_calls_are_counted_over_all_generations) {
  serve("gen_1");
  converse(R"(
    A > ["gen:a","block",80]
    A < ["gen:a","blocked",null]
  )");
  server().wait_for_log({"plugin held up the loop"});
  expect_lines(1, {"plugin       generation 1.0.0", "  slow calls 1  slowest "});
  replace("gen_2", 2);
  converse(R"(
    A > ["gen:a","block",80]
    A < ["gen:a","blocked",null]
  )");
  server().wait_for_logs(2, {"plugin held up the loop", "event=block"});
  expect_lines(1, {"plugin       generation 2.0.0  generation 2 ", "  slow calls 2  slowest "});
  expect_json(R"("slow_calls":2,)");
}

// ---- whom it asks

TEST(Status, what_was_counted_is_said_in_the_text_where_there_is_any) {
  serve("gen_1");
  client("A").expect_nothing();
  expect_lines(0, {"messages_refused"});
  expect_json(R"("messages_refused":0)");
  client("A").send_text("no json");
  client("A").receive();
  expect_lines(1, {"counted      messages_refused 1"});
  expect_json(R"("messages_refused":1)");
  LONGS_EQUAL(426, http_request(server().addresses()[0], "GET / HTTP/1.1\r\nHost: x\r\n\r\n").status);
  expect_lines(1, {"counted      upgrades_refused 1"});
}
TEST(Status, where_no_server_runs_it_is_one_line_and_code_3) {
  const TemporaryFolder folder;
  std::vector<std::string> arguments = in_folder(folder);
  expect_nobody(run_status(folder.path(), arguments), "no server runs");
  arguments.push_back("--json");
  expect_nobody(run_status(folder.path(), arguments), folder.path().string());
  // Nor where there is no such folder.
  const std::string missing = folder.write(
      "missing.toml", "[plugins]\nruntime_directory = \"missing\"\n").string();
  expect_nobody(run_status(folder.path(), {"--config", missing}), "missing");
}

TEST(Status, mistakes_are_code_2) {
  const TemporaryFolder folder;
  const std::string wrong = folder.write("wrong.toml", "[plugins]\nruntime_dir = 5\n").string();
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"--pid", "x"}, {"--pid", "-1"}, {"--config", wrong},
        {"--config", "/nowhere/jackfield.toml"}, {"nonsense"}}) {
    const Finished finished = run_status(folder.path(), arguments);
    check(finished.ending.code == 2, arguments[0] + ": " + finished.ending.text());
    check(finished.output.empty() && finished.errors.starts_with("jackfield: "), finished.errors);
  }
}

TEST(Status, two_servers_are_both_said_and_each_by_its_process_id) {
  const TemporaryFolder folder;
  start({.plugins = {"echo"}, .loading = with_runtime(folder)});
  ServerProcess second({.plugins = {{"chat", "chat.so"}}, .loading = with_runtime(folder)});
  const std::vector<std::string> all = in_folder(folder);
  const Finished both = run_status(folder.path(), all);
  LONGS_EQUAL(0, both.ending.code);
  LONGS_EQUAL(2, count_lines(both.output, {"jackfield    "}));
  LONGS_EQUAL(1, count_lines(both.output, {"plugin       echo "}));
  LONGS_EQUAL(1, count_lines(both.output, {"plugin       chat "}));
  std::vector<std::string> one = all;
  one.push_back("--pid=" + std::to_string(second.process().pid()));
  const Finished chat = run_status(folder.path(), one);
  LONGS_EQUAL(0, chat.ending.code);
  LONGS_EQUAL(1, count_lines(chat.output, {"jackfield    "}));
  LONGS_EQUAL(1, count_lines(chat.output, {"plugin       chat "}));
  // A number that only begins another is not that other.
  one.back() = "--pid=" + std::to_string(second.process().pid()).substr(0, 1);
  expect_nobody(run_status(folder.path(), one), "no server runs");
  second.stop();
  const Finished left = run_status(folder.path(), all);
  LONGS_EQUAL(0, left.ending.code);
  LONGS_EQUAL(1, count_lines(left.output, {"jackfield    "}));
}

TEST(Status, a_socket_that_a_killed_server_left_is_passed_over) {
  const TemporaryFolder folder;
  start({.plugins = {"echo"}, .loading = with_runtime(folder)});
  auto killed = std::make_unique<ServerProcess>(
      ServerOptions{.plugins = {"echo"}, .loading = with_runtime(folder)});
  const fs::path socket = socket_of(folder, *killed);
  const std::vector<std::string> all = in_folder(folder);
  killed->process().signal(SIGKILL);
  CHECK_TRUE(killed->process().wait().has_value());
  killed->forget();
  CHECK_TRUE(fs::is_socket(socket));
  const Finished finished = run_status(folder.path(), all);
  LONGS_EQUAL(0, finished.ending.code);
  STRCMP_EQUAL("", finished.errors.c_str());
  LONGS_EQUAL(1, count_lines(finished.output, {"jackfield    "}));
  server().stop();
  expect_nobody(run_status(folder.path(), all), socket.string());
}

TEST(Status, the_socket_is_there_for_its_user_only_and_gone_after_a_clean_stop) {
  const TemporaryFolder folder;
  start({.plugins = {"echo"}, .loading = with_runtime(folder)});
  const fs::path socket = socket_of(folder, server());
  CHECK_TRUE(fs::is_socket(socket));
  LONGS_EQUAL(0600, static_cast<long>(fs::status(socket).permissions()));
  LONGS_EQUAL(0700, static_cast<long>(fs::status(socket.parent_path()).permissions()));
  server().stop();
  CHECK_FALSE(fs::exists(fs::symlink_status(socket)));
  CHECK_FALSE(fs::exists(socket.parent_path()));
  expect_nobody(run_status(folder.path(), in_folder(folder)), "no server runs");
}

// Only root can give a file away.
TEST(Status, what_belongs_to_somebody_else_is_passed_over) {
  const TemporaryFolder folder;
  start({.plugins = {"echo"}, .loading = with_runtime(folder)});
  const std::vector<std::string> all = in_folder(folder);
  LONGS_EQUAL(0, run_status(folder.path(), all).ending.code);
  if (::geteuid() != 0) return;
  const fs::path socket = socket_of(folder, server());
  for (const fs::path& path : {socket, socket.parent_path()}) {
    LONGS_EQUAL(0, ::lchown(path.c_str(), 65534, 65534));
    expect_nobody(run_status(folder.path(), all), "no server runs");
    LONGS_EQUAL(0, ::lchown(path.c_str(), 0, 0));
    LONGS_EQUAL(0, run_status(folder.path(), all).ending.code);
  }
}

TEST(Status, many_may_ask_at_once_and_who_does_not_read_is_in_nobodys_way) {
  const TemporaryFolder folder;
  start({.plugins = {"echo"}, .loading = with_runtime(folder)});
  const fs::path socket = socket_of(folder, server());
  std::vector<Stream> silent;
  for (int i = 0; i < 50; ++i) silent.emplace_back(Address{.host = {}, .port = 0, .path = socket});
  expect_echo(client("A"));
  const Finished finished = run_status(folder.path(), in_folder(folder));
  LONGS_EQUAL(0, finished.ending.code);
  expect_echo(client("A"));
}

// One connection, which is answered so.
class Answerer {
 public:
  Answerer(const fs::path& path, std::string answer) : socket_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    check(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
              ::listen(socket_, 8) == 0,
          std::strerror(errno));
    thread_ = std::thread([this, text = std::move(answer)] {
      const int peer = ::accept(socket_, nullptr, nullptr);
      if (peer < 0) return;
      static_cast<void>(::send(peer, text.data(), text.size(), MSG_NOSIGNAL));
      ::close(peer);
    });
  }
  ~Answerer() {
    ::shutdown(socket_, SHUT_RDWR);
    thread_.join();
    ::close(socket_);
  }
  Answerer(const Answerer&) = delete;
  Answerer& operator=(const Answerer&) = delete;

 private:
  const int socket_;
  std::thread thread_;
};

TEST(Status, an_answer_that_is_cut_off_is_none) {
  const TemporaryFolder folder;
  const std::vector<std::string> all = in_folder(folder);
  const fs::path socket = folder.path() / "jackfield-1" / "status";
  fs::create_directory(socket.parent_path());
  for (const char* answer : {"", "jackfield", "jackfield\f", "jackfield\f{}"}) {
    const Answerer answerer(socket, answer);
    expect_nobody(run_status(folder.path(), all), "cut off");
    fs::remove(socket);
  }
  const Answerer answerer(socket, "jackfield\n\f{}\n\f");
  const Finished whole = run_status(folder.path(), all);
  LONGS_EQUAL(0, whole.ending.code);
  STRCMP_EQUAL("jackfield\n", whole.output.c_str());
}

}  // namespace
