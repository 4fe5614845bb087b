#include "core/base/acceptor.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include "core/base/shortage.hpp"

namespace jackfield::base {
namespace {

constexpr int kAcceptsPerTurn = 64;  // then the others have their turn

}  // namespace

Acceptor::Acceptor(int socket, std::string name, Loop& loop, Log& log, std::uint64_t* rests,
                   Accepted accepted)
    : socket_(socket),
      name_(std::move(name)),
      loop_(loop),
      log_(log),
      rests_(rests),
      accepted_(std::move(accepted)) {}

Acceptor::~Acceptor() {
  if (resting_ != 0) loop_.cancel_timer(resting_);
  loop_.unwatch(watch_);
}

void Acceptor::begin() {
  if (!watch()) rest("the loop cannot watch it");
}

bool Acceptor::watch() {
  watch_ = loop_.watch(socket_, [this] { take_in(); });
  return watch_ != 0;
}

void Acceptor::take_in() {
  if (const int error = accept_some(); error != 0) rest(std::strerror(error));
}

// What is out, or 0. There may be more to accept then.
int Acceptor::accept_some() {
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    Descriptor peer(::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!peer.is_open()) {
      if (errno == EAGAIN || errno == EWOULDBLOCK) return 0;
      if (is_shortage(errno)) return errno;
      continue;  // of that one connection (accept(2)): the next may be sound
    }
    try {
      accepted_(std::move(peer));
    } catch (const std::bad_alloc&) {
      return ENOMEM;
    }
  }
  return 0;
}

// The timer repeats, so that nothing which fails in one try can be the last one.
void Acceptor::rest(const char* reason) {
  if (resting_ != 0) return;
  resting_ = loop_.start_timer(kRest, kRest, [this] {
    if (accept_some() == 0) go_on();
  });
  loop_.unwatch(std::exchange(watch_, 0));
  if (rests_ != nullptr) ++*rests_;
  log_.warning("accepting rests", {{"listen", name_}, {"reason", reason}});
}

void Acceptor::go_on() {
  if (!watch()) return;
  loop_.cancel_timer(std::exchange(resting_, 0));
  log_.info("accepting goes on", {{"listen", name_}});
}

}  // namespace jackfield::base
