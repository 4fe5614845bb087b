// The limit that a server of this wire is measured against: the least that it must do.
//
//     bench_limit PORT [--join] [--threads N]
//
// Listens on 127.0.0.1. Without --join each frame is one send() for each subscriber; with it, all
// that came about for a connection in one turn of epoll_wait is. Until a signal ends it.
#include <sys/resource.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/bench/servers/limit/loop.hpp"

namespace {

using jackfield::bench::limit::Failure;
using jackfield::bench::limit::Loop;
using jackfield::bench::limit::Mailbox;

constexpr unsigned kMaxThreads = 64;

unsigned number(std::string_view text, unsigned min, unsigned max) {
  unsigned value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end || value < min || value > max) {
    throw Failure("\"" + std::string(text) + "\" is no number from " + std::to_string(min) +
                  " to " + std::to_string(max));
  }
  return value;
}

struct Options {
  Loop::Options loop;
  unsigned threads = 1;
};

Options read_options(const std::vector<std::string_view>& words) {
  Options options;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--join") {
      options.loop.joins = true;
    } else if (words[i] == "--threads" && i + 1 < words.size()) {
      options.threads = number(words[++i], 1, kMaxThreads);
    } else {
      options.loop.port = static_cast<std::uint16_t>(number(words[i], 1, 65535));
    }
  }
  if (options.loop.port == 0) throw Failure("usage: bench_limit PORT [--join] [--threads N]");
  return options;
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

[[noreturn]] void end(const std::exception& failure) {
  std::fprintf(stderr, "bench_limit: %s\n", failure.what());
  std::_Exit(1);  // other loops may run
}

void run(Loop& loop) {
  try {
    loop.run();
  } catch (const std::exception& failure) {
    end(failure);
  }
}

}  // namespace

int main(int count, char** words) {
  try {
    const Options options = read_options({words + 1, words + count});
    raise_descriptor_limit();
    std::vector<std::unique_ptr<Mailbox>> mailboxes;
    for (unsigned i = 0; i < options.threads; ++i) mailboxes.push_back(std::make_unique<Mailbox>());
    std::vector<std::unique_ptr<Loop>> loops;
    for (const auto& own : mailboxes) {
      std::vector<Mailbox*> others;
      for (const auto& mailbox : mailboxes) {
        if (mailbox != own) others.push_back(mailbox.get());
      }
      loops.push_back(std::make_unique<Loop>(options.loop, *own, std::move(others)));
    }
    std::vector<std::thread> threads;
    for (std::size_t i = 1; i < loops.size(); ++i) {
      threads.emplace_back([&loop = *loops[i]] { run(loop); });
    }
    run(*loops.front());
  } catch (const std::exception& failure) {
    end(failure);
  }
}
