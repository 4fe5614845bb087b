// The base of the groups in which plugins change under a running server: tests/plugins/generation.c
// in many versions, put into the server's folder while clients are connected. After each test
// nothing may have been called that a saved generation must not see.
#pragma once

#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>

#include "tests/support/server_group.hpp"
#include "tests/support/temporary_folder.hpp"

namespace jackfield::test {

class ChangeGroup : public ServerGroup {
 public:
  void teardown() override;

 protected:
  // Starts a server with the built plugin `build` as generation.so, and echo.
  void serve(const char* build, const ServerOptions& options = {}, Where where = Where::here());

  // The path of a file in the server's plugins folder.
  std::filesystem::path file(const std::string& name = "generation.so") {
    return server().plugin_folder() / name;
  }
  // Writes a built plugin there, over what is there.
  void put(const char* build, const std::string& name = "generation.so",
           Where where = Where::here());
  void put_bytes(std::string_view bytes, const std::string& name = "generation.so");
  void remove(const std::string& name = "generation.so", Where where = Where::here());

  // Puts it there and waits until it is the generation of that number.
  void replace(const char* build, int generation, Where where = Where::here());
  // Waits until a line says that the plugin `generation` was replaced by that number.
  std::string wait_for_generation(int generation, Where where = Where::here());

  // Lets those go on that wait in their start.
  void let_go() { control_.write("go", ""); }

  // As many lines of the log hold every one of `parts`, waited for, and no more.
  void expect_logged(std::size_t count, std::initializer_list<std::string_view> parts,
                     Where where = Where::here());
  // How many lines of the log, as far as it was read, hold every one of `parts`.
  std::size_t logged(std::initializer_list<std::string_view> parts);
  // How often a message was logged, with those that the log held down. REQUIRES: the server ended.
  std::size_t logged_in_all(std::string_view message);

  // The client is subscribed to the topic, where the version `welcome` serves.
  void subscribe(WsClient& client, std::string_view topic, std::string_view welcome,
                 Where where = Where::here());
  // The client adds to the count that all topics share, and is told on its topic what it is now.
  void expect_sum(WsClient& client, std::string_view topic, int added, int sum,
                  Where where = Where::here());
  // The client asks on gen:a who serves it, and is told this JSON object.
  void expect_who(WsClient& client, std::string_view who, Where where = Where::here());
  // The client waits for the answers to three events: on gen:a for ever, on gen:b for a job's, on
  // gen:c for a timer's, which take so long. The server has read them.
  void ask_for_answers(WsClient& client, int job_ms, int timer_ms, Where where = Where::here());
  // The next message of the client is the error CHANNEL_UNLOADED on the topic.
  void expect_unloaded(WsClient& client, std::string_view topic, Where where = Where::here());
  // The server answers an echo: it has read what was sent before on this connection, and on others.
  void expect_echo(WsClient& client, Where where = Where::here());

 private:
  TemporaryFolder control_;
};

}  // namespace jackfield::test
