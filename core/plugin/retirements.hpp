// Generations on their way out: ended, stopped on a thread of their own, their image unmapped; and
// the count of those that are gone and of those that stayed, with the reason. Loop thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/log.hpp"
#include "core/base/loop.hpp"
#include "core/plugin/errands.hpp"
#include "core/plugin/generation.hpp"

namespace jackfield::plugin {

class Retirements {
 public:
  static constexpr std::size_t kMaxStayed = 100;

  // An image that is still mapped, and why.
  struct Stayed {
    std::string plugin;
    std::string version;
    std::uint64_t generation = 0;
    std::string reason;
  };

  // All of them outlive it.
  Retirements(base::Loop& loop, base::Log& log, Errands& errands)
      : loop_(loop), log_(log), errands_(errands) {}
  Retirements(const Retirements&) = delete;
  Retirements& operator=(const Retirements&) = delete;

  // Takes a generation that serves nobody any more: its subscriptions are ended or handed over.
  // Where its `stop` takes longer than `patience`, it is said.
  void begin(std::unique_ptr<Generation> generation, std::chrono::milliseconds patience);

  // Code of one may run for as long as the process: it must end without destructors.
  bool has_left_behind() const { return has_left_behind_; }
  std::size_t under_way() const { return under_way_; }
  std::uint64_t unmapped() const { return unmapped_; }
  // The last kMaxStayed of them, and how many there were.
  const std::deque<Stayed>& stayed() const { return stayed_; }
  std::uint64_t stayed_count() const { return stayed_count_; }

 private:
  struct Leaving;

  void stop(const std::shared_ptr<Leaving>& leaving);
  void unload(const std::shared_ptr<Leaving>& leaving);
  void leave_behind(const std::shared_ptr<Leaving>& leaving, const std::string& why);
  void end(const std::shared_ptr<Leaving>& leaving);
  void say(base::LogLevel level, std::string_view message, const Generation& generation,
           std::string_view reason);

  base::Loop& loop_;
  base::Log& log_;
  Errands& errands_;
  std::size_t under_way_ = 0;
  bool has_left_behind_ = false;
  std::uint64_t unmapped_ = 0;
  std::uint64_t stayed_count_ = 0;
  std::deque<Stayed> stayed_;
};

}  // namespace jackfield::plugin
