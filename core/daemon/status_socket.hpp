// Where a running server can be asked for its status: a Unix socket in its runtime folder. Whoever
// connects is sent the whole status at once, and the connection ends; nothing is read. Loop thread.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "core/base/acceptor.hpp"
#include "core/base/descriptor.hpp"
#include "core/base/log.hpp"
#include "core/base/loop.hpp"
#include "core/base/result.hpp"
#include "core/daemon/status.hpp"

namespace jackfield::daemon {

// The socket's name in the runtime folder.
inline constexpr const char* kStatusSocketName = "status";

class StatusSocket {
 public:
  using Source = std::function<Status()>;

  // Listens on `path`, which only this user may connect to. Fails with a sentence, also where the
  // path is longer than unix(7) allows. The loop and the log outlive it.
  static base::Result<std::unique_ptr<StatusSocket>> open(const std::filesystem::path& path,
                                                          base::Loop& loop, base::Log& log,
                                                          Source source);
  // Removes the socket.
  ~StatusSocket();
  StatusSocket(const StatusSocket&) = delete;
  StatusSocket& operator=(const StatusSocket&) = delete;

 private:
  StatusSocket(std::filesystem::path path, base::Descriptor socket, base::Loop& loop,
               base::Log& log, Source source);
  void answer(const base::Descriptor& peer) const;

  const std::filesystem::path path_;
  const base::Descriptor socket_;
  const Source source_;
  base::Acceptor acceptor_;
};

// Asks the server whose socket this is. Fails with a sentence where nobody answers within 5
// seconds.
base::Result<Status> ask_for_status(const std::filesystem::path& path);

}  // namespace jackfield::daemon
