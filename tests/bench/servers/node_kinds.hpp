// Servers that node runs, out of the folder node/ and with packages from npm. One thread.
#pragma once

#include <filesystem>
#include <string>

#include "tests/bench/servers/jackfield_dialect.hpp"
#include "tests/bench/servers/server_kind.hpp"
#include "tests/bench/servers/socket_io_dialect.hpp"

namespace jackfield::bench {

// The reference server, ws-server.ts, which is not part of the repository: $JACKFIELD_REFERENCE
// names it, or it lies beside the checkout, in shared/seed/.
class ReferenceKind final : public ServerKind {
 public:
  explicit ReferenceKind(const Installed& installed);

  std::string name() const override { return "reference"; }
  std::string version() const override;
  std::string missing() const override;
  const Dialect& dialect() const override { return dialect_; }
  Command prepare(const Launch& launch) const override;

 private:
  const Installed installed_;
  const std::filesystem::path source_;  // ws-server.ts
  const JackfieldDialect dialect_;
};

class SocketIoKind final : public ServerKind {
 public:
  explicit SocketIoKind(const Installed& installed) : installed_(installed) {}

  std::string name() const override { return "socket.io"; }
  std::string version() const override;
  std::string missing() const override;
  const Dialect& dialect() const override { return dialect_; }
  Command prepare(const Launch& launch) const override;

 private:
  const Installed installed_;
  const SocketIoDialect dialect_;
};

}  // namespace jackfield::bench
