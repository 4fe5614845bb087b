#include "core/daemon/command_line.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include "core/config/config.hpp"
#include "core/config/endpoint.hpp"
#include "core/daemon/commands.hpp"
#include "core/daemon/complaints.hpp"
#include "core/daemon/exit_code.hpp"
#include "core/daemon/status_command.hpp"

namespace jackfield::daemon {
namespace {

// What the option was given, for a message of CLI11's form.
std::string check_endpoint(const std::string& text) {
  const auto endpoint = config::parse_endpoint(text);
  return endpoint.is_ok() ? std::string() : endpoint.message();
}

int parse_and_run(int argc, char** argv) {
  CLI::App app(
      "A WebSocket channel server whose channels are plugged in: shared libraries in a "
      "folder.\nWithout a subcommand it serves.",
      "jackfield");
  app.set_version_flag("--version", "jackfield " JACKFIELD_VERSION);
  app.require_subcommand(0, 1);
  app.footer(
      "Exit codes: 0 ok, 1 internal failure, 2 mistake on the command line or in the\n"
      "configuration, 3 cannot start.");

  ServeOptions serve;
  app.add_option("--config", serve.config, "Configuration file (TOML)")->type_name("FILE");
  app.add_option("--listen", serve.listen,
                 "Where to listen instead of server.listen: ADDR:PORT, [ADDR]:PORT or unix:/path, "
                 "tls: before an address for TLS; repeatable")
      ->type_name("ADDR:PORT")
      ->take_all()
      ->allow_extra_args(false)
      ->check(check_endpoint);
  app.add_option("--plugins", serve.plugins, "Plugins folder instead of plugins.directory")
      ->type_name("DIR");
  app.add_option("--log-level", serve.log_level, "error, warning, info or debug")
      ->type_name("LEVEL")
      ->check(CLI::IsMember({"error", "warning", "info", "debug"}));

  std::string checked_file;
  CLI::App* check = app.add_subcommand("check", "Say every mistake in a configuration");
  check->add_option("--config,file", checked_file, "Configuration file (TOML)")
      ->type_name("FILE")
      ->required();

  InspectOptions inspect_options;
  CLI::App* inspect = app.add_subcommand("inspect",
                                         "Say what a plugin file holds, or why it would "
                                         "be refused");
  inspect->add_option("file", inspect_options.file, "The plugin")->type_name("FILE.so")->required();
  inspect->add_option("--config", inspect_options.config, "Gives the plugin its table of this file")
      ->type_name("FILE");
  inspect->add_flag("--json", inspect_options.is_json, "As JSON");

  net::WatchOptions watch_options;
  CLI::App* watch = app.add_subcommand("watch",
                                       "Subscribe to topics of a server and print what "
                                       "they say");
  watch->add_option("--url", watch_options.url, "Where the server is")
      ->type_name("URL")
      ->capture_default_str();
  watch
      ->add_option("--send", watch_options.send,
                   "A message [topic, event, payload] to send after subscribing; repeatable")
      ->type_name("MESSAGE")
      ->take_all()
      ->allow_extra_args(false);
  watch
      ->add_option("--ca", watch_options.authorities,
                   "Whom to trust with wss://, in place of whom the system trusts (PEM)")
      ->type_name("FILE");
  watch->add_flag("--insecure", watch_options.is_insecure,
                  "With wss:// takes any certificate: for trying out only");
  watch
      ->add_option("--token", watch_options.token,
                   "Shown to the server as \"Authorization: Bearer TOKEN\"; others on this machine "
                   "can see it")
      ->type_name("TOKEN");
  watch
      ->add_option("--header", watch_options.headers,
                   "A header of the request, 'Name: value'; repeatable")
      ->type_name("HEADER")
      ->take_all()
      ->allow_extra_args(false);
  watch->add_option("--count", watch_options.count, "End after so many messages (0: never)")
      ->type_name("N");
  watch->add_option("topic", watch_options.topics, "The topics")->type_name("TOPIC");

  StatusOptions status_options;
  CLI::App* status = app.add_subcommand("status", "Say how the servers on this machine are");
  status->add_option("--config", status_options.config, "Looks in the runtime folder of this file")
      ->type_name("FILE");
  status->add_option("--pid", status_options.pid, "Of the one server that is meant")
      ->type_name("PID");
  status->add_flag("--json", status_options.is_json, "As JSON");

  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {  // --help, --version
    return app.exit(asked);
  } catch (const CLI::ParseError& error) {
    complain(error.what());
    return kExitMistake;
  }
  if (check->parsed()) return check_config(checked_file);
  if (inspect->parsed()) return inspect_plugin(inspect_options);
  if (watch->parsed()) return watch_topics(watch_options);
  if (status->parsed()) return show_status(status_options);
  return run_server(serve);
}

}  // namespace

int run_command_line(int argc, char** argv) {
  try {
    return parse_and_run(argc, argv);
  } catch (const std::exception& error) {
    // Without a string of its own: memory may be what has run out.
    std::fprintf(stderr, "jackfield: internal failure: %s\n", error.what());
    return kExitFailure;
  }
}

}  // namespace jackfield::daemon
