// The base of the groups whose server is given another configuration while it runs, by SIGHUP.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "tests/support/server_group.hpp"

namespace jackfield::test {

class ReconfigurationGroup : public ServerGroup {
 protected:
  // A further table: the file is not read but for SIGHUP, so that a test knows how often.
  static constexpr const char* kUnwatched = "[configuration]\nwatch = false\n";

  // Starts the server with `options`, which the test may change then, and a file that is not
  // watched.
  void begin(ServerOptions wanted, Where where = Where::here());

  // Writes the configuration file.
  void write(const std::string& text);

  // Has the file read, and gives the line that says what came of it.
  std::string hang_up(Where where = Where::here());

  // Writes the options as they are now, and has them read; gives the line.
  std::string change(Where where = Where::here());
  // The same; just these keys, "a.b,c.d", must be what changed.
  void change(const std::string& keys, Where where = Where::here());
  void expect_unchanged(Where where = Where::here());

  // Lines of the log so far.
  std::size_t count(std::initializer_list<std::string_view> parts);

  ServerOptions options;
  std::size_t readings = 0;  // by hang_up
};

}  // namespace jackfield::test
