#include "core/daemon/commands.hpp"

#include <cstdio>
#include <filesystem>
#include <memory>

#include "core/base/log.hpp"
#include "core/config/config.hpp"
#include "core/config/endpoint.hpp"
#include "core/daemon/daemon.hpp"
#include "core/daemon/exit_code.hpp"
#include "core/daemon/start_report.hpp"
#include "core/plugin/inspection.hpp"
#include "core/wire/json_document.hpp"

namespace jackfield::daemon {
namespace {

namespace fs = std::filesystem;

void complain(const std::string& sentence) {
  std::fprintf(stderr, "jackfield: %s\n", sentence.c_str());
}

fs::path own_path() {
  std::error_code error;
  const fs::path path = fs::read_symlink("/proc/self/exe", error);
  return error ? fs::path("jackfield") : path;
}

// Beside the executable, as it is built, or where it is installed.
fs::path default_plugins() {
  const fs::path folder = own_path().parent_path();
  std::error_code error;
  const fs::path installed = folder.parent_path() / "lib/jackfield/plugins";
  const bool is_installed = !fs::exists(folder / "plugins", error) && fs::exists(installed, error);
  return is_installed ? installed : folder / "plugins";
}

bool read_config(const std::string& file, config::Config& config) {
  config::Outcome outcome = config::load(file);
  for (const config::Mistake& mistake : outcome.mistakes) complain(config::to_text(mistake));
  config = std::move(outcome.config);
  return outcome.mistakes.empty();
}

}  // namespace

int run_server(const ServeOptions& options) {
  config::Config config;
  if (!options.config.empty()) {
    if (!read_config(options.config, config)) return kExitMistake;
  } else {
    config.plugins.directory = default_plugins();
  }
  if (!options.listen.empty()) {
    config.server.listen.clear();
    for (const std::string& text : options.listen) {
      config.server.listen.push_back(config::parse_endpoint(text).value());  // checked when parsed
    }
  }
  if (!options.plugins.empty()) config.plugins.directory = options.plugins;
  if (const auto level = base::log_level_from_name(options.log_level)) config.log_level = *level;

  Daemon daemon(std::move(config));
  if (auto status = daemon.start(); !status.is_ok()) {
    complain(status.message());
    return kExitCannotStart;
  }
  std::fputs(start_report(daemon, own_path().string()).c_str(), stdout);
  std::fflush(stdout);
  daemon.run();
  return kExitOk;
}

int check_config(const std::string& file) {
  config::Config config;
  if (!read_config(file, config)) return kExitMistake;
  std::printf("%s: no mistakes\n", file.c_str());
  return kExitOk;
}

int inspect_plugin(const InspectOptions& options) {
  base::Log log(base::LogLevel::kWarning,
                [](std::string_view line) { std::fwrite(line.data(), 1, line.size(), stderr); });
  config::Config config;
  if (!options.config.empty() && !read_config(options.config, config)) return kExitMistake;
  const auto found = plugin::inspect(options.file, config.plugins.tables, log);
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
