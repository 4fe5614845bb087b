// Jackfield, with its plugin echo. One thread.
#pragma once

#include <string>

#include "tests/bench/servers/jackfield_dialect.hpp"
#include "tests/bench/servers/server_kind.hpp"

namespace jackfield::bench {

class JackfieldKind final : public ServerKind {
 public:
  explicit JackfieldKind(const Installed& installed) : installed_(installed) {}

  std::string name() const override { return "jackfield"; }
  std::string version() const override;
  std::string missing() const override;
  const Dialect& dialect() const override { return dialect_; }
  std::string ready_word() const override { return "\nready\n"; }
  bool is_subject() const override { return true; }
  bool has_plugins() const override { return true; }
  bool has_tls() const override { return true; }
  Command prepare(const Launch& launch) const override;
  // Whether its plugins were loaded.
  void check_start(const Launch& launch, const std::string& output) const override;

 private:
  const Installed installed_;
  const JackfieldDialect dialect_;
};

}  // namespace jackfield::bench
