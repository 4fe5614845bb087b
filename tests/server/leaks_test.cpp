// The server with every kind of plugin and some conversation, under valgrind, or in a build with
// LeakSanitizer: no leak and no error.
#include <csignal>
#include <cstdio>

#include "tests/support/server_group.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::test;

TEST_GROUP_BASE(Leaks, ServerGroup) {
  // Whether anything looks for leaks. Says so where nothing does; ctest then reports the group as
  // skipped.
  bool is_here() const {
    if (kHasAddressSanitizer || sizeof(JACKFIELD_VALGRIND) > 1) return true;
    std::printf("SKIPPED: leaks: no valgrind is here, or the build has ThreadSanitizer\n");
    return false;
  }

  // What the server is to run under.
  std::vector<std::string> valgrind() const {
    if (kHasAddressSanitizer) return {};  // LeakSanitizer is in the server
    return {JACKFIELD_VALGRIND,
            "--quiet",
            "--leak-check=full",
            "--show-leak-kinds=definite,indirect,possible",
            "--errors-for-leak-kinds=definite,indirect,possible",
            "--error-exitcode=99",
            "--num-callers=30",
            "--fair-sched=yes",
            std::string("--suppressions=") + JACKFIELD_SUPPRESSIONS};
  }
};

TEST(Leaks, none_after_a_conversation) {
  if (!is_here()) return;
  const TemporaryFolder folder;
  start({.plugins = {"bare_throw", "bad_calls", "chat",       "config",     "counts",
                     "early",      "echo",      "facts",      "jobs",       "keeps",
                     "kicks",      "leaves",    "logs",       "no_symbol",  "observatory",
                     "pending",    "posts",     "refuse",     "returns",    "start_fails",
                     "system",     "timers",    "unresolved", "wrong_major"},
         .server = "max_connections = 6\nforward_headers = [\"x-team\"]",
         .listen = {"127.0.0.1:0", "unix:" + (folder.path() / "socket").string()},
         .wrapper = valgrind(),
         .log_level = "debug"});
  converse(R"(
    A > ["echo:a","subscribe",{"id":"1"}]
    A < ["echo:a","subscribed",{"id":"1"}]
    A < ["echo:a","snapshot",{"name":"a","subscribers":1}]
    B > ["echo:a","say",{"text":"x"}]
    A < ["echo:a","said",{"text":"x"}]
    B > no json
    B < ["error","error",{"code":"INVALID_PAYLOAD","message":"Invalid JSON"}]
    B > ["early:x","subscribe",null]
    B < ["early:x","subscribed",{}]
    B < ["early:x","first",1]
    B < ["early:x","second",2]
    B < ["early:x","third",3]
    B < ["early:x","fourth",4]
    B > ["pending:thread","subscribe",null]
    B < ["pending:thread","subscribed",{}]
    B < ["pending:thread","progress",50]
    B < ["pending:thread","progress",100]
    B > ["pending:never","subscribe",null]
    B > ["pending:x","never",null]
    B > ["refuse:later","subscribe",null]
    B < ["refuse:later","error",{"code":"NOT_TODAY","message":"come back tomorrow"}]
    B > ["keeps:x","subscribe",null]
    B < ["keeps:x","subscribed",{}]
    B < ["keeps:x","kept","set in join"]
    A > ["timers:watch","subscribe",null]
    A < ["timers:watch","subscribed",{}]
  )");
  client("A").send_text(R"(["timers:x","order",null])");
  WsClient c = connect({.headers = {"X-Team: blue"}});
  c.send_text(R"(["bare_throw:x","subscribe",null])");
  c.receive();
  c.send_text(R"(["leaves:a","subscribe",null])");
  c.receive();
  c.send_text(R"(["kicks:x","connection",null])");
  c.receive();
  c.expect_closed(1008);
  WsClient d = connect();
  d.send_frame(Opcode::kText, "[\"half\"", {.final = false});
  d.stream().reset();
  WsClient e = connect();
  e.send_frame(static_cast<Opcode>(3), "");
  e.expect_closed(1002);
  WsClient f(server().addresses().at(1));
  f.send_text(R"(["jobs:x","long",null])");
  f.send_text(R"(["system:cpu","subscribe",null])");
  f.receive();
  Stream silent(server().addresses().at(0));
  // Teardown stops it, and wants code 0.
}

TEST(Leaks, one_would_be_found) {
  if (!is_here()) return;
  start({.plugins = {"leaky"}, .wrapper = valgrind()});
  converse(R"(
    A > ["leaky","now",12]
    A < ["leaky","lost","2"]
  )");
  client("A").close();
  server().process().signal(SIGTERM);
  const std::optional<Ending> ending = server().process().wait();
  server().forget();
  CHECK_TRUE(ending.has_value());
  CHECK_TRUE(ending->code > 0);
  const char* const lost = kHasAddressSanitizer ? "4321 byte(s)" : "4,321 bytes";
  STRCMP_CONTAINS(lost, server().process().errors().c_str());
}

}  // namespace
