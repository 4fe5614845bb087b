// One connection of the soak to the server: connects, asks for the upgrade, reads and writes frames,
// all without waiting, driven by epoll. What goes wrong is told to its owner, never thrown: many
// of these connections are meant to go wrong. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "tests/bench/load/frames.hpp"

namespace jackfield::soak {

class Wire {
 public:
  // What its owner is told. None of them is called from within a function of the wire but `take`.
  class Owner {
   public:
    virtual ~Owner() = default;
    // The server took the upgrade.
    virtual void opened() = 0;
    // It answered with something else, and may close now.
    virtual void refused(int status) = 0;
    virtual void message(std::string_view text) = 0;
    // A Close frame came (it has been answered); 0 where it has no code.
    virtual void closed(unsigned code) = 0;
    // The connection has ended, in whatever way. Nothing comes after it.
    virtual void ended() = 0;
  };

  struct Options {
    std::uint16_t port = 0;
    std::string request;     // instead of a right one; empty: a right one
    int receive_buffer = 0;  // octets; 0: the system's
  };

  // Begins to connect; `epoll` tells of it by a pointer to this.
  Wire(int epoll, const Options& options, Owner& owner);
  ~Wire();
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  // The right request of a client.
  static std::string right_request(std::uint16_t port);

  void send(std::string_view text) { send_frame(bench::Opcode::kText, text); }
  void send_frame(bench::Opcode opcode, std::string_view payload);
  // As they are: whole frames, halves of them, rubbish.
  void send_octets(std::string_view octets);
  void send_close(unsigned code);

  // What the server sends is left with it from now on.
  void stop_reading();
  // The server gets a reset.
  void reset();
  // Nothing more is sent, what comes is still read.
  void finish_writing();

  bool has_ended() const { return socket_ < 0; }
  // Octets that the system did not take yet.
  std::size_t unsent() const { return unsent_.size(); }

  // epoll has something to tell.
  void take(std::uint32_t events);

 private:
  enum class State : std::uint8_t { kConnecting, kUpgrading, kOpen, kRefused };

  void flush();
  void read();
  void take_response();
  void take_frames();
  void take_frame(const bench::Frame& frame);
  void end();
  void wait_for(std::uint32_t events);

  const int epoll_;
  Owner& owner_;
  int socket_ = -1;
  State state_ = State::kConnecting;
  bool is_reading_ = true;
  bool has_sent_close_ = false;
  std::uint32_t waited_for_ = 0;
  std::string unsent_;
  std::string received_;
  std::string fragments_;
};

}  // namespace jackfield::soak
