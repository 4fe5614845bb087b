#include "core/net/server.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "core/access/gate.hpp"
#include "core/base/ids.hpp"
#include "core/base/log.hpp"
#include "core/hub/hub.hpp"
#include "core/net/deadline.hpp"
#include "core/net/loop_uv.hpp"
#include "tests/support/jwt_maker.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/ws_client.hpp"

#include <CppUTest/TestHarness.h>

using namespace jackfield;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view kUpgrade =
    "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

// Whoever connects to the server's Unix socket from the same thread.
class Peer {
 public:
  explicit Peer(const std::string& path)
      : descriptor_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    CHECK(path.size() < sizeof address.sun_path);
    std::memcpy(address.sun_path, path.data(), path.size());
    LONGS_EQUAL(0, ::connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address));
  }
  ~Peer() { ::close(descriptor_); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  void say(std::string_view bytes) const {
    LONGS_EQUAL(bytes.size(), ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL));
  }
  // What was said to it and not heard before.
  std::string hear() const {
    std::string bytes(1 << 20, '\0');
    const ssize_t got = ::recv(descriptor_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return bytes;
  }

 private:
  int descriptor_;
};

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t found = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != text.npos; at += part.size()) ++found;
  return found;
}

int active_timers(net::LoopUv& loop) {
  int count = 0;
  uv_walk(
      loop.uv(),
      [](uv_handle_t* handle, void* counted) {
        const bool is_timer = uv_handle_get_type(handle) == UV_TIMER;
        if (is_timer && uv_is_active(handle) != 0) ++*static_cast<int*>(counted);
      },
      &count);
  return count;
}

}  // namespace

TEST_GROUP(NetServer) {
  test::TemporaryFolder folder;
  std::string path = (folder.path() / "s").string();
  std::function<void(std::string_view)> on_log = [](std::string_view) {};
  base::Log log{base::LogLevel::kInfo, [this](std::string_view line) { on_log(line); }};
  base::IdSource ids;
  net::LoopUv loop;
  hub::Limits limits{.max_messages_per_s = 0, .max_bytes_per_s = 0, .max_subscribes_per_s = 0};
  std::unique_ptr<hub::Hub> hub = std::make_unique<hub::Hub>(limits, ids, log);
  std::unique_ptr<net::Server> server;

  net::Settings settings;

  void setup() override { start(); }
  void start() {
    server.reset();
    settings.listen = {{net::Endpoint::Kind::kUnix, {}, 0, path}};
    server = std::make_unique<net::Server>(settings, loop, *hub, log);
    CHECK(server->start().is_ok());
    loop.on_served([this] {
      if (server != nullptr) server->read_on();  // not while it ends
    });
    loop.on_turn_end([this] {
      if (server != nullptr) server->end_turn();
    });
    server->begin_accepting();
  }
  void teardown() override {
    server.reset();
    hub.reset();
  }

  // Turns until there are so many connections, and the loop has nothing to do.
  void settle(std::size_t connections) {
    const base::TimerId late = loop.start_timer(20s, 0ms, [] { FAIL("waited in vain"); });
    loop.run_until([&] { return server->connection_count() == connections; });
    loop.cancel_timer(late);
    loop.drain(20);
  }
};

TEST(NetServer, nothing_wakes_it_before_somebody_connects) {
  loop.drain(20);
  LONGS_EQUAL(0, active_timers(loop));
}

TEST(NetServer, nothing_wakes_it_when_the_last_connection_has_gone) {
  for (int round = 0; round < 2; ++round) {
    {
      const Peer first(path);
      const Peer second(path);
      first.say(kUpgrade);
      second.say(kUpgrade);
      settle(2);
      CHECK(active_timers(loop) > 0);
    }
    settle(0);
    LONGS_EQUAL(0, active_timers(loop));
  }
}

TEST(NetServer, nothing_wakes_it_after_a_refused_handshake) {
  {
    const Peer peer(path);
    peer.say("GET / HTTP/1.0\r\n\r\n");
    loop.drain(20);
  }
  loop.drain(20);
  LONGS_EQUAL(0, active_timers(loop));
}

// Messages of every size, so that reads end anywhere: within a header, within a payload, at a frame's
// end.
TEST(NetServer, what_came_together_is_answered_in_one_turn) {
  for (const std::size_t buffer : {128u, 1024u, 4096u}) {
    settings.read_buffer_bytes = buffer;
    start();
    const Peer peer(path);
    peer.say(kUpgrade);
    settle(1);
    CHECK(count(peer.hear(), "101 Switching Protocols") == 1);
    for (std::size_t size = 20; size < 500; ++size) {
      const std::string head = R"(["nobody","x",")";
      const std::string message = head + std::string(size - head.size() - 2, 'x') + "\"]";
      const std::size_t together = 10'000 / message.size();
      std::string frames;
      for (std::size_t i = 0; i < together; ++i) {
        frames += test::frame_bytes(test::Opcode::kText, message);
      }
      peer.say(frames);
      loop.drain(1);
      LONGS_EQUAL(together, count(peer.hear(), "No channel matches"));
    }
  }
}

// Whoever comes with a token of his own puts off no other's end.
TEST(NetServer, a_token_expires_though_others_with_tokens_come_all_the_time) {
  constexpr access::WallTime kNow = 1'800'000'000;
  const std::string shared = "0123456789abcdef0123456789abcdef";
  access::WallTime now = kNow;
  access::Gate gate(loop, log, [&now] { return now; });
  access::Settings who;
  const std::filesystem::path key = folder.write("key", shared);
  ::chmod(key.c_str(), 0600);
  who.jwt_keys = {{"", access::Algorithm::kHs256, key}};
  who.jwt_leeway = 0ms;
  CHECK(gate.apply(who, false).is_ok());
  server->set_gate(&gate);
  const test::SigningKey signing = test::SigningKey::shared(shared);
  const auto upgrade = [&](const Peer& peer, access::WallTime exp) {
    const std::string token = signing.token(
        R"({"alg":"HS256"})", R"({"sub":"bob","exp":)" + std::to_string(exp) + "}");
    std::string head(kUpgrade);
    head.insert(head.size() - 2, "Authorization: Bearer " + token + "\r\n");
    peer.say(head);
  };
  {
    const Peer first(path);
    upgrade(first, kNow + 1);
    settle(1);
    CHECK(count(first.hear(), "101 Switching Protocols") == 1);
    now = kNow + 1;
    // The clock of the server was set for a second: 5 s in which somebody comes each 5 ms.
    for (int i = 0; i < 1000 && server->counts().tokens_expired == 0; ++i) {
      const Peer other(path);
      upgrade(other, kNow + 3600);
      loop.drain(20);
      CHECK(count(other.hear(), "101 Switching Protocols") == 1);
      std::this_thread::sleep_for(5ms);
    }
    LONGS_EQUAL(1, server->counts().tokens_expired);
    CHECK(count(first.hear(), "Token has expired") == 1);
  }
  settle(0);
  server.reset();  // before its gate
}

// ---- the loop does not turn for a while: a plugin holds it up, or SIGSTOP

namespace {

constexpr std::string_view kPing("\x89\x02jf");

TEST_GROUP_BASE(HeldUp, TEST_GROUP_CppUTestGroupNetServer) {
  static constexpr auto kTimeout = 200ms;

  void start_pinging() {
    settings.ping_interval = 10ms;
    settings.ping_timeout = kTimeout;
    start();
  }
  // It is one of `connections` then.
  void upgrade_until_pinged(const Peer& peer, std::size_t connections) {
    peer.say(kUpgrade);
    settle(connections);
    turn_until_pinged(peer);
  }
  // Turns until the peer is pinged.
  void turn_until_pinged(const Peer& peer) {
    std::string heard;
    const base::TimerId late = loop.start_timer(20s, 0ms, [] { FAIL("waited in vain"); });
    const base::TimerId look = loop.start_timer(1ms, 1ms, [&] { heard += peer.hear(); });
    loop.run_until([&] { return heard.ends_with(kPing); });
    loop.cancel_timer(look);
    loop.cancel_timer(late);
  }
};

}  // namespace

TEST(HeldUp, an_answer_to_a_ping_counts_though_it_is_read_late) {
  start_pinging();
  const Peer peer(path);
  upgrade_until_pinged(peer, 1);
  peer.say(test::frame_bytes(test::Opcode::kPong, "jf"));
  std::this_thread::sleep_for(kTimeout + 5ms);
  loop.drain(20);
  LONGS_EQUAL(1, server->connection_count());
  LONGS_EQUAL(0, server->counts().heartbeats_missed);
}

TEST(HeldUp, who_may_have_been_held_up_too_is_asked_again_and_only_then_given_up) {
  start_pinging();
  const Peer peer(path);
  upgrade_until_pinged(peer, 1);
  std::this_thread::sleep_for(2 * kTimeout);
  loop.drain(20);
  LONGS_EQUAL(1, server->connection_count());
  CHECK(peer.hear() == kPing);
  settle(0);
  LONGS_EQUAL(1, server->counts().heartbeats_missed);
}

TEST(HeldUp, who_is_asked_in_the_very_turn_that_is_held_up_has_time_to_answer) {
  start_pinging();
  const Peer gone(path);
  upgrade_until_pinged(gone, 1);
  const Peer peer(path);
  upgrade_until_pinged(peer, 2);
  on_log = [&](std::string_view line) {
    if (count(line, "no answer to pings") > 0) std::this_thread::sleep_for(2 * kTimeout);
  };
  settle(1);
  turn_until_pinged(peer);
  LONGS_EQUAL(1, server->counts().heartbeats_missed);
  on_log = [](std::string_view) {};
}

TEST(HeldUp, a_handshake_counts_though_it_is_read_late) {
  settings.handshake_timeout = kTimeout;
  start();
  const Peer peer(path);
  loop.drain(20);
  peer.say(kUpgrade);
  std::this_thread::sleep_for(kTimeout + 5ms);
  settle(1);
  LONGS_EQUAL(0, server->counts().handshakes_timed_out);
}

TEST(HeldUp, a_handshake_has_its_time_anew_and_only_that) {
  settings.handshake_timeout = kTimeout;
  start();
  const Peer peer(path);
  loop.drain(20);
  std::this_thread::sleep_for(2 * kTimeout);
  loop.drain(20);
  LONGS_EQUAL(0, server->counts().handshakes_timed_out);
  const base::TimerId late = loop.start_timer(20s, 0ms, [] { FAIL("waited in vain"); });
  loop.run_until([&] { return server->counts().handshakes_timed_out == 1; });
  loop.cancel_timer(late);
}

TEST(HeldUp, a_handshake_that_needs_answers_has_its_time_anew_after_less_than_twice_that) {
  settings.handshake_timeout = kTimeout;
  start();
  const Peer peer(path);
  loop.drain(20);
  std::this_thread::sleep_for(kTimeout + net::Deadline::kHeldUp + 10ms);
  loop.drain(20);
  LONGS_EQUAL(0, server->counts().handshakes_timed_out);
  peer.say(kUpgrade);
  settle(1);
}

TEST(HeldUp, a_first_message_counts_though_it_is_read_late) {
  settings.first_message_timeout = kTimeout;
  start();
  const Peer peer(path);
  peer.say(kUpgrade);
  settle(1);
  peer.say(test::frame_bytes(test::Opcode::kText, R"(["nobody","x",1])"));
  std::this_thread::sleep_for(kTimeout + 5ms);
  loop.drain(20);
  LONGS_EQUAL(0, server->counts().first_messages_missed);
  CHECK(count(peer.hear(), "No channel matches") == 1);
}

TEST(HeldUp, a_first_message_has_its_time_anew_and_only_that) {
  settings.first_message_timeout = kTimeout;
  start();
  const Peer peer(path);
  peer.say(kUpgrade);
  settle(1);
  std::this_thread::sleep_for(kTimeout + net::Deadline::kHeldUp + 10ms);
  loop.drain(20);
  LONGS_EQUAL(0, server->counts().first_messages_missed);
  const base::TimerId late = loop.start_timer(20s, 0ms, [] { FAIL("waited in vain"); });
  loop.run_until([&] { return server->counts().first_messages_missed == 1; });
  loop.cancel_timer(late);
}
