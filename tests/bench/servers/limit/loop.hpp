// One loop of the limit, which is the least that a WebSocket server must do: a listener, its
// connections, and nothing between them and the kernel but epoll, recv and send. Several loops may
// listen on one port; what one hears it hands to the others. A loop belongs to the thread that runs
// it; only its mailbox is for others too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tests/bench/servers/limit/delivery.hpp"
#include "tests/bench/servers/limit/topics.hpp"

namespace jackfield::bench::limit {

struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A broadcast that another loop has heard.
struct Letter {
  std::string topic;
  Octets payload;
};

// Letters for one loop. Any thread.
class Mailbox {
 public:
  Mailbox();
  ~Mailbox();
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  int descriptor() const { return event_; }  // readable where letters are there
  void put(const std::vector<Letter>& letters);
  std::vector<Letter> take();

 private:
  const int event_;
  std::mutex mutex_;
  std::vector<Letter> letters_;
};

class Loop {
 public:
  struct Options {
    std::uint16_t port = 0;  // of 127.0.0.1
    bool joins = false;
  };

  // `mailbox`: its own; `others`: those of the other loops. They outlive it. Throws Failure.
  Loop(const Options& options, Mailbox& mailbox, std::vector<Mailbox*> others);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Never returns. Throws Failure.
  [[noreturn]] void run();

 private:
  void listen(std::uint16_t port);
  void watch(int descriptor, void* what) const;
  void accept();
  void read(Connection& connection);
  // How much of it is done with.
  std::size_t take(Connection& connection, char* octets, std::size_t size);
  std::size_t upgrade(Connection& connection, std::string_view request);
  void frame(Connection& connection, unsigned opcode, std::string_view payload);
  void message(Connection& connection, std::string_view text);
  void say(std::string_view topic, std::string_view payload);
  void push(Connection& connection, std::string_view topic, std::string_view event,
            std::string_view payload);
  void read_letters();
  void end_turn();

  int epoll_ = -1;
  int listener_ = -1;
  Mailbox& mailbox_;
  const std::vector<Mailbox*> others_;
  std::vector<Letter> letters_;  // of this turn, for the others
  Topics topics_;
  std::unordered_map<const Connection*, std::unique_ptr<Connection>> connections_;
  std::unique_ptr<Delivery> delivery_;
  std::vector<char> buffer_;
  std::string scratch_;
};

}  // namespace jackfield::bench::limit
