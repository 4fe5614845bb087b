// The real server, started for one test on free ports with a folder, a configuration and plugins of
// its own. One thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/child_process.hpp"
#include "tests/support/sanitizer.hpp"
#include "tests/support/stream.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/where.hpp"

namespace jackfield::test {

// Whether the server's memory says something about it; a sanitizer's bookkeeping is far larger.
inline constexpr bool kMeasuresMemory = !kHasSanitizer;
// Says so, where it is not looked at.
inline void say_memory_is_not_measured() {
  say_not_checked("memory: a sanitizer's bookkeeping is far larger than the server's");
}

// A plugin to be put into the server's folder.
struct PluginFile {
  PluginFile(const char* built_name) : built(built_name), file(built + ".so") {}
  // Under another file name, so in another place of the order.
  PluginFile(std::string built_name, std::string file_name)
      : built(std::move(built_name)), file(std::move(file_name)) {}

  std::string built;  // of tests/plugins, or else of plugins
  std::string file;
};

// Whether tests that do not say otherwise run over TLS: where JACKFIELD_TEST_TLS is in the
// environment, each TCP listener gets it, with a certificate that is made for the test.
bool is_run_over_tls();

// For [server] where clients stay open to the end and do not answer the server's Close.
inline constexpr const char* kDoesNotWaitForCloses = "close_timeout_s = 0.1";

struct ServerOptions {
  std::vector<PluginFile> plugins{};
  std::string server{};   // further lines of [server]
  std::string loading{};  // further lines of [plugins]
  std::string tables{};   // further tables
  std::vector<std::string> listen{"127.0.0.1:0"};
  std::vector<std::string> arguments{};  // behind those that the test support gives
  std::vector<std::string> wrapper{};    // a program and arguments to run the server under
  std::string log_level = "info";  // empty: as the configuration says
  // Clients may send only as fast as by default. Tests ask again and again until something is so,
  // and send more at once than any client should.
  bool has_rates = false;
};

// The path of a built plugin: one of tests/plugins, or else of plugins.
std::filesystem::path built_plugin(const std::string& name);

// The executable under test.
std::string jackfield_executable();

class ServerProcess {
 public:
  // Starts it and waits until it says that it is ready, or fails the test.
  explicit ServerProcess(const ServerOptions& options, Where where = Where::here());
  ~ServerProcess();

  // Starts it again after its end, in the same folder, with the configuration and whatever plugins
  // are there now. What it said before is forgotten.
  void restart(Where where = Where::here());
  // The same, but does not wait until it is ready.
  void launch(Where where = Where::here());

  ChildProcess& process() { return *process_; }
  const TemporaryFolder& folder() const { return folder_; }
  std::filesystem::path plugin_folder() const { return folder_.path() / "plugins"; }

  // Where it listens, in the order in which it says so.
  const std::vector<Address>& addresses() const { return addresses_; }
  // "ws://127.0.0.1:PORT/" of the first, or "wss://127.0.0.1:PORT/".
  std::string url() const;

  // How much memory is resident, in KiB.
  std::size_t resident_kib() const;
  // How much it has for its data, resident or not, in KiB.
  std::size_t data_kib() const;
  // Fails the test where the most that was ever resident is `most_kib` more than `before_kib`.
  // Only says so where kMeasuresMemory is false.
  void expect_grown_less(std::size_t before_kib, std::size_t most_kib,
                         Where where = Where::here()) const;

  // Waits for a line of the log that holds all parts; fails the test when none comes.
  std::string wait_for_log(std::initializer_list<std::string_view> parts,
                           Where where = Where::here());
  // Waits for so many of them, and gives the last.
  std::string wait_for_logs(std::size_t count, std::initializer_list<std::string_view> parts,
                            Where where = Where::here());

  // SIGTERM, and then it must end with code 0 and without a word from a sanitizer.
  void stop(Where where = Where::here());
  // Waits for its end and checks as `stop` does.
  void expect_clean_end(Where where = Where::here());
  bool ended() const { return ended_; }
  // It need not end cleanly: the test has seen to its end.
  void forget() { ended_ = true; }
  // Fails the test where a sanitizer has found what no server may do, however it ends: a data race,
  // undefined behaviour. (Sanitizers also report crashes, which tests may want.)
  void expect_no_finding(Where where = Where::here()) const;

 private:
  void wait_until_ready(Where where);
  void read_addresses(Where where);
  std::size_t status_kib(const std::string& key) const;

  TemporaryFolder folder_;
  std::vector<std::string> command_;
  std::unique_ptr<ChildProcess> process_;
  std::vector<Address> addresses_;
  bool ended_ = false;
};

// The configuration that ServerProcess would write into a folder.
std::string configuration_text(const TemporaryFolder& folder, const ServerOptions& options);

// Writes what ServerProcess would start with into a folder: plugins and configuration. Gives the
// configuration's path.
std::filesystem::path write_configuration(const TemporaryFolder& folder,
                                          const ServerOptions& options);

}  // namespace jackfield::test
