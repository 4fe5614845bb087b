#include "core/daemon/start_report.hpp"

#include <algorithm>
#include <string_view>

#include "core/base/shell_word.hpp"
#include "core/net/listener.hpp"

namespace jackfield::daemon {
namespace {

// A topic that the pattern takes: one that shows something for the plugins of this project.
std::string example_topic(const std::string& pattern) {
  if (pattern == "system:<metric>") return "system:cpu";
  std::string topic;
  bool is_name = false;
  for (const char c : pattern) {
    if (c == '<') {
      is_name = true;
      topic += "demo";
    } else if (c == '>') {
      is_name = false;
    } else if (!is_name) {
      topic += c;
    }
  }
  return topic;
}

}  // namespace

std::string start_report(const Daemon& daemon, const std::string& program) {
  std::string report = "jackfield " JACKFIELD_VERSION "\n";
  const std::string& path = daemon.config().server.path;
  const auto endpoints = daemon.server().endpoints();
  for (const net::Endpoint& endpoint : endpoints) {
    report += "listening  " + net::to_url(endpoint, path) + "\n";
  }
  std::string topic;
  for (const auto& plugin : daemon.plugins().plugins()) {
    const plugin::Manifest& manifest = plugin->generation->manifest();
    report += "plugin     " + manifest.name + " " + manifest.version;
    for (const std::string& pattern : plugin->generation->patterns()) {
      report += "  " + pattern;
      if (topic.empty() || manifest.name == "system") topic = example_topic(pattern);
    }
    report += "\n";
  }
  for (const auto& refusal : daemon.plugins().refusals()) {
    report += "refused    " + refusal.file.string() + "  " + refusal.reason + "\n";
  }
  if (daemon.plugins().plugins().empty()) {
    report += "plugin     none in " + daemon.config().plugins.directory.string() + "\n";
  }
  if (!topic.empty() && !endpoints.empty()) {
    // One without TLS is tried more easily: it has no certificate to be judged.
    const auto plain = std::find_if(endpoints.begin(), endpoints.end(),
                                    [](const net::Endpoint& each) { return !each.is_tls; });
    const net::Endpoint& tried = plain == endpoints.end() ? endpoints.front() : *plain;
    report += "try        " + base::shell_word(program) + " watch --url " +
              base::shell_word(net::to_url(tried, path)) + (tried.is_tls ? " --insecure" : "") +
              " " + base::shell_word(topic) + "\n";
  }
  return report + "ready\n";
}

}  // namespace jackfield::daemon
