// A server that root starts and that becomes another user: what it has left, and that all goes on
// as that user. Where the tests do not run as root, only what needs no root is done, which is said.
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/change_group.hpp"
#include "tests/support/json.hpp"
#include "tests/support/reconfiguration_group.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::test;
namespace fs = std::filesystem;

constexpr const char* kUser = "nobody";  // of every system, with the group of passwd(5)
constexpr const char* kSetpriv = "/usr/bin/setpriv";

#if defined(__SANITIZE_THREAD__)
constexpr std::size_t kStrangers = 1;
#else
constexpr std::size_t kStrangers = 0;
#endif

bool is_root() {
  if (::geteuid() == 0) return true;
  UT_PRINT("SKIPPED: only root can start a server that becomes another user");
  return false;
}

struct User {
  uid_t user = 0;
  gid_t group = 0;
};

User nobody() {
  const passwd* const entry = ::getpwnam(kUser);
  check(entry != nullptr, "there is no user nobody");
  return {entry->pw_uid, entry->pw_gid};
}

std::set<std::string> groups_of_nobody() {
  std::vector<gid_t> groups(64);
  int count = static_cast<int>(groups.size());
  check(::getgrouplist(kUser, nobody().group, groups.data(), &count) >= 0, "too many groups");
  std::set<std::string> texts;
  for (int i = 0; i < count; ++i) texts.insert(std::to_string(groups[static_cast<std::size_t>(i)]));
  return texts;
}

// The words of a line of /proc/PID/task/TID/status.
std::vector<std::string> words_of(const fs::path& task, const std::string& key) {
  std::ifstream status(task / "status");
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with(key + ":")) continue;
    std::istringstream rest(line.substr(key.size() + 1));
    std::vector<std::string> words;
    for (std::string word; rest >> word;) words.push_back(word);
    return words;
  }
  return {};
}

// A wrapper that runs the server with others let into its folder.
std::vector<std::string> open_folder(const std::string& further = "") {
  return {"/bin/sh", "-c", "chmod 755 \"${RUNTIME_DIRECTORY%/run}\"; " + further + " exec \"$@\"",
          "sh"};
}

TEST_GROUP_BASE(Privileges, ReconfigurationGroup) {
  // Root starts it, to become `user`.
  void start_as(const std::string& user, ServerOptions wanted, Where where = Where::here()) {
    if (wanted.wrapper.empty()) wanted.wrapper = open_folder();
    wanted.tables += "[process]\nuser = \"" + user + "\"\n";
    begin(std::move(wanted), where);
  }
  fs::path process() { return "/proc/" + std::to_string(server().process().pid()); }

  void expect_words(const fs::path& task, const std::string& key, const std::string& word,
                    std::size_t count, Where where = Where::here()) {
    const std::vector<std::string> words = words_of(task, key);
    check(words == std::vector<std::string>(count, word),
          key + " of " + task.string() + " has not " + word, where);
  }
  // Every thread is that user, with nothing more.
  void expect_user(uid_t user, gid_t group, const std::set<std::string>& groups,
                   Where where = Where::here()) {
    std::size_t threads = 0;
    std::size_t strangers = 0;
    for (const auto& task : fs::directory_iterator(process() / "task")) {
      expect_words(task.path(), "Uid", std::to_string(user), 4, where);
      expect_words(task.path(), "Gid", std::to_string(group), 4, where);
      for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapAmb"}) {
        expect_words(task.path(), set, "0000000000000000", 1, where);
      }
      // A thread of ThreadSanitizer's own was there before, and runs nothing of the server's.
      if (words_of(task.path(), "NoNewPrivs") == std::vector<std::string>{"0"}) {
        ++strangers;
      } else {
        expect_words(task.path(), "CapBnd", "0000000000000000", 1, where);
      }
      const std::vector<std::string> words = words_of(task.path(), "Groups");
      check(std::set<std::string>(words.begin(), words.end()) == groups, "Groups", where);
      ++threads;
    }
    check(threads > 0, "no threads", where);
    check(strangers <= kStrangers, "a thread could get other rights", where);
  }
  void expect_echo() {
    converse(R"(
      A > ["echo:a","echo",1]
      A < ["echo:a","echoed",1]
    )");
  }

  // A start that must fail: with code 3 and one line that holds `part`.
  void expect_no_start(ServerOptions wanted, const std::string& part,
                       Where where = Where::here()) {
    const TemporaryFolder folder;
    const std::string configuration = write_configuration(folder, wanted).string();
    std::vector<std::string> command = wanted.wrapper;
    command.insert(command.end(), {jackfield_executable(), "--config", configuration});
    ChildProcess program(command, {{"RUNTIME_DIRECTORY", (folder.path() / "run").string()}}, where);
    const auto ending = program.wait();
    check(ending && ending->code == 3, program.errors(), where);
    check(count_lines(program.errors(), {"jackfield: ", part}) == 1, program.errors(), where);
    check(program.output().find("ready") == std::string::npos, program.output(), where);
  }
  static ServerOptions with_process(const std::string& lines) {
    return {.tables = "[process]\n" + lines};
  }

  // `jackfield status`, as root or through a wrapper.
  Finished ask(std::vector<std::string> command = {}, Where where = Where::here()) {
    command.insert(command.end(), {jackfield_executable(), "status", "--pid",
                                   std::to_string(server().process().pid())});
    ChildProcess program(command,
                         {{"RUNTIME_DIRECTORY", (server().folder().path() / "run").string()}},
                         where);
    const auto ending = program.wait();
    check(ending.has_value(), program.errors(), where);
    return {*ending, program.output(), program.errors()};
  }
};

// ---- what it is then

TEST(Privileges, every_thread_is_that_user_and_has_nothing_else_left) {
  if (!is_root()) return;
  start_as(kUser, {.plugins = {"echo", "jobs", "system"}});
  server().wait_for_log({"level=info", "runs as", "user=nobody"});
  expect_echo();
  expect_user(nobody().user, nobody().group, groups_of_nobody());
  LONGS_EQUAL(0, count({"runs as root"}));
}

TEST(Privileges, a_plugin_cannot_become_root_again) {
  if (!is_root()) return;
  start_as(kUser, {.plugins = {"climbs"}});
  const std::string user = std::to_string(nobody().user);
  converse(R"(
    A > ["climbs","climb",null]
    A < ["climbs","climbed",{"ways":0,"uid":)" + user + R"(,"euid":)" + user + R"(,"gid":)" +
           std::to_string(nobody().group) + "}]\n");
}

TEST(Privileges, a_group_may_be_named_and_numbers_need_no_names) {
  if (!is_root()) return;
  begin({.plugins = {"echo"},
         .tables = "[process]\nuser = \"4711\"\ngroup = \"4712\"\n",
         .wrapper = open_folder()});
  expect_echo();
  expect_user(4711, 4712, {});
}

TEST(Privileges, root_that_stays_root_is_said_loudly_whatever_it_is_called) {
  if (!is_root()) return;
  start({.plugins = {"echo"}});
  server().wait_for_log({"level=warning", "runs as root", "process.user"});
  expect_words(process() / "task" / std::to_string(server().process().pid()), "NoNewPrivs", "0", 1);
  for (const char* name : {"root", "0"}) {
    server().stop();
    start({.plugins = {"echo"}, .tables = "[process]\nuser = \"" + std::string(name) + "\"\n"});
    server().wait_for_log({"level=warning", "runs as root", "process.user is root"});
  }
}

// ---- what goes on

TEST(Privileges, a_port_that_only_root_may_take_is_served) {
  if (!is_root()) return;
  int port = 0;
  for (int tried = 600; tried < 1024 && port == 0; ++tried) {
    const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(tried));
    if (::bind(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
      port = tried;
    }
    ::close(probe);
  }
  CHECK(port != 0);
  start_as(kUser, {.plugins = {"echo"}, .listen = {"127.0.0.1:" + std::to_string(port)}});
  LONGS_EQUAL(port, server().addresses().at(0).port);
  expect_echo();
}

TEST(Privileges, the_configuration_is_read_again_as_that_user) {
  if (!is_root()) return;
  start_as(kUser, {.plugins = {"echo"}});
  options.server = "max_subscriptions = 5";
  change("server.max_subscriptions");
  options.tables += "group = \"daemon\"\n";
  const std::string line = change();
  STRCMP_CONTAINS("nothing in it has changed", line.c_str());
  server().wait_for_log({"level=warning", "takes effect at the next start", "key=process.group"});
  expect_echo();
}

TEST(Privileges, a_configuration_that_user_cannot_read_is_said_at_the_start_and_when_it_is_wanted) {
  if (!is_root()) return;
  start_as(kUser, {.plugins = {"echo"},
                   .wrapper = open_folder(
                       "chmod 600 \"${RUNTIME_DIRECTORY%/run}/jackfield.toml\";")});
  server().wait_for_log({"level=warning", "the configuration cannot be read again", "user=nobody",
                         "Permission denied"});
  server().process().signal(SIGHUP);
  server().wait_for_log({"level=error", "mistake in the configuration",
                         "cannot be read: Permission denied (for the user nobody)"});
  server().wait_for_log({"level=error", "configuration not changed"});
  expect_echo();
}

TEST(Privileges, files_of_tokens_and_keys_that_user_cannot_read_are_said_at_the_start) {
  if (!is_root()) return;
  const TemporaryFolder secrets;
  LONGS_EQUAL(0, ::chmod(secrets.path().c_str(), 0755));
  const fs::path tokens = secrets.write("tokens", "alice 0123456789abcdef-alice\n");
  const fs::path key = secrets.write("key", "0123456789abcdef0123456789abcdef");
  const fs::path readable = secrets.write("readable", "fedcba9876543210fedcba9876543210");
  for (const fs::path& file : {tokens, key}) LONGS_EQUAL(0, ::chmod(file.c_str(), 0600));
  LONGS_EQUAL(0, ::chown(readable.c_str(), nobody().user, 0));
  LONGS_EQUAL(0, ::chmod(readable.c_str(), 0600));
  const auto jwt_key = [](const char* kid, const fs::path& file) {
    return "[[jwt.keys]]\nkid = \"" + std::string(kid) + "\"\nalgorithm = \"HS256\"\nfile = \"" +
           file.string() + "\"\n";
  };
  start_as(kUser, {.plugins = {"echo"},
                   .tables = "[auth]\ntokens = \"" + tokens.string() + "\"\n" +
                             jwt_key("a", key) + jwt_key("b", readable)});
  const std::string message = "a file cannot be read again, so what it is for cannot change";
  server().wait_for_log({"level=warning", message, "key=auth.tokens", "file=" + tokens.string(),
                         "user=nobody", "Permission denied"});
  server().wait_for_log({"level=warning", message, "key=jwt.keys", "file=" + key.string()});
  LONGS_EQUAL(0, count({message, readable.string()}));
  options.server = "origins = [\"https://app.example\"]";
  change();
  server().wait_for_log({"level=error", "who may connect is not changed", "Permission denied"});
}

TEST(Privileges, a_token_file_may_be_that_users_and_is_read_again_as_him) {
  if (!is_root()) return;
  const TemporaryFolder secrets;
  LONGS_EQUAL(0, ::chmod(secrets.path().c_str(), 0755));
  const fs::path tokens = secrets.write("tokens", "alice 0123456789abcdef-alice\n");
  LONGS_EQUAL(0, ::chmod(tokens.c_str(), 0600));
  LONGS_EQUAL(0, ::chown(tokens.c_str(), nobody().user, 0));
  start_as(kUser, {.plugins = {"echo"},
                   .tables = "[auth]\ntokens = \"" + tokens.string() + "\"\n"});
  WsClient alice = connect({.headers = {"Authorization: Bearer 0123456789abcdef-alice"}});
  secrets.write("tokens", "bob 0123456789abcdef-bob\n");
  hang_up();
  alice.expect_closed(1008, "Token was revoked");
}

TEST(Privileges, plugins_come_and_are_replaced_and_go_unmapped) {
  if (!is_root()) return;
  start_as(kUser, {.plugins = {{"gen_1", "generation.so"}, "echo"}, .log_level = "debug"});
  const fs::path file = server().plugin_folder() / "generation.so";
  fs::copy_file(built_plugin("gen_2"), file, fs::copy_options::overwrite_existing);
  server().wait_for_log({"plugin replaced", "plugin=generation "});
  server().wait_for_log({"plugin unmapped", "plugin=generation "});
  fs::remove(file);
  server().wait_for_log({"plugin removed", "plugin=generation"});
  LONGS_EQUAL(0, count({"stays mapped"}));
  LONGS_EQUAL(0, count({"changes of files are looked for, not told"}));
}

TEST(Privileges, a_plugin_of_that_user_is_trusted_and_a_strangers_is_not) {
  if (!is_root()) return;
  start_as(kUser, {.plugins = {"echo"}});
  const fs::path coming = server().folder().path() / "coming.so";
  for (const uid_t owner : {nobody().user, uid_t{4711}}) {
    fs::copy_file(built_plugin("echo"), coming);
    LONGS_EQUAL(0, ::chown(coming.c_str(), owner, 0));
    fs::rename(coming, server().plugin_folder() / "echo.so");
    if (owner == 4711) {
      server().wait_for_log({"plugin refused", "owner 4711", "neither to root nor to nobody"});
    } else {
      server().wait_for_log({"plugin replaced", "generation=2"});
    }
  }
}

TEST(Privileges, root_and_that_user_can_ask_for_the_status_and_its_folders_are_that_users) {
  if (!is_root()) return;
  start_as(kUser, {.plugins = {"echo"}});
  const fs::path users = server().folder().path() / "run/jackfield-users";
  const fs::path own = users / std::to_string(nobody().user);
  struct stat info {};
  LONGS_EQUAL(0, ::stat(users.c_str(), &info));
  LONGS_EQUAL(0, info.st_uid);
  LONGS_EQUAL(0755, info.st_mode & 07777);
  LONGS_EQUAL(0, ::stat(own.c_str(), &info));
  LONGS_EQUAL(nobody().user, info.st_uid);
  LONGS_EQUAL(0700, info.st_mode & 07777);
  CHECK(fs::exists(own / ("jackfield-crashes-" + std::to_string(nobody().user))));
  const Finished asked = ask();
  LONGS_EQUAL(0, asked.ending.code);
  LONGS_EQUAL(1, count_lines(asked.output, {"plugin       echo "}));
  if (fs::exists(kSetpriv)) {
    const Finished by_user =
        ask({kSetpriv, "--reuid", kUser, "--regid", std::to_string(nobody().group),
             "--clear-groups"});
    LONGS_EQUAL(0, by_user.ending.code);
    LONGS_EQUAL(1, count_lines(by_user.output, {"plugin       echo "}));
  } else {
    UT_PRINT("SKIPPED: there is no setpriv");
  }
  server().stop();
  CHECK_FALSE(fs::exists(own / ("jackfield-" + std::to_string(server().process().pid()))));
  CHECK(fs::exists(own));
}

TEST(Privileges, crashes_are_counted_as_that_user) {
  if (!is_root()) return;
  start_as(kUser, {.plugins = {"echo", "crash"}, .loading = "crash_limit = 1"});
  client("A").send_text(R"(["crash:x","segv",null])");
  CHECK(server().process().wait().has_value());
  server().restart();
  LONGS_EQUAL(1, count_lines(server().process().output(), {"refused    ", "crash.so", "set aside"}));
}

// ---- Unix sockets

TEST(Privileges, a_unix_socket_is_that_users_with_the_mode_that_is_set_and_is_removed) {
  if (!is_root()) return;
  const TemporaryFolder folder;
  LONGS_EQUAL(0, ::chown(folder.path().c_str(), nobody().user, nobody().group));
  const fs::path socket = folder.path() / "socket";
  start_as(kUser, {.plugins = {"echo"}, .server = "unix_mode = \"0660\"",
                   .listen = {"unix:" + socket.string()}});
  struct stat info {};
  LONGS_EQUAL(0, ::lstat(socket.c_str(), &info));
  LONGS_EQUAL(nobody().user, info.st_uid);
  LONGS_EQUAL(nobody().group, info.st_gid);
  LONGS_EQUAL(0660, info.st_mode & 07777);
  client("A").close(1000, "");
  server().stop();
  CHECK_FALSE(fs::exists(fs::symlink_status(socket)));
}

TEST(Privileges, a_unix_socket_that_it_may_not_remove_is_said_and_taken_by_the_next) {
  if (!is_root()) return;
  const TemporaryFolder folder;
  LONGS_EQUAL(0, ::chmod(folder.path().c_str(), 0755));
  const fs::path socket = folder.path() / "socket";
  start_as(kUser, {.plugins = {"echo"}, .listen = {"unix:" + socket.string()}});
  server().stop();
  LONGS_EQUAL(1, count({"level=warning", "socket left behind", "path=" + socket.string(),
                        "Permission denied"}));
  CHECK(fs::exists(fs::symlink_status(socket)));
  server().restart();
  CHECK(fs::exists(fs::symlink_status(socket)));
}

TEST(Privileges, a_unix_socket_is_for_its_user_only_where_nothing_else_is_said) {
  const TemporaryFolder folder;
  const fs::path socket = folder.path() / "socket";
  start({.plugins = {"echo"}, .listen = {"unix:" + socket.string()},
         .wrapper = {"/bin/sh", "-c", "umask 0; exec \"$@\"", "sh"}});
  LONGS_EQUAL(0600, static_cast<long>(fs::status(socket).permissions()));
  server().stop();
  CHECK_FALSE(fs::exists(fs::symlink_status(socket)));
}

// ---- what does not start

TEST(Privileges, a_user_or_a_group_that_is_not_there_is_one_line_and_code_3) {
  expect_no_start(with_process("user = \"no-such-user\"\n"),
                  "process.user: there is no user no-such-user on this machine; \"useradd --system "
                  "no-such-user\" makes one");
  expect_no_start(with_process("user = \"nobody\"\ngroup = \"no-such-group\"\n"),
                  "process.group: there is no group no-such-group on this machine");
  expect_no_start(with_process("user = \"3999999999\"\n"), "name a process.group too");
  expect_no_start(with_process("group = \"root\"\n"),
                  "process.group is root, but process.user is nobody");
  expect_no_start(with_process("user = \"root\"\ngroup = \"nogroup\"\n"),
                  "process.group is nogroup, but process.user is root, who gives up nothing");
}

TEST(Privileges, a_group_that_nobody_would_be_in_is_a_mistake_for_a_check_too) {
  const TemporaryFolder folder;
  for (const char* process : {"group = \"no-such-group\"\n",
                              "user = \"root\"\ngroup = \"no-such-group\"\n",
                              "user = \"0\"\ngroup = \"no-such-group\"\n"}) {
    const auto file = folder.write("j.toml", std::string("[process]\n") + process);
    const Finished checked = run_program({jackfield_executable(), "check", file.string()});
    LONGS_EQUAL(2, checked.ending.code);
    STRCMP_CONTAINS("jackfield: process.group is no-such-group, but process.user is ",
                    checked.errors.c_str());
  }
}

TEST(Privileges, whether_the_user_is_there_is_no_matter_of_the_configuration) {
  const TemporaryFolder folder;
  const std::string file = folder.write("j.toml", "[process]\nuser = \"no-such-user\"\n").string();
  LONGS_EQUAL(0, run_program({jackfield_executable(), "check", file}).ending.code);
}

TEST(Privileges, who_is_not_root_cannot_become_another_and_starts_as_who_he_is) {
  if (!is_root()) return;
  if (!fs::exists(kSetpriv)) {
    UT_PRINT("SKIPPED: there is no setpriv");
    return;
  }
  ServerOptions others = with_process("user = \"daemon\"\n");
  // Root's folders are for nobody to read and to write here.
  others.wrapper = {"/bin/sh", "-c",
                    "chmod 777 \"${RUNTIME_DIRECTORY%/run}\" \"$RUNTIME_DIRECTORY\"; exec \"$@\"",
                    "sh", kSetpriv, "--reuid", kUser, "--regid", std::to_string(nobody().group),
                    "--init-groups"};
  expect_no_start(others,
                  "process.user is daemon, but nobody started the server: only root can have it "
                  "become another user");
  ServerOptions same = others;
  same.plugins = {"echo"};
  same.loading = "allow_writable_by_others = true";
  same.tables = "[process]\nuser = \"nobody\"\n";
  start(same);
  server().wait_for_log({"runs as", "user=nobody"});
  const fs::path task = process() / "task" / std::to_string(server().process().pid());
  expect_words(task, "NoNewPrivs", "1", 1);
  expect_words(task, "CapEff", "0000000000000000", 1);
  expect_echo();
}

TEST(Privileges, a_plugins_folder_that_user_cannot_read_is_one_line_and_code_3) {
  if (!is_root()) return;
  ServerOptions wanted = with_process("user = \"nobody\"\n");
  wanted.wrapper = open_folder("chmod 700 \"${RUNTIME_DIRECTORY%/run}/plugins\";");
  expect_no_start(wanted, "cannot read the plugins folder ");
}

// ---- the file that says all this

TEST(Privileges, a_configuration_in_a_folder_that_others_can_write_is_said) {
  begin({.plugins = {"echo"}});
  LONGS_EQUAL(0, count({"others can change the configuration"}));
  LONGS_EQUAL(0, ::chmod(server().folder().path().c_str(), 0777));
  hang_up();
  server().wait_for_log({"level=warning", "others can change the configuration", "the folder ",
                         "mode 0777", "is writable by all"});
  const fs::path file = server().folder().path() / "jackfield.toml";
  const Finished checked = run_program({jackfield_executable(), "check", file.string()});
  STRCMP_CONTAINS("others can change it: the folder ", checked.errors.c_str());
  LONGS_EQUAL(0, ::chmod(server().folder().path().c_str(), 0700));
}

TEST(Privileges, a_configuration_that_others_can_write_is_said_at_the_start_and_when_it_is_read) {
  begin({.plugins = {"echo"}});
  LONGS_EQUAL(0, count({"others can change the configuration"}));
  const fs::path file = server().folder().path() / "jackfield.toml";
  LONGS_EQUAL(0, ::chmod(file.c_str(), 0666));
  hang_up();
  server().wait_for_log({"level=warning", "others can change the configuration", "mode 0666",
                         "chmod go-w"});
  server().stop();
  readings = 0;
  server().restart();
  server().wait_for_log({"level=warning", "others can change the configuration"});
  const Finished checked = run_program({jackfield_executable(), "check", file.string()});
  LONGS_EQUAL(0, checked.ending.code);
  STRCMP_CONTAINS("jackfield: warning: others can change it: the file ", checked.errors.c_str());
}

}  // namespace
