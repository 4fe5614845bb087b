#include "tests/bench/support/server_log.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>

namespace jackfield::bench {
namespace {

constexpr std::size_t kTailLines = 20;

// The value of a field as it is written; empty where the line has none.
std::string field(const std::string& line, std::string_view key) {
  const std::string mark = " " + std::string(key) + "=";
  const std::size_t at = line.find(mark);
  if (at == std::string::npos) return {};
  const std::size_t begin = at + mark.size();
  const bool is_quoted = line.compare(begin, 1, "\"") == 0;
  const std::size_t end = line.find(is_quoted ? '"' : ' ', begin + 1);
  return is_quoted ? line.substr(begin + 1, end - begin - 1) : line.substr(begin, end - begin);
}

std::int64_t whole(const std::string& line, std::string_view key) {
  return std::strtoll(field(line, key).c_str(), nullptr, 10);
}

}  // namespace

ServerLog::ServerLog(int descriptor)
    : descriptor_(descriptor), thread_([this] { read_lines(); }) {
  // Room for what comes while this thread does not run; not essential.
  ::fcntl(descriptor, F_SETPIPE_SZ, 1 << 20);
}

ServerLog::~ServerLog() {
  thread_.join();
  ::close(descriptor_);
}

std::optional<ServerLog::Replacement> ServerLog::wait_for_replacement(
    std::string_view plugin, std::uint64_t generation, Clock::duration patience) const {
  std::unique_lock lock(mutex_);
  std::optional<Replacement> found;
  changed_.wait_for(lock, patience, [&] {
    const auto is_it = [&](const Replacement& one) {
      return one.plugin == plugin && one.generation > generation;
    };
    const auto place = std::find_if(replacements_.begin(), replacements_.end(), is_it);
    if (place != replacements_.end()) found = *place;
    return found.has_value();
  });
  return found;
}

ServerLog::Counts ServerLog::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

std::string ServerLog::refusal() const {
  const std::lock_guard lock(mutex_);
  return refusal_;
}

std::string ServerLog::tail() const {
  const std::lock_guard lock(mutex_);
  std::string text;
  for (const std::string& line : tail_) text += line + "\n";
  return text;
}

void ServerLog::read_lines() {
  std::string text;
  std::array<char, 64 << 10> chunk;
  for (;;) {
    const ssize_t size = ::read(descriptor_, chunk.data(), chunk.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return;
    text.append(chunk.data(), static_cast<std::size_t>(size));
    std::size_t begin = 0;
    for (std::size_t end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
      take(text.substr(begin, end - begin));
    }
    text.erase(0, begin);
  }
}

void ServerLog::take(const std::string& line) {
  constexpr std::string_view kDropped = "log lines dropped: ";
  const std::string message = field(line, "msg");
  const std::lock_guard lock(mutex_);
  if (line.starts_with(kDropped)) {
    counts_.dropped += std::strtoul(line.c_str() + kDropped.size(), nullptr, 10);
  } else if (message == "plugin replaced") {
    replacements_.push_back({.plugin = field(line, "plugin"),
                             .generation = static_cast<std::uint64_t>(whole(line, "generation")),
                             .adopted = whole(line, "adopted"),
                             .ended = whole(line, "ended"),
                             .pause_us = whole(line, "pause_us")});
  } else if (message == "plugin unmapped") {
    ++counts_.unmapped;
  } else if (message == "plugin stays mapped") {
    ++counts_.stayed;
  } else if (message == "plugin refused") {
    refusal_ = field(line, "reason");
  }
  tail_.push_back(line);
  if (tail_.size() > kTailLines) tail_.pop_front();
  changed_.notify_all();
}

}  // namespace jackfield::bench
