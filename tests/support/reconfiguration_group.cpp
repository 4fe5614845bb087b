#include "tests/support/reconfiguration_group.hpp"

#include <csignal>
#include <utility>

namespace jackfield::test {

void ReconfigurationGroup::begin(ServerOptions wanted, Where where) {
  options = std::move(wanted);
  options.tables = kUnwatched + options.tables;
  start(options, where);
}

void ReconfigurationGroup::write(const std::string& text) {
  server().folder().write("jackfield.toml", text);
}

std::string ReconfigurationGroup::hang_up(Where where) {
  server().process().signal(SIGHUP);
  return server().wait_for_logs(++readings, {"msg=\"configuration ", "file="}, where);
}

std::string ReconfigurationGroup::change(Where where) {
  write(configuration_text(server().folder(), options));
  return hang_up(where);
}

void ReconfigurationGroup::change(const std::string& keys, Where where) {
  const std::string line = change(where);
  check(line.find("level=info msg=\"configuration changed\"") != std::string::npos, line, where);
  check(line.ends_with(" keys=" + keys), line, where);
}

void ReconfigurationGroup::expect_unchanged(Where where) {
  const std::string line = change(where);
  const char* const expected =
      "level=info msg=\"configuration read again, nothing in it has changed\"";
  check(line.find(expected) != std::string::npos, line, where);
}

std::size_t ReconfigurationGroup::count(std::initializer_list<std::string_view> parts) {
  return count_lines(server().process().errors(), parts);
}

}  // namespace jackfield::test
