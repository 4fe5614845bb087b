// A file that cannot take over: the generation before goes on as if nothing had been, the reason is
// logged once, and a better file is taken when it comes.
#include <string>

#include "tests/support/change_group.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::test;

// Long enough for a start that does not hang.
constexpr const char* kImpatient = "start_timeout_s = 0.75";

TEST_GROUP_BASE(RollBack, ChangeGroup) {
  // A subscriber, a count of 5 and a pending answer, with `build` serving.
  void begin(const char* build = "gen_1", const char* version = "1.0.0",
             const char* loading = "", Where where = Where::here()) {
    serve(build, {.loading = loading, .log_level = "debug"}, where);
    version_ = version;
    subscribe(client("A"), "gen:a", version, where);
    expect_sum(client("A"), "gen:a", 5, 5, where);
  }

  // The file was refused, with a line that holds `reason` as none before, and nothing else has
  // changed.
  void expect_refused(std::string_view reason, Where where = Where::here()) {
    server().wait_for_log({"plugin refused", "generation.so", reason, "still=" + version_}, where);
    ++refusals_;
    expect_as_before(where);
    check(logged({"plugin refused"}) == refusals_, server().process().errors(), where);
  }

  void expect_as_before(Where where = Where::here()) {
    WsClient& a = client("A");
    expect_sum(a, "gen:a", 0, 5, where);
    a.send_text(R"(["gen:a","later",1])", where);
    a.expect("[\"gen:a\",\"answer\",\"" + version_ + "\"]", where);
    WsClient b = connect({}, where);
    b.send_text(R"(["gen:a","say",[1,)" + std::to_string(++said_) + "]]", where);
    const std::string n = std::to_string(said_);
    a.expect("[\"gen:a\",\"said\",[1," + n + "," + n + "]]", where);
    subscribe(b, "gen:b", version_, where);
    b.send_text(R"(["gen:b","unsubscribe",null])", where);
    b.expect(R"(["gen:b","unsubscribed",{}])", where);
    check(logged({"plugin replaced"}) == 0 && logged({"plugin removed"}) == 0,
          server().process().errors(), where);
    check(logged({"generation left", "topic=gen:a"}) == 0, server().process().errors(), where);
  }

  // A good file takes over, state and all.
  void expect_better(int generation, Where where = Where::here()) {
    replace("gen_2", generation, where);
    WsClient& a = client("A");
    expect_sum(a, "gen:a", 1, 6, where);
    check(logged({"plugin refused"}) == refusals_, server().process().errors(), where);
  }

  std::string version_;
  std::size_t refusals_ = 0;
  int said_ = 0;
};

TEST(RollBack, half_a_file) {
  begin();
  const std::string whole = read_file(built_plugin("gen_2"));
  for (const std::size_t size : {whole.size() / 2, whole.size() - 1, std::size_t{100}}) {
    put_bytes(whole.substr(0, size));
    expect_refused("cut short: " + std::to_string(size) + " octets");
  }
  put_bytes("");
  expect_refused("not an ELF file");
  expect_better(2);
}

TEST(RollBack, no_shared_object) {
  begin();
  put_bytes("this is text, and longer than the header of an ELF file, which has 64 octets");
  expect_refused("not an ELF file");
  expect_better(2);
}

TEST(RollBack, one_for_another_machine_or_word_size) {
  begin();
  std::string other = read_file(built_plugin("gen_2"));
  other[18] = static_cast<char>(0xf3);  // e_machine: RISC-V
  other[19] = 0;
  put_bytes(other);
  expect_refused("machine");
  other = read_file(built_plugin("gen_2"));
  other[4] = static_cast<char>(other[4] == 1 ? 2 : 1);  // EI_CLASS
  put_bytes(other);
  expect_refused("word size");
  expect_better(2);
}

TEST(RollBack, one_of_another_abi_or_without_the_symbol) {
  begin();
  put("wrong_major");
  expect_refused("ABI version 2");
  put("no_symbol");
  expect_refused("jackfield_plugin_v1");
  put("unresolved");
  expect_refused("a_function_that_nobody_has");
  put("small_size");
  expect_refused(" 8 ");
  expect_better(2);
}

TEST(RollBack, one_whose_start_fails) {
  begin();
  put("gen_start_fails");
  expect_refused("the device is missing");
  server().wait_for_log({"plugin unmapped", "generation=2"});
  expect_logged(1, {"generation resumes"});
  expect_better(3);
}

TEST(RollBack, one_that_refuses_the_state) {
  begin();
  put("gen_reads_nothing");
  expect_refused("JF_E_STATE: a state from the future");
  expect_better(3);
}

TEST(RollBack, one_of_an_earlier_version_that_does_not_know_the_state) {
  begin("gen_2", "2.0.0");
  put("gen_1");
  expect_refused("JF_E_STATE: a state from the future");
  expect_better(3);
}

TEST(RollBack, one_before_that_cannot_save) {
  begin("gen_save_fails", "0.3.0");
  put("gen_2");
  expect_refused("the disk is full");
  expect_logged(1, {"generation resumes"});
  server().wait_for_log({"plugin unmapped", "generation=2"});
  put("gen_1");  // tried again, with the same outcome
  server().wait_for_log({"plugin unmapped", "generation=3"});
  expect_refused("the disk is full");
}

TEST(RollBack, one_whose_start_hangs_is_given_up_and_unloaded_when_it_returns) {
  begin("gen_1", "1.0.0", kImpatient);
  put("gen_start_waits");
  server().wait_for_log({"waits in its start"});
  WsClient b = connect();
  b.send_text(R"(["gen:b","add",0])");  // waits
  expect_refused("start did not return within");
  b.expect(R"(["gen:b","count",5])");
  LONGS_EQUAL(0, logged({"plugin unmapped", "plugin=generation"}));
  let_go();
  server().wait_for_log({"plugin unmapped", "plugin=generation", "generation=2"});
  expect_as_before();
  expect_better(3);
}

TEST(RollBack, a_better_file_is_taken_while_the_start_before_it_still_hangs) {
  begin("gen_1", "1.0.0", kImpatient);
  put("gen_start_waits");
  expect_refused("start did not return within");
  expect_better(3);
  LONGS_EQUAL(0, logged({"plugin unmapped", "generation=2"}));
  let_go();
  server().wait_for_log({"plugin unmapped", "plugin=generation", "generation=2"});
  expect_who(client("A"), R"({"version":"2.0.0","from":"1.0.0","count":6,"adopted":1})");
}

TEST(RollBack, a_refused_file_that_does_not_change_is_not_tried_again) {
  begin();
  put("gen_start_fails");
  expect_refused("the device is missing");
  put("gen_beside", "beside.so");  // something else changes
  server().wait_for_log({"plugin loaded", "plugin=beside"});
  expect_logged(1, {"plugin refused"});
}

}  // namespace
