// The server's sockets (core/net) with libwebsockets behind them: a whole server in this process,
// one for all runs, on a Unix socket. The octets are what a peer sends, in pieces; the first two
// say how. What the server says must be HTTP and WebSocket; where the peer's handshake is given and
// it breaks no rule, it must be what a slow reading of its frames comes to. Nothing is left of a
// run.
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/access/gate.hpp"
#include "core/hub/hub.hpp"
#include "core/net/loop_uv.hpp"
#include "core/net/server.hpp"
#include "tests/fuzz/client_frames.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/reference_json.hpp"
#include "tests/fuzz/server_octets.hpp"

namespace jackfield::fuzz {
namespace {

using hub::Answer;

// ---- how a run goes: its first octet
constexpr unsigned kHandshakeIsGiven = 1;
constexpr unsigned kHearsAtTheEnd = 2;  // the peer reads nothing before
constexpr unsigned kHasPath = 4;        // the server serves one path only
constexpr unsigned kHasGate = 8;        // the server looks for tokens, and has one

constexpr std::size_t kMostPieces = 64;
constexpr std::size_t kMaxMessage = 3000;
constexpr std::size_t kMaxOutbox = 600'000;  // what two floods come to is more
constexpr std::string_view kPath = "/ws";
constexpr std::string_view kTokens = "known 0123456789abcdef\n";

// The example of RFC 6455, section 1.3.
constexpr std::string_view kHandshake =
    "GET /ws?a=b HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Protocol: jackfield.v2, other\r\nX-Real-IP: 192.0.2.7\r\n\r\n";
constexpr std::string_view kAccepted = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

// "t:<x>": what it does with joins and events is what expected_answers() expects.
class SiteChannel : public hub::Channel {
 public:
  explicit SiteChannel(std::unique_ptr<hub::Hub>& hub) : hub_(hub) {}

  const hub::Pattern& pattern() const override { return pattern_; }
  bool match(const hub::Request&) override { return true; }
  Answer join(const hub::Request& request) override {
    if (request.topic == "t:no") return Answer::refused("NO", "not you");
    hub_->push(request.call, "snapshot", "1");
    if (request.topic != "t:later") return Answer::ok();
    later_.push_back(request.call);
    return Answer::pending();
  }
  Answer event(const hub::Request& request) override {
    const hub::ConnectionFacts* facts = hub_->facts(request.connection);
    require(facts != nullptr && facts->peer() == "unix", "a connection has facts");
    if (request.event == "echo") {
      hub_->push(request.call, "echoed", request.payload);
    } else if (request.event == "cast") {
      hub_->broadcast(request.topic, "cast", request.payload);
    } else if (request.event == "no") {
      return Answer::refused("NO", "not this");
    } else if (request.event == "later") {
      later_.push_back(request.call);
      return Answer::pending();
    } else if (request.event == "flood") {
      // The last takes several writes to a socket: a part of it is taken.
      for (const std::size_t size : {70'000U, 70'000U, 70'000U, 260'000U}) {
        hub_->push(request.call, "flood", "\"" + std::string(size, 'f') + "\"");
      }
    } else if (request.event == "kick") {
      hub_->kick(request.connection, "KICKED", "go");
    } else {
      return Answer::no_event();
    }
    return Answer::ok();
  }
  void leave(const hub::Request& request, hub::LeaveReason) override {
    hub_->broadcast(request.topic, "left", "1");
  }
  bool adopt(const hub::Request&) override { return false; }
  std::string_view owner() const override { return "site"; }

  void answer_all() {
    for (const base::Id call : later_) hub_->reply(call, Answer::refused("LATE", "at last"));
    later_.clear();
  }

 private:
  std::unique_ptr<hub::Hub>& hub_;
  const hub::Pattern pattern_ = hub::Pattern::parse("t:<x>").value();
  std::vector<base::Id> later_;
};

// The one server.
class Site {
 public:
  Site() {
    std::string folder = std::string(temporary()) + "/jackfield-fuzz-XXXXXX";
    require(::mkdtemp(folder.data()) != nullptr, "there is a temporary folder");
    folder_ = folder;
    settings_.listen = {{net::Endpoint::Kind::kUnix, {}, 0, path()}};
    settings_.ping_interval = std::chrono::milliseconds(0);
    settings_.handshake_timeout = std::chrono::hours(1);
    settings_.close_timeout = std::chrono::hours(1);
    settings_.forward_headers = {"x-real-ip", "origin", "x-unknown"};
    settings_.read_buffer_bytes = 128;  // most messages come in pieces
    hub::Limits limits;
    limits.max_message_bytes = kMaxMessage;
    limits.max_outbox_bytes = kMaxOutbox;
    hub_ = std::make_unique<hub::Hub>(limits, ids_, log_);
    hub_->set_channels({&channel_});
    open_gate();
    server_ = std::make_unique<net::Server>(settings_, loop_, *hub_, log_);
    const base::Status status = server_->start();
    if (!status.is_ok()) fail("the server starts: " + status.message());
    loop_.on_served([this] {
      if (server_ != nullptr) server_->read_on();
    });
    loop_.on_turn_end([this] {
      if (server_ != nullptr) server_->end_turn();
    });
    server_->begin_accepting();
    loop_.drain(4);
  }
  ~Site() {
    server_.reset();
    ::rmdir(folder_.c_str());
  }

  std::string path() const { return folder_ + "/s"; }
  void turn() { loop_.drain(2); }
  void serve_path(std::string_view path) {
    if (settings_.path == path) return;
    settings_.path = path;
    server_->apply(settings_);
  }
  void guard(bool has_gate) { server_->set_gate(has_gate ? &gate_ : nullptr); }
  SiteChannel& channel() { return channel_; }

  // A run begins. (The sanitizers' own descriptors may have come since the last.)
  void begin_run() { lowest_ = lowest_descriptor(); }
  // Turns until a run's connection has gone; nothing of it is left then.
  void check_empty() {
    for (int turns = 0; turns < 100 && lowest_descriptor() != lowest_; ++turns) turn();
    turn();
    channel_.answer_all();
    turn();
    require(lowest_descriptor() == lowest_, "no descriptor is left");
    require(server_->is_empty(), "no WebSocket is left");
    require(hub_->connection_count() == 0, "no connection is left");
    require(hub_->subscription_count({&channel_}) == 0, "no subscription is left");
    require(active_timers() == 0, "nothing wakes a server without connections");
  }

 private:
  void open_gate() {
    access::Settings settings;
    settings.unix_peers = true;
    settings.tokens = folder_ + "/tokens";
    std::ofstream(settings.tokens) << kTokens;
    ::chmod(settings.tokens.c_str(), 0600);
    const base::Status status = gate_.apply(settings, false);
    ::unlink(settings.tokens.c_str());
    if (!status.is_ok()) fail("the tokens are read: " + status.message());
  }

  static const char* temporary() {
    const char* folder = std::getenv("TMPDIR");
    return folder == nullptr || *folder == '\0' ? "/tmp" : folder;
  }

  // The second lowest that is free: a run takes two, the peer's and the server's.
  static int lowest_descriptor() {
    const int lowest = ::dup(STDERR_FILENO);
    const int second = ::dup(STDERR_FILENO);
    ::close(lowest);
    ::close(second);
    return second;
  }

  int active_timers() {
    int count = 0;
    uv_walk(
        loop_.uv(),
        [](uv_handle_t* handle, void* counted) {
          const bool is_timer = uv_handle_get_type(handle) == UV_TIMER;
          if (is_timer && uv_is_active(handle) != 0) ++*static_cast<int*>(counted);
        },
        &count);
    return count;
  }

  std::string folder_;
  base::Log log_{base::LogLevel::kInfo, [](std::string_view) {}};
  base::IdSource ids_;
  net::LoopUv loop_;
  access::Gate gate_{loop_, log_};
  std::unique_ptr<hub::Hub> hub_;
  SiteChannel channel_{hub_};
  net::Settings settings_;
  std::unique_ptr<net::Server> server_;
  int lowest_ = -1;  // descriptor that is free while nobody is connected
};

Site& site() {
  static Site one;
  return one;
}

// Whoever connects, from the same thread.
class Peer {
 public:
  Peer() : descriptor_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = site().path();
    require(path.size() < sizeof address.sun_path, "a socket's path is short");
    std::memcpy(address.sun_path, path.data(), path.size());
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    require(::connect(descriptor_, generic, sizeof address) == 0, "the server can be connected to");
  }
  ~Peer() { end(); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  // What is not taken at once is not said.
  void say(std::string_view octets) {
    if (is_stuck_) return;
    const ssize_t sent = ::send(descriptor_, octets.data(), octets.size(), MSG_NOSIGNAL);
    if (sent > 0) said_ += octets.substr(0, static_cast<std::size_t>(sent));
    is_stuck_ = sent != static_cast<ssize_t>(octets.size());
  }
  // Turns until there is nothing more to hear.
  void hear_all() {
    for (int quiet = 0; quiet < 2;) {
      site().turn();
      quiet = hear() ? 0 : quiet + 1;
    }
  }
  void say_no_more() const { ::shutdown(descriptor_, SHUT_WR); }
  void end() {
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  }

  bool has_ended() const { return has_ended_; }  // the server's end
  bool is_stuck() const { return is_stuck_; }
  const std::string& said() const { return said_; }
  ServerOctets& heard() { return heard_; }

 private:
  bool hear() {
    if (has_ended_) return false;
    static std::string octets(1 << 20, '\0');
    const ssize_t got = ::recv(descriptor_, octets.data(), octets.size(), MSG_DONTWAIT);
    if (got > 0) {
      heard_.feed(std::string_view(octets).substr(0, static_cast<std::size_t>(got)));
      return true;
    }
    has_ended_ = got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
    return false;
  }

  int descriptor_;
  bool is_stuck_ = false;
  bool has_ended_ = false;
  std::string said_;
  ServerOctets heard_;
};

// ---- what the answers to frames must be

struct Expected {
  std::vector<ServerMessage> messages;  // as far as it is known
  ClientFrames::End end;
};

bool is_bad_name(const std::string& name, std::size_t limit) {
  return name.size() > limit || name.find('\0') != name.npos;
}

Expected expected_answers(const ClientFrames& frames) {
  Expected expected{{}, frames.end};
  std::set<std::string> topics;     // that are subscribed to
  std::vector<ServerMessage> late;  // what is answered at the end
  const auto answer = [&](const std::string& topic, const std::string& event,
                          const std::string& payload) {
    expected.messages.push_back({topic, event, payload});
  };
  for (const std::string& text : frames.messages) {
    const auto root = read_json(text);
    if (!root) {
      answer("error", "error", "INVALID_PAYLOAD: Invalid JSON");
      continue;
    }
    const auto& items = root->items;
    if (root->kind != JsonNode::Kind::kList || items.size() != 3 ||
        items[0].kind != JsonNode::Kind::kString || items[1].kind != JsonNode::Kind::kString) {
      answer("error", "error", "INVALID_PAYLOAD: Message must be [topic, event, payload]");
      continue;
    }
    const std::string& topic = items[0].string;
    const std::string& event = items[1].string;
    const std::string payload = text.substr(items[2].begin, items[2].end - items[2].begin);
    if (is_bad_name(topic, 512) || is_bad_name(event, 128)) {
      answer("error", "error",
             "INVALID_PAYLOAD: Topic or event name is too long or holds a NUL");
      continue;
    }
    const bool is_served = topic.starts_with("t:") && topic.find(':', 2) == topic.npos;
    const auto answer_unsure = [&] { expected.end = ClientFrames::End::kUnsure; };
    if (event == "unsubscribe") {
      answer(topic, "unsubscribed", "{}");
      topics.erase(topic);
    } else if (!is_served) {
      answer(topic, "error", "INTERNAL_ERROR: No channel matches topic: " + topic);
    } else if (event == "subscribe") {
      if (topic == "t:later") {
        answer_unsure();
        return expected;
      }
      if (topic == "t:no") {
        answer(topic, "error", "NO: not you");
        continue;
      }
      std::string id = "{}";
      const JsonNode& given = items[2];
      for (std::size_t i = 0; i < given.names.size(); ++i) {
        if (given.names[i] != "id") continue;
        const JsonNode& its = given.items[i];
        id = its.kind == JsonNode::Kind::kString
                 ? "{\"id\":" + text.substr(its.begin, its.end - its.begin) + "}"
                 : "{}";
      }
      answer(topic, "subscribed", id);
      answer(topic, "snapshot", "1");
      topics.insert(topic);
    } else if (event == "echo") {
      answer(topic, "echoed", payload);
    } else if (event == "cast") {
      if (topics.count(topic) > 0) answer(topic, "cast", payload);
    } else if (event == "no") {
      answer(topic, "error", "NO: not this");
    } else if (event == "later") {
      late.push_back({topic, "error", "LATE: at last"});
    } else if (event == "flood" || event == "kick") {
      answer_unsure();
      return expected;
    }
  }
  for (ServerMessage& message : late) expected.messages.push_back(std::move(message));
  return expected;
}

void check_frames(Peer& peer, bool has_all) {
  const ClientFrames frames =
      read_client(std::string_view(peer.said()).substr(kHandshake.size()), kMaxMessage);
  const Expected expected = expected_answers(frames);
  const std::vector<ServerMessage>& messages = peer.heard().messages();
  const std::size_t both = std::min(messages.size(), expected.messages.size());
  // An answer that comes at the end is not asked for where the connection is closed before.
  for (std::size_t i = 0; i < both; ++i) {
    if (messages[i] == expected.messages[i]) continue;
    if (expected.end != ClientFrames::End::kOpen && expected.messages[i].payload == "LATE: at last") {
      return;
    }
    fail("an answer is the right one: [" + expected.messages[i].topic + "," +
         expected.messages[i].event + "," + expected.messages[i].payload + "] not [" +
         messages[i].topic + "," + messages[i].event + "," + messages[i].payload + "]");
  }
  if (expected.end == ClientFrames::End::kUnsure || !has_all) return;
  require(peer.heard().has_closed() == (expected.end == ClientFrames::End::kClosed),
          "the server closes where it was asked to");
  if (expected.end == ClientFrames::End::kOpen) {
    require(messages.size() == expected.messages.size(), "every message has its answers");
  }
  // Each pong is to one of the pings, in their order; which may be left out is for the conformance
  // tests to say.
  std::size_t ping = 0;
  for (const std::string& pong : peer.heard().pongs()) {
    while (ping < frames.pings.size() && frames.pings[ping] != pong) ++ping;
    require(ping < frames.pings.size(), "a pong is to a ping");
    ++ping;
  }
}

// In pieces whose sizes are made from one octet: 0 is all at once.
void say_in_pieces(Peer& peer, std::string_view octets, unsigned pieces, bool hears) {
  const std::size_t least = octets.size() / kMostPieces + 1;
  unsigned state = pieces;
  while (!octets.empty() && !peer.is_stuck()) {
    state = state * 1103515245U + 12345U;
    const std::size_t size = pieces == 0 ? octets.size() : least + (state >> 16) % pieces;
    const std::string_view piece = octets.substr(0, size);
    octets.remove_prefix(piece.size());
    peer.say(piece);
    if (hears) {
      peer.hear_all();
    } else {
      site().turn();
    }
  }
}

}  // namespace

int run(const std::uint8_t* octets, std::size_t size) {
  Input input(octets, size);
  const unsigned mode = input.octet();
  const unsigned pieces = input.octet();
  const bool hears = (mode & kHearsAtTheEnd) == 0;
  const bool is_given = (mode & kHandshakeIsGiven) != 0;
  site().begin_run();
  site().guard((mode & kHasGate) != 0);
  site().serve_path((mode & kHasPath) != 0 ? kPath : std::string_view());
  {
    Peer peer;
    if (is_given) {
      peer.say(kHandshake);
      peer.hear_all();
      require(peer.heard().is_upgraded(), "a right handshake is answered with 101");
      require(peer.heard().head().find(kAccepted) != std::string::npos, "the key is accepted");
    }
    say_in_pieces(peer, input.rest(), pieces, hears);
    peer.hear_all();
    site().channel().answer_all();
    peer.hear_all();
    const bool is_cut_short = peer.is_stuck() || !hears;  // perhaps for being slow
    if (!is_cut_short && !peer.has_ended()) {
      require(peer.heard().is_whole(), "what the server said is whole");
    }
    if (is_given) check_frames(peer, !is_cut_short);
    peer.say_no_more();
    peer.hear_all();
  }
  site().check_empty();
  return 0;
}

}  // namespace jackfield::fuzz
