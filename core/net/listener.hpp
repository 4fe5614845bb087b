// A listening socket: TCP or Unix. Loop thread.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>

#include "core/base/acceptor.hpp"
#include "core/base/descriptor.hpp"
#include "core/base/log.hpp"
#include "core/base/loop.hpp"
#include "core/base/result.hpp"
#include "core/net/counts.hpp"
#include "core/net/settings.hpp"

namespace jackfield::net {

class Listener {
 public:
  // Takes over the descriptor of an accepted connection.
  using Accepted = std::function<void(int descriptor)>;

  // Binds and listens: peers can connect, and wait for `begin`. `unix_mode` is that of a Unix
  // socket. Fails with one sentence.
  static base::Result<std::unique_ptr<Listener>> open(const Endpoint& endpoint, base::Loop& loop,
                                                      base::Log& log, Counts& counts,
                                                      Accepted accepted, unsigned unix_mode = 0600);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // Makes a Unix socket that user's and group's; only root can. Nothing for others. Fails with one
  // sentence.
  base::Status give_to(uid_t user, gid_t group);

  // Accepts from now on.
  void begin() { acceptor_.begin(); }

  // With the port that was given where it asked for any.
  const Endpoint& endpoint() const { return endpoint_; }

 private:
  Listener(Endpoint endpoint, base::Descriptor socket, base::Loop& loop, base::Log& log,
           Counts& counts, Accepted accepted);

  void accept(base::Descriptor peer);

  Endpoint endpoint_;
  const base::Descriptor socket_;
  base::Log& log_;
  const Accepted accepted_;
  base::Acceptor acceptor_;
};

// "ws://127.0.0.1:3001/", "wss://127.0.0.1:3443/" or "unix:/path".
std::string to_url(const Endpoint& endpoint, const std::string& path);

}  // namespace jackfield::net
