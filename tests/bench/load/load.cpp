#include "tests/bench/load/load.hpp"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace jackfield::bench {
namespace {

volatile sig_atomic_t interrupted = 0;

}  // namespace

std::size_t raise_descriptor_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<std::size_t>(limit.rlim_cur);
}

void catch_interrupts() {
  struct sigaction action {};
  action.sa_handler = [](int) { interrupted = 1; };
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaction(signal, &action, nullptr);
}

void check_interrupted() {
  if (interrupted != 0) throw Interrupted();
}

Load::Load(const Dialect& dialect, std::uint16_t port)
    : dialect_(dialect), port_(port), buffer_(new char[kBuffer]), now_(Clock::now()) {
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ < 0) throw Failure("no epoll: " + std::string(std::strerror(errno)));
}

Load::~Load() {
  for (const auto& connection : connections_) connection->reset_at_close();
  connections_.clear();
  ::close(epoll_);
}

void Load::close_all() {
  dirty_.clear();
  connections_.clear();
  opening_ = 0;
  unconfirmed_ = 0;
}

void Load::set_listener(Listener* listener, std::size_t body_size) {
  listener_ = listener;
  body_size_ = body_size;
}

void Load::open(std::size_t count, const TopicsOf& topics) {
  connections_.reserve(connections_.size() + count);
  for (std::size_t i = 0; i < count; ++i) {
    open_one(dialect_.opening(topics(connections_.size())));
    turn_until([this] { return opening_ < kOpening; }, "a connection is not answered");
  }
  turn_until([this] { return opening_ == 0; }, "a connection is not answered");
}

void Load::open_publisher(const std::vector<std::string>& topics) {
  open_one(dialect_.publisher_opening(topics));
  turn_until([this] { return opening_ == 0; }, "a connection is not answered");
}

void Load::open_one(const Dialect::Opening& opening) {
  connections_.push_back(std::make_unique<LoadConnection>(*this, connections_.size()));
  connections_.back()->connect(port_, opening);
  ++opening_;
}

void Load::open_subscribed(std::size_t count, const TopicsOf& topics) {
  const std::size_t first = connections_.size();
  open(count, topics);
  subscribe(first, count, topics);
}

void Load::subscribe(std::size_t first, std::size_t count, const TopicsOf& topics) {
  change_subscriptions(first, count, topics, true);
}

void Load::unsubscribe(std::size_t first, std::size_t count, const TopicsOf& topics) {
  change_subscriptions(first, count, topics, false);
}

void Load::change_subscriptions(std::size_t first, std::size_t count, const TopicsOf& topics,
                                bool is_subscribe) {
  const std::string what = is_subscribe ? "a subscribe is not confirmed"
                                        : "an unsubscribe is not confirmed";
  for (std::size_t index = first; index < first + count; ++index) {
    std::size_t number = 0;
    for (const std::string& topic : topics(index)) {
      LoadConnection& connection = *connections_[index];
      if (dialect_.confirms()) ++unconfirmed_;
      if (is_subscribe) {
        connection.subscribe(topic, number++);
      } else {
        connection.unsubscribe(topic, number++);
      }
      if (unconfirmed_ < kUnconfirmed) continue;
      turn_until([this] { return unconfirmed_ < kUnconfirmed / 2; }, what);
    }
  }
  turn_until([this] { return unconfirmed_ == 0 && dirty_.empty(); }, what);
}

void Load::flush() {
  // A flush never makes another connection dirty.
  for (LoadConnection* connection : dirty_) connection->flush_at_turn();
  dirty_.clear();
}

std::size_t Load::turn(Clock::duration timeout) {
  std::array<epoll_event, kEvents> events;
  const std::uint64_t before = messages_;
  flush();
  const auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(timeout).count();
  const int count =
      ::epoll_wait(epoll_, events.data(), static_cast<int>(kEvents), static_cast<int>(wait));
  if (count < 0) check_interrupted();
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    static_cast<LoadConnection*>(event.data.ptr)->take_events(event.events);
  }
  flush();
  return static_cast<std::size_t>(messages_ - before);
}

void Load::drain() {
  std::uint64_t seen = 0;
  do {
    seen = received_;
    turn(Clock::duration::zero());
  } while (received_ != seen);
}

void Load::turn_until(const std::function<bool()>& is_done, const std::string& what,
                      Clock::duration patience) {
  constexpr std::chrono::milliseconds kLook{100};
  const auto fail_after = [&what](std::chrono::seconds time) {
    throw Failure(what + " within " + std::to_string(time.count()) + " s");
  };
  std::uint64_t seen = received_;
  const auto last = Clock::now() + kMost;
  auto end = Clock::now() + patience;
  while (!is_done()) {
    turn(kLook);
    check_interrupted();
    const auto now = Clock::now();
    if (now >= last) fail_after(kMost);
    if (received_ != seen) {
      seen = received_;
      end = now + patience;
    } else if (now >= end) {
      fail_after(std::chrono::duration_cast<std::chrono::seconds>(patience));
    }
  }
}

}  // namespace jackfield::bench
