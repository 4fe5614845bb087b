#include "core/net/server.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/ids.hpp"
#include "core/base/log.hpp"
#include "core/hub/hub.hpp"
#include "core/net/loop_uv.hpp"
#include "tests/support/temporary_folder.hpp"

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

 private:
  int descriptor_;
};

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
  base::Log log{base::LogLevel::kError, [](std::string_view) {}};
  base::IdSource ids;
  net::LoopUv loop;
  hub::Limits limits;
  std::unique_ptr<hub::Hub> hub = std::make_unique<hub::Hub>(limits, ids, log);
  std::unique_ptr<net::Server> server;

  void setup() override {
    net::Settings settings;
    settings.listen = {{net::Endpoint::Kind::kUnix, {}, 0, path}};
    server = std::make_unique<net::Server>(settings, loop, *hub, log);
    CHECK(server->start().is_ok());
    loop.on_turn_end([this] {
      if (server != nullptr) server->end_turn();  // not while it ends
    });
    server->accept();
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
