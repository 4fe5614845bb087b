// Servers that were written for this benchmark, in C++, and speak Jackfield's wire. One thread.
#pragma once

#include <filesystem>
#include <string>

#include "tests/bench/servers/jackfield_dialect.hpp"
#include "tests/bench/servers/server_kind.hpp"

namespace jackfield::bench {

// bench_limit. `programs` is the folder that it lies in.
class LimitKind final : public ServerKind {
 public:
  LimitKind(const std::filesystem::path& programs, bool joins, unsigned threads = 1);

  std::string name() const override { return joins_ ? "limit-joined" : "limit"; }
  std::string version() const override { return {}; }
  std::string missing() const override;
  const Dialect& dialect() const override { return dialect_; }
  Command prepare(const Launch& launch) const override;

 private:
  const std::filesystem::path program_;
  const bool joins_;
  const unsigned threads_;
  const JackfieldDialect dialect_;
};

// uwebsockets/uwebsockets.cpp, as the user has built it.
class UwebsocketsKind final : public ServerKind {
 public:
  explicit UwebsocketsKind(const Installed& installed) : program_(installed.uwebsockets) {}

  std::string name() const override { return "uwebsockets"; }
  std::string version() const override { return {}; }
  std::string missing() const override;
  const Dialect& dialect() const override { return dialect_; }
  Command prepare(const Launch& launch) const override;

 private:
  const std::filesystem::path program_;
  const JackfieldDialect dialect_;
};

}  // namespace jackfield::bench
