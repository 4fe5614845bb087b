// How the clients of one kind of server speak over their WebSockets: what they send to subscribe and
// to publish, and how what comes back is told apart. One for each kind of server, shared by all of
// its connections: no state. One thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace jackfield::bench {

// What one read of a connection's bytes came to.
class Inbox {
 public:
  virtual ~Inbox() = default;
  // The server has taken what `greet` said: subscriptions may follow.
  virtual void ready() = 0;
  // One subscribe (or unsubscribe) is confirmed. Where the protocol does not say which, it is said
  // that it was a subscribe.
  virtual void subscribed() = 0;
  virtual void unsubscribed() = 0;
  // A published or echoed message; `body` is what was published, octet for octet.
  virtual void message(std::string_view body) = 0;
  // To be sent at once, a frame's payload: the answer to a ping of the protocol.
  virtual void answer(std::string_view payload) = 0;
  // The server says that something is wrong: the benchmark ends with it.
  virtual void error(std::string_view text) = 0;
};

class Dialect {
 public:
  virtual ~Dialect() = default;

  struct Opening {
    std::string target;       // of the request: "/"
    std::string subprotocol;  // "" for none
  };
  // `topics`: those that the connection is going to subscribe to, for a server where that is said
  // in the request.
  virtual Opening opening(const std::vector<std::string>& topics) const = 0;
  // Of a connection that subscribes to nothing and is going to publish to these.
  virtual Opening publisher_opening(const std::vector<std::string>& /*topics*/) const {
    return opening({});
  }
  virtual bool is_binary() const = 0;  // the frames that clients send

  // Each appends the payloads of frames to `frames`; none where the protocol has nothing to say.
  using Frames = std::vector<std::string>;
  // The first words of a connection. Where none are appended the connection is ready at once, unless
  // `waits_for_greeting`.
  virtual void greet(Frames& frames) const = 0;
  // The server speaks first: the connection is ready when the inbox hears so.
  virtual bool waits_for_greeting() const = 0;
  // Whether subscribe (unsubscribe) is confirmed. Where it is not, it is done with the opening.
  virtual bool confirms() const = 0;
  virtual void subscribe(std::string_view topic, std::size_t number, Frames& frames) const = 0;
  virtual void unsubscribe(std::string_view topic, std::size_t number, Frames& frames) const = 0;
  // Asks that every subscriber of the topic, the sender too where it subscribed, gets the body. It is
  // JSON text of one line: {"text":"…"}.
  virtual void publish(std::string_view topic, std::string_view body, Frames& frames) const = 0;
  // Asks that the sender alone gets the body back. It has subscribed to the topic, and nobody else
  // has, so a server that knows only topics publishes.
  virtual void echo(std::string_view topic, std::string_view body, Frames& frames) const = 0;

  // Reads what frames brought and tells the inbox. `bytes` is one frame's payload, with what was left
  // of those before it in front; `body_size` is the size of the bodies that are under way. The number
  // of octets that are done with: what is left comes again with more.
  virtual std::size_t read(std::string_view bytes, std::size_t body_size, Inbox& inbox) const = 0;
};

}  // namespace jackfield::bench
