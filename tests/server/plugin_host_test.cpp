// What the host gives to plugins, each by a tiny plugin that uses it.
#include <cstdio>

#include "tests/support/json.hpp"
#include "tests/support/server_group.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::test;

TEST_GROUP_BASE(Sending, ServerGroup) {};

TEST(Sending, a_broadcast_may_leave_one_out) {
  start({.plugins = {"except"}});
  converse(R"(
    A > ["except:x","subscribe",null]
    A < ["except:x","subscribed",{}]
    B > ["except:x","subscribe",null]
    B < ["except:x","subscribed",{}]
    A > ["except:x","others",1]
    A < ["except:x","count",1]
    B < ["except:x","told",1]
    A > ["except:x","all",2]
    A < ["except:x","told",2]
    A < ["except:x","count",2]
    B < ["except:x","told",2]
    C > ["except:x","others",3]
    C < ["except:x","count",2]
    A < ["except:x","told",3]
    B < ["except:x","told",3]
    C > ["except:nobody","all",4]
    C < ["except:nobody","count",0]
  )");
}

TEST(Sending, what_the_host_refuses_reaches_nobody) {
  start({.plugins = {"bad_calls"}});
  WsClient a = connect();
  a.send_text(R"(["bad_calls","subscribe",null])");
  a.expect(R"(["bad_calls","subscribed",{}])");
  a.send_text(R"(["bad_calls","try",1])");
  a.expect(
      R"(["bad_calls","results",{"not_json":-7,"push_null_payload":-6,"push_null_event":-6,"push_nul_in_event":-6,"push_event_not_utf8":-6,"broadcast_nul_in_topic":-6,"broadcast_topic_not_utf8":-6,"reply_not_utf8":-6,"post_null":-6,"job_null":-6,"timer_null":-6,"connection_null":-6,"channel_outside_start":-10}])");
  a.expect_nothing();
}

TEST(Sending, ids_that_name_nothing_are_errors) {
  start({.plugins = {"gone_ids"}});
  WsClient a = connect();
  a.send_text(R"(["gone_ids:x","subscribe",null])");
  a.expect(R"(["gone_ids:x","subscribed",{}])");
  a.close();
  converse(R"(
    B > ["gone_ids:x","subscribe",null]
    B < ["gone_ids:x","subscribed",{}]
    B > ["gone_ids:x","try",null]
    B < ["gone_ids:x","none",[-4,-4,-4,-4,-4,-4,-4,-4]]
    B < ["gone_ids:x","never_given",[-4,-4,-4,-4,-4,-4,-4,-4]]
    B < ["gone_ids:x","old",[-4,-4,-4,-4,-4,-4,-4,-4]]
  )");
}

TEST_GROUP_BASE(Kicks, ServerGroup) {
  void setup() override { start({.plugins = {"kicks"}}); }
};

TEST(Kicks, a_subscription_ends_with_an_error_and_the_connection_goes_on) {
  converse(R"(
    A > ["kicks:x","subscribe",null]
    A < ["kicks:x","subscribed",{}]
    B > ["kicks:x","subscribe",null]
    B < ["kicks:x","subscribed",{}]
    A > ["kicks:x","subscription",null]
    A < ["kicks:x","error",{"code":"OUT","message":"enough"}]
    B > ["kicks:x","told",1]
    B < ["kicks:x","told",1]
    A > ["kicks:x","subscribe",null]
    A < ["kicks:x","subscribed",{}]
    B > ["kicks:x","told",2]
    A < ["kicks:x","told",2]
    B < ["kicks:x","told",2]
  )");
}

TEST(Kicks, a_connection_gets_what_was_pushed_and_is_closed_with_1008) {
  WsClient a = connect();
  a.send_text(R"(["kicks:x","connection",null])");
  a.expect(R"(["kicks:x","last",1])");
  a.expect_closed(1008, "enough of you");
}

TEST(Kicks, a_long_reason_is_cut_between_characters) {
  WsClient a = connect();
  a.send_text(R"(["kicks:x","connection_long",null])");
  const Frame frame = a.receive_frame();
  CHECK_TRUE(frame.opcode == Opcode::kClose);
  LONGS_EQUAL(2 + 122, frame.payload.size());
  CHECK_TRUE(frame.payload.starts_with(close_payload(1008, "\xc3\xbc")));
}

TEST_GROUP_BASE(Facts, ServerGroup) {};

TEST(Facts, of_subscribers_and_connections) {
  start({.plugins = {"counts"}});
  converse(R"(
    A > ["counts:x","subscribe",null]
    A < ["counts:x","subscribed",{}]
    A < ["counts:x","joining",{"subscribers":0,"connections":1}]
    B > ["counts:x","subscribe",null]
    B < ["counts:x","subscribed",{}]
    B < ["counts:x","joining",{"subscribers":1,"connections":2}]
    C > ["counts:x","count",null]
    C < ["counts:x","counted",{"subscribers":2,"connections":3}]
    A > ["counts:x","unsubscribe",null]
    A < ["counts:x","unsubscribed",{}]
    C > ["counts:x","count",null]
    C < ["counts:x","counted",{"subscribers":1,"connections":3}]
  )");
  client("B").close();
  converse(R"(
    C > ["counts:x","count",null]
    C < ["counts:x","counted",{"subscribers":0,"connections":2}]
  )");
}

TEST(Facts, of_a_connection_and_the_headers_that_are_let_through) {
  start({.plugins = {"facts"}, .server = "forward_headers = [\"x-team\"]"});
  WsClient a = connect(
      {.path = "/some/path?key=value&x=%20", .headers = {"X-Team: blue", "X-Hidden: secret"}});
  a.send_text(R"(["facts","show",null])");
  a.expect(
      R"(["facts","facts",{"is_local":1,"peer":"127.0.0.1","identity":"","path":"/some/path","query":"key=value&x=%20","x-team":"blue","x-hidden":""}])");
}

TEST(Facts, of_a_connection_without_query_and_headers) {
  start({.plugins = {"facts"}, .server = "forward_headers = [\"x-team\"]"});
  WsClient a = connect();
  a.send_text(R"(["facts","show",null])");
  a.expect(
      R"(["facts","facts",{"is_local":1,"peer":"127.0.0.1","identity":"","path":"/","query":"","x-team":"","x-hidden":""}])");
}

TEST_GROUP_BASE(KeptBytes, ServerGroup) {
  void setup() override { start({.plugins = {"keeps"}}); }
};

TEST(KeptBytes, stay_with_their_subscription) {
  converse(R"(
    A > ["keeps:x","subscribe",null]
    A < ["keeps:x","subscribed",{}]
    A < ["keeps:x","kept","set in join"]
    B > ["keeps:x","subscribe",null]
    B < ["keeps:x","subscribed",{}]
    B < ["keeps:x","kept","set in join"]
    A > ["keeps:x","set",{"of":"A"}]
    B > ["keeps:x","set",{"of":"B"}]
    A > ["keeps:x","get",null]
    A < ["keeps:x","kept",{"of":"A"}]
    A > ["keeps:x","subscribe",null]
    A < ["keeps:x","subscribed",{}]
    A < ["keeps:x","kept",{"of":"A"}]
    A > ["keeps:x","clear",null]
    A > ["keeps:x","get",null]
    A < ["keeps:x","kept",null]
    B > ["keeps:x","get",null]
    B < ["keeps:x","kept",{"of":"B"}]
  )");
}

TEST(KeptBytes, end_with_it) {
  converse(R"(
    A > ["keeps:x","subscribe",null]
    A < ["keeps:x","subscribed",{}]
    A < ["keeps:x","kept","set in join"]
    A > ["keeps:x","set",{"of":"A"}]
    A > ["keeps:x","unsubscribe",null]
    A < ["keeps:x","unsubscribed",{}]
    A > ["keeps:x","subscribe",null]
    A < ["keeps:x","subscribed",{}]
    A < ["keeps:x","kept","set in join"]
  )");
}

TEST(KeptBytes, are_64_kib_at_most) {
  converse(R"(
    A > ["keeps:x","subscribe",null]
    A < ["keeps:x","subscribed",{}]
    A < ["keeps:x","kept","set in join"]
    A > ["keeps:x","large",65536]
    A < ["keeps:x","result",0]
    A > ["keeps:x","set","small"]
    A > ["keeps:x","large",65537]
    A < ["keeps:x","result",-9]
    A > ["keeps:x","get",null]
    A < ["keeps:x","kept","small"]
  )");
}

TEST_GROUP_BASE(Timers, ServerGroup) {
  void setup() override {
    start({.plugins = {"timers"}});
    client("A").send_text(R"(["timers:watch","subscribe",null])");
    client("A").expect(R"(["timers:watch","subscribed",{}])");
  }

  long long next(std::string_view event, Where where = Where::here()) {
    return std::stoll(payload_of(client("A").receive(where), "timers:watch", event, where));
  }
};

TEST(Timers, one_fires_once_and_not_before_its_time) {
  client("A").send_text(R"(["timers:x","once",null])");
  CHECK_TRUE(next("once") >= 19000);
  client("A").expect_nothing();
}

TEST(Timers, fire_in_the_order_of_their_times) {
  client("A").send_text(R"(["timers:x","order",null])");
  const long long late = next("late");
  const long long later = next("later");
  const long long latest = next("latest");
  CHECK_TRUE(late <= later && later <= latest);
}

TEST(Timers, a_repeated_one_fires_until_it_is_cancelled_from_within) {
  client("A").send_text(R"(["timers:x","every",null])");
  for (int tick = 1; tick <= 5; ++tick) LONGS_EQUAL(tick, next("tick"));
  next("after_ticks");
  client("A").expect_nothing();
}

TEST(Timers, one_without_delay_fires_after_the_function_has_returned) {
  client("A").send_text(R"(["timers:x","zero",null])");
  next("zero");
}

TEST(Timers, a_cancelled_one_does_not_fire) {
  client("A").send_text(R"(["timers:x","cancelled",null])");
  LONGS_EQUAL(0, next("first_cancel"));
  LONGS_EQUAL(-4, next("second_cancel"));
  next("over");
  client("A").expect_nothing();
}

TEST(Timers, there_are_10000_at_most) {
  client("A").send_text(R"(["timers:x","too_many",null])");
  client("A").expect(R"(["timers:watch","too_many",[10000,-9,10000]])");
}

TEST_GROUP_BASE(Posts, ServerGroup) {
  void setup() override {
    start({.plugins = {"posts"}});
    client("A").send_text(R"(["posts:run","subscribe",null])");
    client("A").expect(R"(["posts:run","subscribed",{}])");
  }
};

TEST(Posts, from_a_thread_arrive_in_their_order) {
  client("A").send_text(R"(["posts:run","run",null])");
  for (int i = 0; i < 1000; ++i) {
    client("A").expect_bytes(R"(["posts:run","posted",)" + std::to_string(i) + "]");
  }
  client("A").expect_nothing();
}

TEST(Posts, from_the_loop_come_after_the_function_has_returned) {
  client("A").send_text(R"(["posts:run","from_loop",{"n":1}])");
  client("A").expect(R"(["posts:run","posted",{"n":1}])");
}

TEST(Posts, are_bounded) {
  client("A").send_text(R"(["posts:x","fill",null])");
  const std::string filled = payload_of(client("A").receive(), "posts:x", "filled");
  int count = 0;
  int result = 0;
  LONGS_EQUAL(2, std::sscanf(filled.c_str(), "[%d,%d]", &count, &result));
  CHECK_TRUE(count >= 60 && count <= 64);
  LONGS_EQUAL(-9, result);
  // They are taken again once the loop has worked them off.
  client("A").send_text(R"(["posts:run","from_loop",2])");
  client("A").expect(R"(["posts:run","posted",2])");
}

TEST(Posts, threads_that_go_on_until_stop_do_no_harm) {
  start({.plugins = {"restless"}, .server = kDoesNotWaitForCloses});
  WsClient a = connect();
  a.send_text(R"(["restless:loop","subscribe",null])");
  a.expect(R"(["restless:loop","subscribed",{}])");
  a.send_text(R"(["restless:thread","subscribe",null])");
  int posted = 0;
  int done = 0;
  int told = 0;
  while (posted < 20 || done < 20 || told < 20) {
    const std::string message = a.receive();
    if (message == R"(["restless:loop","posted",1])") ++posted;
    if (message == R"(["restless:loop","done",2])") ++done;
    if (message == R"(["restless:thread","told",4])") ++told;
    CHECK_TRUE(message.find("stray") == std::string::npos);
  }
  server().stop();
}

TEST_GROUP_BASE(Jobs, ServerGroup) {
  void setup() override {
    start({.plugins = {"jobs"}, .server = kDoesNotWaitForCloses});
    client("A").send_text(R"(["jobs:watch","subscribe",null])");
    client("A").expect(R"(["jobs:watch","subscribed",{}])");
  }
};

TEST(Jobs, give_back_what_they_wrote_and_returned) {
  client("A").send_text(R"(["jobs:x","reverse",null])");
  client("A").expect(
      R"(["jobs:watch","reversed",{"user":1,"result":42,"output":"fedcba","on_loop":1}])");
}

TEST(Jobs, one_that_runs_at_the_end_is_waited_for_before_stop) {
  client("A").send_text(R"(["jobs:x","long",null])");
  client("A").expect(R"(["jobs:watch","working",true])");
  server().stop();
  const std::string errors = server().process().errors();
  LONGS_EQUAL(1, count_lines(errors, {"stop after the job"}));
  LONGS_EQUAL(0, count_lines(errors, {"stop without the job's end"}));
}

TEST(Jobs, do_not_hold_up_the_loop) {
  client("A").send_text(R"(["jobs:x","long",null])");
  client("A").expect(R"(["jobs:watch","working",true])");
  client("A").expect_nothing();
  LONGS_EQUAL(0, count_lines(server().process().errors(), {"the long job is done"}));
  server().wait_for_log({"the long job is done"});
}

TEST(Jobs, are_bounded) {
  client("A").send_text(R"(["jobs:x","too_many",null])");
  client("A").expect(R"(["jobs:x","too_many",[1000,-9]])");
}

TEST_GROUP_BASE(Threads, ServerGroup) {};

TEST(Threads, loop_functions_called_elsewhere_are_refused_and_logged) {
  start({.plugins = {"wrong_thread"}});
  WsClient a = connect();
  a.send_text(R"(["wrong_thread","subscribe",null])");
  a.expect(R"(["wrong_thread","subscribed",{}])");
  a.send_text(R"(["wrong_thread","try",null])");
  a.expect(
      R"(["wrong_thread","results",{"channel":-5,"timer":-5,"cancel":-5,"set":-5,"get":-5,"subscribers":-5,"connections":-5,"connection":-5,"header":-5}])");
  server().wait_for_log({"level=error", "plugin=wrong_thread", "timer"});
}

TEST(Threads, a_slow_plugin_delays_but_loses_nothing) {
  start({.plugins = {"slow", "echo"}});
  WsClient a = connect();
  WsClient b = connect();
  a.send_text(R"(["slow","sleep",300])");
  for (int i = 0; i < 100; ++i) {
    b.send_text(R"(["echo:a","echo",)" + std::to_string(i) + "]");
  }
  for (int i = 0; i < 100; ++i) b.expect(R"(["echo:a","echoed",)" + std::to_string(i) + "]");
  a.expect(R"(["slow","awake",true])");
}

}  // namespace
