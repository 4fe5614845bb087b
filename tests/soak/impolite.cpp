// Those that break a rule, one each, and expect the answer that the rule has; and those that do not
// read what they asked for.
#include <array>
#include <utility>

#include "tests/soak/actor.hpp"

namespace jackfield::soak {
namespace {

using bench::Opcode;

constexpr milliseconds kPatience{30000};

std::string masked(Opcode opcode, std::string_view payload, unsigned char change = 0) {
  std::string octets;
  bench::append_frame(opcode, payload, octets);
  octets[0] = static_cast<char>(static_cast<unsigned char>(octets[0]) ^ change);
  return octets;
}

std::string with_header(const char* from, const char* to, std::uint16_t port) {
  std::string request = Wire::right_request(port);
  const std::size_t at = request.find(from);
  return request.replace(at, std::string_view(from).size(), to);
}

struct Rudeness {
  const char* name;
  // What is sent at once, instead of a right request; null: a right one.
  std::string (*request)(std::uint16_t port);
  // What is sent when the connection is open.
  std::string (*octets)();
  // What must come first: an HTTP status, or a close code, or a message with this in it; where there
  // is none of them, the end.
  int status;
  unsigned code;
  const char* message;
};

std::string nothing() { return {}; }

const std::array kRudenesses = {
    Rudeness{"no HTTP", [](std::uint16_t) { return std::string("\x16\x03\x01 rubbish\r\n\r\n"); },
             nothing, -1, 0, nullptr},
    Rudeness{"half a request", [](std::uint16_t) { return std::string("GET / HTTP/1.1\r\nHo"); },
             nothing, -1, 0, nullptr},
    Rudeness{"nothing at all", [](std::uint16_t) { return std::string(1, '\r'); }, nothing, -1, 0,
             nullptr},
    Rudeness{"POST", [](std::uint16_t port) { return with_header("GET", "POST", port); }, nothing,
             405, 0, nullptr},
    Rudeness{"an old version",
             [](std::uint16_t port) { return with_header("Version: 13", "Version: 8", port); },
             nothing, 426, 0, nullptr},
    Rudeness{"no key",
             [](std::uint16_t port) { return with_header("dGhlIHNhbXBsZSBub25jZQ==", "x", port); },
             nothing, 400, 0, nullptr},
    Rudeness{"a reserved bit", nullptr, [] { return masked(Opcode::kText, "[]", 0x40); }, 0, 1002,
             nullptr},
    Rudeness{"a reserved opcode", nullptr,
             [] { return masked(static_cast<Opcode>(3), "[]"); }, 0, 1002, nullptr},
    Rudeness{"a ping in pieces", nullptr, [] { return masked(Opcode::kPing, "a", 0x80); }, 0, 1002,
             nullptr},
    Rudeness{"a continuation of nothing", nullptr,
             [] { return masked(Opcode::kContinuation, "a"); }, 0, 1002, nullptr},
    Rudeness{"no UTF-8", nullptr, [] { return masked(Opcode::kText, "[\"\xff\"]"); }, 0, 1007,
             nullptr},
    Rudeness{"a message that is too large", nullptr,
             [] {
               std::string head = masked(Opcode::kText, std::string(70000, ' ')).substr(0, 14);
               head[6] = 1;  // of its length: 16 MiB and more
               return head;
             },
             0, 1009, nullptr},
    Rudeness{"no JSON", nullptr, [] { return masked(Opcode::kText, "[\"a\","); }, 0, 0,
             R"(["error","error",{"code":"INVALID_PAYLOAD","message":"Invalid JSON"}])"},
    Rudeness{"no message", nullptr, [] { return masked(Opcode::kText, "{}"); }, 0, 0,
             R"(["error","error",{"code":"INVALID_PAYLOAD")"},
    Rudeness{"a topic that nobody serves", nullptr,
             [] { return masked(Opcode::kText, R"(["nowhere","subscribe",null])"); }, 0, 0,
             R"(["nowhere","error",{"code":"INTERNAL_ERROR")"},
    Rudeness{"a long topic", nullptr,
             [] {
               return masked(Opcode::kText, "[\"" + std::string(5000, 't') + "\",\"e\",null]");
             },
             0, 0, R"(["error","error",{"code":"INVALID_PAYLOAD")"},
    Rudeness{"deep JSON", nullptr,
             [] {
               return masked(Opcode::kText, "[\"echo:a\",\"nothing\"," + std::string(100000, '[') +
                                                std::string(100000, ']') + "]");
             },
             0, 0, "\"INVALID_PAYLOAD\""},
};

class Rude final : public Actor {
 public:
  Rude(Stage& stage, const Rudeness& rudeness) : Actor(stage), rudeness_(rudeness) {
    ++stage.ledger.counts.rude;
    Wire::Options options;
    if (rudeness_.request != nullptr) options.request = rudeness_.request(stage.port);
    connect(options);
    act_in(kPatience);
  }

  std::string name() const override { return std::string("who sends ") + rudeness_.name; }

  void opened() override {
    if (rudeness_.request != nullptr) return wrong("was let in");
    wire().send_octets(rudeness_.octets());
  }
  void refused(int status) override {
    const bool is_right = rudeness_.status == status ||
                          (rudeness_.status == -1 && status >= 400 && status < 500);
    if (!is_right) return wrong("got " + std::to_string(status));
    leave();
  }
  void message(std::string_view text) override {
    if (rudeness_.message == nullptr || text.find(rudeness_.message) == std::string_view::npos) {
      return wrong("got " + std::string(text.substr(0, 200)));
    }
    is_answered_ = true;
    wire().send_close(1000);
  }
  void closed(unsigned code) override {
    const unsigned wanted = is_answered_ ? 1000 : rudeness_.code;
    if (code != wanted) return wrong("was closed with " + std::to_string(code));
    is_answered_ = true;
  }
  void ended() override {
    if (is_over()) return;
    if (!is_answered_ && rudeness_.status != -1) return wrong("got the end");
    leave();
  }
  void act() override { wrong("is not answered"); }

 private:
  void wrong(const std::string& what) {
    if (is_over()) return;
    ++stage().ledger.counts.misanswered;
    complain(what);
    leave();
  }

  const Rudeness& rudeness_;
  bool is_answered_ = false;
};

// Asks for what is much and reads none of it, until the server has had enough of it.
class Sleeper final : public Actor {
 public:
  explicit Sleeper(Stage& stage) : Actor(stage) {
    ++stage.ledger.counts.rude;
    Wire::Options options;
    options.receive_buffer = 4096;
    connect(options);
  }

  std::string name() const override { return "who does not read"; }

  void opened() override {
    for (const auto& stream : stage().streams) {
      wire().send("[\"" + stream->topic + "\",\"subscribe\",{}]");
    }
    wire().stop_reading();
    act_in(milliseconds(100));
    end_ = stage().now + stage().draw_time(milliseconds(500), milliseconds(10000));
  }
  void message(std::string_view /*text*/) override {}
  // However that ends, it is right.
  void closed(unsigned /*code*/) override { leave(); }
  void ended() override { leave(); }

  void act() override {
    if (stage().now >= end_) {
      wire().reset();
      return leave();
    }
    // What is echoed stays with the server. It reads no more of them when that is much.
    if (wire().unsent() == 0) {
      wire().send("[\"echo:asleep\",\"echo\",\"" + std::string(60000, 'z') + "\"]");
    }
    act_in(milliseconds(5));
  }
  void hurry() override { end_ = stage().now; }

 private:
  Clock::time_point end_;
};

}  // namespace

std::unique_ptr<Actor> make_sleeper(Stage& stage) { return std::make_unique<Sleeper>(stage); }

std::unique_ptr<Actor> make_rude(Stage& stage) {
  return std::make_unique<Rude>(stage, kRudenesses[stage.draw(kRudenesses.size())]);
}

}  // namespace jackfield::soak
