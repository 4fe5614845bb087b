// All that take part in the soak, driven by epoll on the calling thread: those that stay, and those
// that come and go, for each of whom another one comes. One thread.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "tests/soak/actor.hpp"

namespace jackfield::soak {

class Crowd {
 public:
  struct Shape {
    std::size_t streams = 12;
    std::size_t listeners = 100;
    std::size_t askers = 50;
    std::size_t visitors = 100;
    std::size_t sleepers = 10;
    std::size_t rude = 40;
    milliseconds interval{50};  // between the messages of a stream
    std::uint64_t seed = 1;
  };

  Crowd(std::uint16_t port, const Shape& shape);
  ~Crowd();
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

  // Goes on until then; calls `each` about every millisecond.
  void run(Clock::time_point end, const std::function<void(Clock::time_point now)>& each);

  // Has those who come and go end, nobody come, and nothing more be said, until all that is due is
  // here. What is not, is lost. Then only those are connected that stay.
  void calm_down();
  void go_on();

  std::size_t size() const { return actors_.size(); }
  const Ledger& ledger() const { return stage_.ledger; }

 private:
  using Make = std::unique_ptr<Actor> (*)(Stage&);
  struct Kind {
    Make make;
    std::size_t wanted;
    std::size_t here;
  };
  struct Member {
    std::unique_ptr<Actor> actor;
    Kind* kind;  // null: a publisher
  };

  void fill_up();
  void turn(int timeout_ms);
  bool is_all_heard() const;

  Stage stage_;
  std::vector<Kind> kinds_;
  std::vector<Member> actors_;
};

}  // namespace jackfield::soak
