#include "tests/support/change_group.hpp"

#include <cstdlib>
#include <sstream>
#include <system_error>

#include "tests/support/json.hpp"

namespace jackfield::test {

namespace fs = std::filesystem;

void ChangeGroup::teardown() {
  let_go();
  if (has_server()) {
    for (const std::string_view wrong : {"called after it has saved", "resumed, but never saved"}) {
      check(logged({wrong}) == 0, server().process().errors());
    }
  }
  ServerGroup::teardown();
}

void ChangeGroup::serve(const char* build, const ServerOptions& options, Where where) {
  ServerOptions all = options;
  all.plugins.emplace_back(build, "generation.so");
  all.plugins.emplace_back("echo");
  all.tables += "[plugin.generation]\nuntil = \"" + (control_.path() / "go").string() + "\"\n";
  start(all, where);
}

void ChangeGroup::put(const char* build, const std::string& name, Where where) {
  std::error_code error;
  fs::copy_file(built_plugin(build), file(name), fs::copy_options::overwrite_existing, error);
  check(!error, error.message(), where);
}

void ChangeGroup::put_bytes(std::string_view bytes, const std::string& name) {
  server().folder().write(fs::path("plugins") / name, bytes);
}

void ChangeGroup::remove(const std::string& name, Where where) {
  std::error_code error;
  check(fs::remove(file(name), error), error.message(), where);
}

void ChangeGroup::replace(const char* build, int generation, Where where) {
  put(build, "generation.so", where);
  wait_for_generation(generation, where);
}

std::string ChangeGroup::wait_for_generation(int generation, Where where) {
  return server().wait_for_log({"msg=\"plugin replaced\"", "plugin=generation ",
                                "generation=" + std::to_string(generation) + " "},
                               where);
}

void ChangeGroup::expect_logged(std::size_t count, std::initializer_list<std::string_view> parts,
                                Where where) {
  const std::size_t lines = server().process().wait_for_errors(count, parts);
  std::string wanted;
  for (const std::string_view part : parts) wanted.append(" ").append(part);
  check(lines == count,
        std::to_string(lines) + " lines, not " + std::to_string(count) + ", with" + wanted +
            "\nIt said:\n" + server().process().errors(),
        where);
}

std::size_t ChangeGroup::logged(std::initializer_list<std::string_view> parts) {
  return count_lines(server().process().errors(), parts);
}

std::size_t ChangeGroup::logged_in_all(std::string_view message) {
  const std::string quoted = "\"" + std::string(message) + "\"";
  std::istringstream lines(server().process().errors());
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line);) {
    const bool is_it = line.find("msg=" + quoted) != std::string::npos;
    const bool is_rest = line.find("message=" + quoted) != std::string::npos;
    if (is_it) ++count;
    const std::size_t held = line.rfind(" held=");
    if ((is_it || is_rest) && held != std::string::npos) {
      count += std::strtoul(line.c_str() + held + 6, nullptr, 10);
    }
  }
  return count;
}

void ChangeGroup::subscribe(WsClient& client, std::string_view topic, std::string_view welcome,
                            Where where) {
  const std::string begin = "[\"" + std::string(topic) + "\",";
  client.send_text(begin + "\"subscribe\",null]", where);
  client.expect(begin + "\"subscribed\",{}]", where);
  client.expect(begin + "\"welcome\",\"" + std::string(welcome) + "\"]", where);
}

void ChangeGroup::expect_sum(WsClient& client, std::string_view topic, int added, int sum,
                             Where where) {
  const std::string begin = "[\"" + std::string(topic) + "\",";
  client.send_text(begin + "\"add\"," + std::to_string(added) + "]", where);
  client.expect(begin + "\"count\"," + std::to_string(sum) + "]", where);
}

void ChangeGroup::expect_who(WsClient& client, std::string_view who, Where where) {
  client.send_text(R"(["gen:a","who",null])", where);
  client.expect(R"(["gen:a","who",)" + std::string(who) + "]", where);
}

void ChangeGroup::ask_for_answers(WsClient& client, int job_ms, int timer_ms, Where where) {
  client.send_text(R"(["gen:a","never",null])", where);
  client.send_text(R"(["gen:b","work",)" + std::to_string(job_ms) + "]", where);
  client.send_text(R"(["gen:c","later",)" + std::to_string(timer_ms) + "]", where);
  expect_echo(client, where);
}

void ChangeGroup::expect_unloaded(WsClient& client, std::string_view topic, Where where) {
  const std::string error = payload_of(client.receive(where), topic, "error", where);
  check(string_member(error, "code", where) == "CHANNEL_UNLOADED", error, where);
  check(!string_member(error, "message", where).empty(), error, where);
}

void ChangeGroup::expect_echo(WsClient& client, Where where) {
  client.send_text(R"(["echo:a","echo",1])", where);
  client.expect(R"(["echo:a","echoed",1])", where);
}

}  // namespace jackfield::test
