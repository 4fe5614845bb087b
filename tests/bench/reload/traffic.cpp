#include "tests/bench/reload/traffic.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "tests/bench/support/machine.hpp"

namespace jackfield::bench {
namespace {

// For what is on its way when it ends.
constexpr std::chrono::seconds kLastPatience{5};

bool has(std::string_view message, std::string_view part) {
  return message.find(part) != std::string_view::npos;
}

// The number in a text that send_what_is_due() made; 0 where there is none.
std::int64_t number_in(std::string_view message) {
  constexpr std::string_view kMark = "\"text\":\"";
  const std::size_t at = message.find(kMark);
  std::int64_t number = 0;
  if (at == std::string_view::npos) return 0;
  const std::string_view digits = message.substr(at + kMark.size());
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

}  // namespace

Traffic::Traffic(std::uint16_t port, Subject subject, const Shape& shape)
    : subject_(std::move(subject)), shape_(shape) {
  const std::string probe_topic = subject_.prefix + "probe";
  probe_head_ = "[\"" + probe_topic + "\",\"" + subject_.probe + "\",{\"text\":\"";
  probe_answer_ = "[\"" + probe_topic + "\",\"" + subject_.probe_answer + "\",";
  say_head_ = "[\"" + topic(0) + "\",\"say\",{\"text\":\"";
  said_ = "[\"" + topic(0) + "\",\"said\",";
  for (std::size_t i = 0; i < shape_.subscribers; ++i) {
    clients_.push_back({WsConnection(port)});
    subscribe(clients_.back(), shape_.topics);
  }
  if (shape_.probe_interval.count() > 0) {
    clients_.push_back({WsConnection(port), true});
    subscribe(clients_.back(), 0);
  }
}

Traffic::~Traffic() {
  is_ending_ = true;
  if (thread_.joinable()) thread_.join();
}

std::string Traffic::topic(std::size_t number) const {
  return subject_.prefix + "crowd-" + std::to_string(number);
}

std::size_t Traffic::subscriptions() const {
  return shape_.subscribers * shape_.topics + (shape_.probe_interval.count() > 0 ? 1 : 0);
}

// Many requests are on their way at a time, but never so many that one of both sides waits for the
// other.
void Traffic::subscribe(Client& client, std::size_t topics) const {
  constexpr std::size_t kAtOnce = 50;
  std::vector<std::string> wanted;
  for (std::size_t i = 0; i < topics; ++i) wanted.push_back(topic(i));
  if (client.is_probe) wanted.push_back(subject_.prefix + "probe");
  std::size_t confirmed = 0;
  for (std::size_t sent = 0; confirmed < wanted.size();) {
    for (; sent < wanted.size() && sent - confirmed < kAtOnce; ++sent) {
      client.connection.send("[\"" + wanted[sent] + "\",\"subscribe\",{}]");
    }
    const std::string_view message = client.connection.receive();
    if (has(message, "\",\"error\",")) throw Failure("a subscribe fails: " + std::string(message));
    if (has(message, "\",\"subscribed\",")) ++confirmed;
  }
}

void Traffic::start() {
  const auto now = Clock::now();
  next_probe_ = now;
  next_broadcast_ = now;
  thread_ = std::thread([this] {
    stay_on(shape_.cores);
    try {
      run();
    } catch (const Failure& failure) {
      failure_ = failure.what();
      has_failed_ = true;
    }
  });
}

void Traffic::stop() {
  is_ending_ = true;
  thread_.join();
  check();
  if (shape_.broadcast_interval.count() == 0) return;
  messages_.expected = said_count_ * static_cast<std::int64_t>(shape_.subscribers);
  for (const Client& client : clients_) {
    if (!client.is_probe) messages_.lost += said_count_ - client.last;
  }
}

void Traffic::check() const {
  if (has_failed_) throw Failure(failure_);
}

void Traffic::run() {
  const int poll = ::epoll_create1(EPOLL_CLOEXEC);
  for (std::size_t i = 0; i < clients_.size(); ++i) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = i;
    ::epoll_ctl(poll, EPOLL_CTL_ADD, clients_[i].connection.descriptor(), &event);
  }
  try {
    while (!is_ending_) {
      const auto now = Clock::now();
      send_what_is_due(now);
      turn(poll, now);
    }
    const auto end = Clock::now() + kLastPatience;
    for (auto now = Clock::now(); now < end && !is_all_here(); now = Clock::now()) {
      next_probe_ = next_broadcast_ = now + std::chrono::milliseconds(1);
      turn(poll, now);
    }
  } catch (...) {
    ::close(poll);
    throw;
  }
  ::close(poll);
}

// Waits, unless it spins, until a message comes or one is to be sent.
void Traffic::turn(int poll, Clock::time_point now) {
  int milliseconds = 0;
  if (!shape_.spins) {
    auto next = now + std::chrono::milliseconds(100);
    if (shape_.probe_interval.count() > 0) next = std::min(next, next_probe_);
    if (shape_.broadcast_interval.count() > 0) next = std::min(next, next_broadcast_);
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - now).count();
    milliseconds = static_cast<int>(std::max<std::int64_t>(left, 0));
  }
  std::array<epoll_event, 64> events;
  const int count = ::epoll_wait(poll, events.data(), events.size(), milliseconds);
  for (int i = 0; i < count; ++i) take(clients_[events[static_cast<std::size_t>(i)].data.u64]);
  for (Client& client : clients_) {
    if (client.connection.has_unsent()) client.connection.flush();
  }
}

void Traffic::send_what_is_due(Clock::time_point now) {
  if (shape_.probe_interval.count() > 0) {
    for (; next_probe_ <= now; next_probe_ += shape_.probe_interval) {
      samples_.push_back({next_probe_, Clock::now(), {}});
      clients_.back().connection.send(probe_head_ + std::to_string(samples_.size()) + "\"}]");
    }
  }
  if (shape_.broadcast_interval.count() > 0) {
    for (; next_broadcast_ <= now; next_broadcast_ += shape_.broadcast_interval) {
      clients_.front().connection.send(say_head_ + std::to_string(++said_count_) + "\"}]");
    }
  }
}

void Traffic::take(Client& client) {
  if (!client.connection.read()) return;
  const auto now = Clock::now();
  while (const auto message = client.connection.next()) take_message(client, *message, now);
}

void Traffic::take_message(Client& client, std::string_view message, Clock::time_point now) {
  if (client.is_probe && message.starts_with(probe_answer_)) {
    const auto number = static_cast<std::size_t>(number_in(message));
    if (number == 0 || number > samples_.size()) return;
    Sample& sample = samples_[number - 1];
    if (sample.received != Clock::time_point()) {
      ++messages_.misplaced;
      return;
    }
    sample.received = now;
    ++answered_;
  } else if (!client.is_probe && message.starts_with(said_)) {
    const std::int64_t number = number_in(message);
    if (number <= client.last) {
      ++messages_.misplaced;
      return;
    }
    messages_.lost += number - client.last - 1;
    client.last = number;
  } else if (has(message.substr(0, 200), "\",\"error\",")) {
    if (messages_.errors++ == 0) messages_.error = std::string(message);
  }
}

bool Traffic::is_all_here() const {
  const auto has_all = [this](const Client& client) {
    return client.is_probe ? answered_ == samples_.size()
                           : client.last == said_count_ || shape_.broadcast_interval.count() == 0;
  };
  return std::all_of(clients_.begin(), clients_.end(), has_all);
}

}  // namespace jackfield::bench
