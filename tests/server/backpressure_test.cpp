// Back-pressure: one that asks for more than it takes waits, and with it only its own questions.
// What was promised arrives whole; what cannot be promised is refused with a word.
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <sstream>

#include "tests/support/json.hpp"
#include "tests/support/server_group.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::test;

std::string letters(std::size_t octets) { return '"' + std::string(octets, 'x') + '"'; }

// As the server sends it: a large message in fragments of 64 KiB, headers included.
std::string sent_by_server(Opcode opcode, std::string_view payload) {
  constexpr std::size_t kMost = 65536 - 4;
  std::string bytes;
  for (; payload.size() > kMost; opcode = Opcode::kContinuation) {
    bytes += frame_bytes(opcode, payload.substr(0, kMost), {.final = false, .masked = false});
    payload.remove_prefix(kMost);
  }
  return bytes + frame_bytes(opcode, payload, {.masked = false});
}

TEST_GROUP_BASE(Backpressure, ServerGroup) {
  // Sends all of it, reads only where nothing more can be sent, and at the end all that is left.
  std::string send_first_read_late(Stream& stream, std::string_view bytes) {
    const Deadline deadline;
    std::string received;
    while (!bytes.empty()) {
      const std::optional<std::size_t> sent = stream.send_some(bytes);
      check(sent.has_value(), "the server is gone while the client sends");
      check(deadline.milliseconds() > 0, "the server takes no more, and the time is over");
      bytes.remove_prefix(*sent);
      // It may be that there is nothing to read: the server waits for the rest of a message.
      if (*sent == 0) stream.receive_within(received, Deadline(std::chrono::milliseconds(1)));
    }
    while (stream.receive(received, Where::here(), deadline)) {
    }
    return received;
  }

  // Asks twice for much and closes at once.
  void expect_answers_then_close() {
    const std::string payload = letters(3'900'000);
    WsClient a = connect();
    const std::string question = frame_bytes(Opcode::kText, R"(["echo:b","echo",)" + payload + "]");
    const std::string received = send_first_read_late(
        a.stream(), question + question + frame_bytes(Opcode::kClose, close_payload(1000)));
    const std::string answer =
        sent_by_server(Opcode::kText, R"(["echo:b","echoed",)" + payload + "]");
    const std::string close = sent_by_server(Opcode::kClose, close_payload(1000));
    check(received.size() == 2 * answer.size() + close.size(),
          std::to_string(received.size()) + " octets came, not " +
              std::to_string(2 * answer.size() + close.size()));
    check(received == answer + answer + close, "not the answers and then the Close");
  }

  // A large message with a number.
  static std::string numbered(std::string_view event, int number) {
    static const std::string filling = letters(30'000);
    return R"(["echo:p",")" + std::string(event) + "\",[" + std::to_string(number) + "," + filling +
           "]]";
  }

  // Sends what the server takes now; gives how much that was.
  static std::size_t send_some(WsClient& client, std::string& left) {
    const std::optional<std::size_t> sent = client.stream().send_some(left);
    check(sent.has_value(), "the server is gone while the client sends");
    left.erase(0, *sent);
    return *sent;
  }

  // A Unix socket has little room, however much the system gives to TCP.
  void start_on_unix_socket(const char* plugin) {
    start({.plugins = {plugin}, .listen = {"unix:" + (folder_.path() / "socket").string()}});
  }

 private:
  const TemporaryFolder folder_;
};

TEST(Backpressure, a_close_behind_large_questions_is_answered_behind_their_answers) {
  start({.plugins = {"echo"}});
  expect_answers_then_close();
}

TEST(Backpressure, a_close_behind_large_questions_on_a_unix_socket_too) {
  start_on_unix_socket("echo");
  expect_answers_then_close();
}

// Here the Close is in the server's hands together with the questions, when it stops reading.
TEST(Backpressure, a_close_behind_questions_with_large_answers_is_answered_behind_them) {
  start_on_unix_socket("flood");
  WsClient watcher = connect();
  watcher.send_text(R"(["flood:watch","subscribe",null])");
  watcher.expect(R"(["flood:watch","subscribed",{}])");
  WsClient a = connect();
  const std::string question = frame_bytes(Opcode::kText, R"(["flood:x","me",60])");
  a.send_bytes(question + question + frame_bytes(Opcode::kClose, close_payload(1000)));
  watcher.expect(R"(["flood:watch","flooded",[60,0]])");
  for (int i = 0; i < 120; ++i) LONGS_EQUAL(65536 + 20, a.receive().size());
  a.expect_closed(1000, "", false);
  watcher.expect(R"(["flood:watch","flooded",[60,0]])");
}

TEST(Backpressure, questions_without_a_pause_are_all_answered_in_their_order) {
  start({.plugins = {"echo"}});
  constexpr int kCount = 2000;
  WsClient a = connect();
  std::string left;
  int asked = 0;
  for (int answered = 0; answered < kCount; ++answered) {
    while (asked < kCount || !left.empty()) {
      if (left.empty()) left = frame_bytes(Opcode::kText, numbered("echo", asked++));
      if (send_some(a, left) > 0) continue;
      // Where no question is whole yet no answer would come.
      if (asked > answered + 1) break;
      a.send_bytes(std::exchange(left, {}));
    }
    a.expect_bytes(numbered("echoed", answered));
  }
  a.expect_nothing();
  a.close();
}

// The same from one that reads as late as it can: when the server takes nothing more while it
// answers another one many times.
TEST(Backpressure, questions_until_no_more_are_taken_are_all_answered_in_their_order) {
  start_on_unix_socket("echo");
  constexpr int kCount = 500;
  WsClient other = connect();
  WsClient a = connect();
  std::string left;
  int asked = 0;
  int answered = 0;
  while (answered < kCount) {
    for (int idle = 0; idle < 100 && (asked < kCount || !left.empty());) {
      if (left.empty()) left = frame_bytes(Opcode::kText, numbered("echo", asked++));
      if (send_some(a, left) > 0) {
        idle = 0;
        continue;
      }
      other.send_text(R"(["echo:o","echo",1])");
      other.expect_bytes(R"(["echo:o","echoed",1])");
      ++idle;
    }
    // The last question may not be whole yet.
    const int whole = left.empty() ? asked : asked - 1;
    CHECK_TRUE(whole > answered);
    while (answered < whole) a.expect_bytes(numbered("echoed", answered++));
  }
  a.expect_nothing();
  a.close();
}

TEST(Backpressure, one_who_subscribes_to_much_at_once_gets_all_of_it) {
  start({.plugins = {"snapshots"}});
  constexpr int kTopics = 8;
  const auto topic = [](int number) { return "snapshots:3000000:" + std::to_string(number); };
  WsClient a = connect();
  std::string batch;
  for (int i = 0; i < kTopics; ++i) {
    batch += frame_bytes(Opcode::kText, "[\"" + topic(i) + "\",\"subscribe\",null]");
  }
  a.send_bytes(batch);
  const std::string snapshot = '"' + std::string(3'000'000 - 2, 's') + '"';
  for (int i = 0; i < kTopics; ++i) {
    a.expect_bytes("[\"" + topic(i) + "\",\"subscribed\",{}]");
    a.expect_bytes("[\"" + topic(i) + "\",\"snapshot\"," + snapshot + "]");
  }
  a.expect_nothing();
  a.close();
}

// A join that is not answered yet (topic pending:never) keeps the subscribes behind it waiting.
TEST(Backpressure, subscribes_that_wait_for_a_join_are_bounded_by_their_octets) {
  start({.plugins = {"pending", "echo"}, .server = "max_outbox_bytes = 4194304"});
  const std::string subscribe = R"(["pending:never","subscribe",)" + letters(1'000'000) + "]";
  WsClient a = connect();
  // Twice: an unsubscribe gives the room back.
  for (int round = 0; round < 2; ++round) {
    a.send_text(R"(["pending:never","subscribe",null])");
    for (int i = 0; i < 4; ++i) a.send_text(subscribe);
    a.expect_nothing();
    for (int i = 0; i < 3; ++i) {
      const std::string error = payload_of(a.request(subscribe), "pending:never", "error");
      STRCMP_EQUAL("LIMIT_EXCEEDED", string_member(error, "code").c_str());
    }
    a.send_text(R"(["pending:never","unsubscribe",null])");
    a.expect(R"(["pending:never","unsubscribed",{}])");
  }
  a.close();
}

TEST_GROUP_BASE(BackpressureOfThreads, ServerGroup) {};

// 64 MiB of a plugin may wait for the loop: 63 pieces of 1 MiB and their 256 octets each.
TEST(BackpressureOfThreads, what_waits_for_a_blocked_loop_is_bounded) {
  start({.plugins = {"torrent"}, .server = "max_outbox_bytes = 134217728\nmax_outboxes_bytes = 134217728"});
  WsClient a = connect();
  a.send_text(R"(["torrent","subscribe",null])");
  a.expect(R"(["torrent","subscribed",{}])");
  const std::size_t piece = std::string_view(R"(["torrent","piece",])").size() + (1 << 20);
  // Twice: what the loop has done gives the room back.
  for (int round = 0; round < 2; ++round) {
    a.send_text(R"(["torrent","measure",null])");
    const std::string measured = payload_of(a.receive(), "torrent", "measured");
    const long long taken = integer_member(measured, "taken");
    check(taken >= 60 && taken <= 64, measured);
    LONGS_EQUAL(1, integer_member(measured, "all_limited"));
    for (long long i = 0; i < taken; ++i) UNSIGNED_LONGS_EQUAL(piece, a.receive().size());
    a.expect_nothing();
  }
}

// A socket that nobody reads and that has its end in it must not wake the loop for ever.
TEST_GROUP_BASE(HalfClosed, ServerGroup) {
  // The processor time that the server has used (proc(5), utime and stime).
  double processor_seconds() {
    std::ifstream file("/proc/" + std::to_string(server().process().pid()) + "/stat");
    const std::string stat{std::istreambuf_iterator<char>(file), {}};
    // The second field is the program's name in parentheses; the 14th and 15th are wanted.
    std::istringstream fields(stat.substr(stat.rfind(')') + 1));
    std::string field;
    for (int i = 3; i < 14; ++i) fields >> field;
    double user = 0;
    double system = 0;
    fields >> user >> system;
    check(!fields.fail(), "cannot read the processor time from: " + stat);
    return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
  }

  // A second passes in which nothing happens. A loop that spins takes nearly all of it, one that
  // waits next to nothing; on a loaded machine both take less, so the bound is right there too.
  // (The time is what is measured here; nothing is synchronised with it.)
  void expect_idle(WsClient& other) {
    const double before = processor_seconds();
    other.expect_nothing();
    CHECK_FALSE(other.receive_within(std::chrono::seconds(1)).has_value());
    other.expect_nothing();
    const double used = processor_seconds() - before;
    check(used < 0.4, "the server used " + std::to_string(used) + " s of the processor's time");
  }
};

TEST(HalfClosed, one_that_never_reads_does_not_make_the_server_spin) {
  start({.plugins = {"flood"}, .server = "ping_interval_s = 0"});
  WsClient watcher = connect();
  watcher.send_text(R"(["flood:watch","subscribe",null])");
  watcher.expect(R"(["flood:watch","subscribed",{}])");
  WsClient stuck = connect({.receive_buffer = 4096});
  stuck.send_text(R"(["flood:x","me",100])");
  watcher.expect(R"(["flood:watch","flooded",[100,0]])");
  stuck.stream().finish();
  expect_idle(watcher);
}

TEST(HalfClosed, questions_that_nobody_reads_do_not_make_the_server_spin) {
  start({.plugins = {"echo"}, .server = "ping_interval_s = 0"});
  WsClient other = connect();
  WsClient stuck = connect({.receive_buffer = 4096});
  // Until the server reads no more: then the end stands behind what is unread.
  const std::string question =
      frame_bytes(Opcode::kText, R"(["echo:q","echo",)" + letters(60'000) + "]");
  std::string left;
  for (bool is_stopped = false; !is_stopped;) {
    if (left.empty()) left = question;
    const std::optional<std::size_t> sent = stuck.stream().send_some(left);
    CHECK_TRUE(sent.has_value());
    left.erase(0, *sent);
    if (*sent > 0) continue;
    other.send_text(R"(["echo:o","echo",1])");
    other.expect(R"(["echo:o","echoed",1])");
    is_stopped = stuck.stream().send_some(left).value_or(0) == 0;
  }
  stuck.stream().finish();
  expect_idle(other);
}

}  // namespace
