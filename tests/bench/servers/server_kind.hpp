// One kind of server that is measured: how it is started, and how its clients speak. The list of all
// of them is the table of server_kinds.cpp. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tests/bench/load/dialect.hpp"

namespace jackfield::bench {

// Where the parts of the servers lie, as the command line says.
struct Installed {
  std::filesystem::path jackfield;    // the executable
  std::filesystem::path plugins;      // its plugins, built
  std::filesystem::path programs;     // bench programs that were built: the limit
  std::filesystem::path sources;      // tests/bench/servers
  std::filesystem::path packages;     // the folder that has npm's node_modules; may be missing
  std::filesystem::path uwebsockets;  // a binary of servers/uwebsockets/uwebsockets.cpp, or empty
};

// What a server is started for.
struct Launch {
  std::filesystem::path folder;     // for all that it needs to write; is there, and empty
  std::uint16_t port = 0;           // of 127.0.0.1, to listen on
  std::size_t connections = 0;      // at most so many come
  std::size_t subscriptions = 0;    // at most so many each
  bool with_all = false;            // with all that it is shipped with; else what the work needs
  std::string policy{};             // for slow clients, and its usual bounds; empty: none
  bool with_tls = false;            // its port speaks TLS
};

// What is run: the first word is a program, by its path or to be found in $PATH.
using Command = std::vector<std::string>;

class ServerKind {
 public:
  virtual ~ServerKind() = default;

  virtual std::string name() const = 0;     // in tables and behind --server: "nats-server"
  virtual std::string version() const = 0;  // "" where it cannot be told
  // Why it cannot be measured here: "not installed: nats-server"; "" where it can.
  virtual std::string missing() const = 0;
  virtual const Dialect& dialect() const = 0;
  // Whether a launch with all of its plugins is another one.
  virtual bool has_plugins() const { return false; }
  // Whether it is measured over TLS as well.
  virtual bool has_tls() const { return false; }
  // Topics that one connection can hold; more are not asked for.
  virtual std::size_t max_topics() const { return SIZE_MAX; }
  // What it prints when it serves; a server that prints nothing serves when it takes connections.
  virtual std::string ready_word() const { return ""; }
  // Whether it is what the others are there to be compared with: it is held to write no file once it
  // serves, and to end well.
  virtual bool is_subject() const { return false; }
  // Messages of one topic that it takes in one second of the clock; what comes beyond is lost.
  virtual std::size_t max_per_second() const { return SIZE_MAX; }
  // Writes what the server is configured by into the launch's folder. Throws Failure.
  virtual Command prepare(const Launch& launch) const = 0;
  // Looks at what it wrote until it was ready. Throws Failure where that says that something is not
  // there that was to be measured.
  virtual void check_start(const Launch& /*launch*/, const std::string& /*output*/) const {}
};

// In the order of the tables; Jackfield first, then the limits.
std::vector<std::unique_ptr<ServerKind>> server_kinds(const Installed& installed);

}  // namespace jackfield::bench
