// A server of the benchmark's wire upon uWebSockets, with its own topics: what a user would write.
//
//     uwebsockets PORT
//
// It is not built with the project, which has no uWebSockets; README.md, two folders up, has the
// command. Listens on 127.0.0.1 until a signal ends it.
#include <App.h>
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

namespace {

struct Message {
  std::string_view topic;
  std::string_view event;
  std::string_view payload;
};

// ["topic","event",payload], as clients of the benchmark write it: no white space around the parts,
// no escapes in the first two.
std::optional<Message> read_message(std::string_view text) {
  constexpr std::string_view kBetween = "\",\"";
  constexpr std::string_view kBeforePayload = "\",";
  if (!text.starts_with("[\"") || !text.ends_with(']')) return std::nullopt;
  text = text.substr(2, text.size() - 3);
  const std::size_t topic_end = text.find(kBetween);
  if (topic_end == std::string_view::npos) return std::nullopt;
  const std::size_t event_begin = topic_end + kBetween.size();
  const std::size_t event_end = text.find(kBeforePayload, event_begin);
  if (event_end == std::string_view::npos) return std::nullopt;
  return Message{text.substr(0, topic_end), text.substr(event_begin, event_end - event_begin),
                 text.substr(event_end + kBeforePayload.size())};
}

std::string write_message(std::string_view topic, std::string_view event,
                          std::string_view payload) {
  std::string text;
  text.reserve(topic.size() + event.size() + payload.size() + 8);
  text.append("[\"").append(topic).append("\",\"").append(event).append("\",");
  text.append(payload).append("]");
  return text;
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

struct Nothing {};
using Socket = uWS::WebSocket<false, true, Nothing>;

void take(uWS::App& app, Socket& socket, std::string_view text) {
  const std::optional<Message> message = read_message(text);
  if (!message) {
    std::fputs("uwebsockets: a client sends what is no message\n", stderr);
    socket.end(1008);
    return;
  }
  const auto [topic, event, payload] = *message;
  if (event == "say") {
    app.publish(topic, write_message(topic, "said", payload), uWS::OpCode::TEXT, false);
  } else if (event == "echo") {
    socket.send(write_message(topic, "echoed", payload), uWS::OpCode::TEXT, false);
  } else if (event == "subscribe") {
    socket.subscribe(topic);
    socket.send(write_message(topic, "subscribed", "{}"), uWS::OpCode::TEXT, false);
  } else if (event == "unsubscribe") {
    socket.unsubscribe(topic);
    socket.send(write_message(topic, "unsubscribed", "{}"), uWS::OpCode::TEXT, false);
  }
}

}  // namespace

int main(int count, char** words) {
  const int port = count == 2 ? std::atoi(words[1]) : 0;
  if (port <= 0 || port > 65535) {
    std::fputs("usage: uwebsockets PORT\n", stderr);
    return 1;
  }
  raise_descriptor_limit();

  // What costs least, and nothing dropped: no compression, no timers, room for all that waits.
  uWS::App::WebSocketBehavior<Nothing> behavior;
  behavior.compression = uWS::DISABLED;
  behavior.maxPayloadLength = 1 << 20;
  behavior.maxBackpressure = 256 << 20;
  behavior.idleTimeout = 0;
  behavior.sendPingsAutomatically = false;
  uWS::App app;
  behavior.message = [&app](Socket* socket, std::string_view text, uWS::OpCode) {
    take(app, *socket, text);
  };
  app.ws<Nothing>("/*", std::move(behavior)).listen("127.0.0.1", port, [](auto* listener) {
    if (listener != nullptr) return;
    std::fputs("uwebsockets: cannot listen\n", stderr);
    std::exit(1);
  });
  app.run();
}
