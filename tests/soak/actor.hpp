// Who takes part in the soak: one connection each, with something it wants to do and something that
// it expects. Made and owned by the Crowd. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "tests/bench/support/figures.hpp"
#include "tests/soak/ledger.hpp"
#include "tests/soak/wire.hpp"

namespace jackfield::soak {

using Clock = bench::Clock;
using std::chrono::milliseconds;

// What all of them share.
struct Stage {
  int epoll = -1;
  std::uint16_t port = 0;
  std::mt19937_64 random;
  Ledger ledger;
  std::vector<std::unique_ptr<Stream>> streams;
  Clock::time_point now;
  bool is_calm = false;  // nothing new is said, so that all that was said can arrive

  std::uint64_t draw(std::uint64_t below) { return random() % below; }
  Clock::duration draw_time(milliseconds least, milliseconds most) {
    const auto span = static_cast<std::uint64_t>((most - least).count()) + 1;
    return least + milliseconds(draw(span));
  }
};

class Actor : public Wire::Owner {
 public:
  explicit Actor(Stage& stage) : stage_(stage) {}

  // Something is due at this time.
  Clock::time_point due() const { return due_; }
  virtual void act() = 0;
  // Comes to its end soon, where it is not here to stay.
  virtual void hurry() {}
  // Nothing is said any more, and time has passed: what was due must be here.
  virtual void settle() {}
  // It has ended, and is removed.
  bool is_over() const { return is_over_; }
  // Stays for good; nobody comes in its place.
  virtual bool is_steady() const { return false; }

  void refused(int status) override;
  void closed(unsigned code) override;
  void ended() override;

 protected:
  static constexpr Clock::time_point kNever = Clock::time_point::max();

  void connect(const Wire::Options& options);
  Wire& wire() { return *wire_; }
  Stage& stage() { return stage_; }
  void complain(const std::string& sentence);
  // Ends without a word to be said about it.
  void leave() { is_over_ = true; }
  void act_in(Clock::duration time) { due_ = stage_.now + time; }
  void rest() { due_ = kNever; }

  virtual std::string name() const = 0;

 private:
  Stage& stage_;
  std::unique_ptr<Wire> wire_;
  Clock::time_point due_ = kNever;
  bool is_over_ = false;
};

// A message that the server sent, taken apart: ["topic","event",payload].
struct Heard {
  std::string_view topic;
  std::string_view event;
  std::string_view payload;
};
Heard take_apart(std::string_view message);
// The number in {"text":"17",...}; 0 where there is none.
std::uint64_t number_in(std::string_view payload);

// Says the messages of one stream and hears them itself.
std::unique_ptr<Actor> make_publisher(Stage& stage, Stream& stream, milliseconds interval);
// Hears some streams to the end.
std::unique_ptr<Actor> make_listener(Stage& stage);
// Hears some streams for a while, and goes in one of several ways.
std::unique_ptr<Actor> make_visitor(Stage& stage);
// Asks, and expects each answer.
std::unique_ptr<Actor> make_asker(Stage& stage);
// Subscribes to what is much, and never reads it.
std::unique_ptr<Actor> make_sleeper(Stage& stage);
// Breaks one of the rules.
std::unique_ptr<Actor> make_rude(Stage& stage);

}  // namespace jackfield::soak
