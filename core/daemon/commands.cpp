#include "core/daemon/commands.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <filesystem>
#include <new>
#include <utility>

#include "core/access/jwt.hpp"
#include "core/access/token_file.hpp"
#include "core/base/log.hpp"
#include "core/base/out_of_memory.hpp"
#include "core/config/config.hpp"
#include "core/daemon/certificate_age.hpp"
#include "core/daemon/complaints.hpp"
#include "core/daemon/daemon.hpp"
#include "core/daemon/exit_code.hpp"
#include "core/daemon/installation.hpp"
#include "core/daemon/privileges.hpp"
#include "core/daemon/start_report.hpp"
#include "core/plugin/inspection.hpp"
#include "core/wire/json_document.hpp"

namespace jackfield::daemon {

namespace {

// Before anything is destroyed that plugins may still use.
[[noreturn]] void end(const std::exception& error) {
  std::fprintf(stderr, "jackfield: internal failure: %s\n", error.what());
  std::_Exit(kExitFailure);
}

int serve(Daemon& daemon) {
  if (auto status = daemon.start(); !status.is_ok()) {
    complain(status.message());
    return kExitCannotStart;
  }
  std::fputs(start_report(daemon, own_path().string()).c_str(), stdout);
  std::fflush(stdout);
  daemon.run();
  return kExitOk;
}

bool check_process(const Settings& settings) {
  const base::Status status = check_process_settings(settings);
  if (!status.is_ok()) complain(status.message());
  return status.is_ok();
}

// Whose secrets the server's are; whoever checks where this machine does not know him.
uid_t keeper_of_secrets(const Settings& settings) {
  const auto user = find_process_user(settings);
  return user.is_ok() && user.value() ? user.value()->user : ::geteuid();
}

// Says what is wrong with a file. Where this user may not read it that is no mistake, for who
// starts the server may.
bool complain_of_file(const std::string& sentence, bool is_unreadable) {
  const bool is_unknown = is_unreadable && ::geteuid() != 0;
  complain(is_unknown ? "not checked: " + sentence : sentence);
  return is_unknown;
}

// Whether the files that the listeners with TLS need are sound, as far as this user can see.
bool check_tls(const net::Settings& settings, uid_t keeper) {
  using Failure = net::TlsCredentials::Loaded::Failure;
  if (!net::has_tls(settings.listen)) return true;
  const auto loaded = net::TlsCredentials::load(settings.tls, keeper);
  for (const std::string& warning : loaded.warnings) complain("warning: " + warning);
  if (loaded.credentials != nullptr) {
    const auto age = judge_age(loaded.credentials->certificate(), std::time(nullptr));
    if (age)
      complain("warning: the certificate " + settings.tls.certificate.string() + " " +
               age->sentence);
    return true;
  }
  return complain_of_file(loaded.sentence, loaded.failure == Failure::kForbidden);
}

bool is_unreadable(const std::filesystem::path& file) {
  return ::access(file.c_str(), R_OK) != 0 && errno == EACCES;
}

// Whether the files of tokens and keys are sound, as far as this user can see.
bool check_credentials(const access::Settings& settings, uid_t keeper) {
  bool is_well = true;
  if (!settings.tokens.empty()) {
    const auto tokens = access::TokenTable::read(settings.tokens, keeper);
    if (!tokens.is_ok()) {
      is_well = complain_of_file(tokens.message(), is_unreadable(settings.tokens));
    }
  }
  const auto keys = access::JwtCheck::read(settings, keeper);
  if (!keys.is_ok()) {
    const bool is_any_unreadable =
        std::any_of(settings.jwt_keys.begin(), settings.jwt_keys.end(),
                    [](const access::JwtKey& key) { return is_unreadable(key.file); });
    if (!complain_of_file(keys.message(), is_any_unreadable)) is_well = false;
  }
  return is_well;
}

}  // namespace

int run_server(const ServeOptions& options) {
  base::end_where_memory_is_out();
  ConfigSource source(options);
  config::Outcome outcome = source.read();
  if (!is_well(outcome)) return kExitMistake;
  Daemon daemon(std::move(source), std::move(outcome.config));
  try {
    return serve(daemon);
  } catch (const std::bad_alloc&) {
    base::end_out_of_memory();
  } catch (const std::exception& error) {
    end(error);
  }
}

int check_config(const std::string& file) {
  const config::Outcome outcome = config::load(file);
  const std::string distrust = fault_of_way_to(file);
  if (!distrust.empty()) complain("warning: others can change it: " + distrust);
  if (!is_well(outcome)) return kExitMistake;
  const uid_t keeper = keeper_of_secrets(outcome.config.process);
  bool are_well = check_process(outcome.config.process);
  if (!check_tls(outcome.config.server, keeper)) are_well = false;
  if (!check_credentials(outcome.config.access, keeper)) are_well = false;
  if (!are_well) return kExitMistake;
  std::printf("%s: no mistakes\n", file.c_str());
  return kExitOk;
}

int inspect_plugin(const InspectOptions& options) {
  base::Log log(base::LogLevel::kWarning,
                [](std::string_view line) { std::fwrite(line.data(), 1, line.size(), stderr); });
  config::Outcome outcome;
  if (!options.config.empty()) outcome = config::load(options.config);
  if (!is_well(outcome)) return kExitMistake;
  const auto found = plugin::inspect(options.file, outcome.config.plugins, log);
  if (!found.is_ok()) {
    if (options.is_json) {
      wire::JsonDocument document;
      document.add("file", options.file);
      document.add("refused", found.message());
      std::printf("%s\n", document.text().c_str());
    }
    complain(options.file + ": would be refused: " + found.message());
    return kExitCannotStart;
  }
  const plugin::Inspection& inspection = found.value();
  const plugin::Manifest& manifest = inspection.manifest;
  const std::string abi = std::to_string(JF_ABI_MAJOR) + "." + std::to_string(manifest.minor);
  if (options.is_json) {
    wire::JsonDocument document;
    document.add("file", options.file);
    document.add("name", manifest.name);
    document.add("version", manifest.version);
    document.add("description", manifest.description);
    document.add("license", manifest.license);
    document.add("abi", abi);
    document.add("patterns", inspection.patterns);
    if (!inspection.start_failure.empty()) document.add("refused", inspection.start_failure);
    std::printf("%s\n", document.text().c_str());
  } else {
    std::printf(
        "name         %s\nversion      %s\ndescription  %s\nlicense      %s\nabi          %s\n",
        manifest.name.c_str(), manifest.version.c_str(), manifest.description.c_str(),
        manifest.license.c_str(), abi.c_str());
    for (const std::string& pattern : inspection.patterns) {
      std::printf("pattern      %s\n", pattern.c_str());
    }
  }
  if (inspection.start_failure.empty()) return kExitOk;
  complain(options.file + ": would be refused: " + inspection.start_failure);
  return kExitCannotStart;
}

int watch_topics(const net::WatchOptions& options) {
  if (options.topics.empty() && options.send.empty()) {
    complain("watch: name a topic, or a message to --send");
    return kExitMistake;
  }
  return net::watch(options);
}

}  // namespace jackfield::daemon
