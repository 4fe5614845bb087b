#include "core/daemon/config_source.hpp"

#include <utility>

#include "core/config/endpoint.hpp"
#include "core/daemon/installation.hpp"
#include "core/files/way.hpp"

namespace jackfield::daemon {

std::string fault_of_way_to(const std::filesystem::path& file) {
  if (file.empty()) return {};
  const auto reached = files::reach_file(file);
  return reached.is_ok() ? reached.value().fault : "";
}

config::Outcome ConfigSource::read() {
  config::Outcome outcome;
  if (has_file()) {
    stamp_ = files::FileStamp::of(file());  // before it is read: a change meanwhile is not missed
    outcome = config::load(file());
  } else {
    outcome.config.plugins.directory = default_plugins();
  }
  return overridden(std::move(outcome));
}

config::Outcome ConfigSource::read_again() {
  stamp_ = files::FileStamp::of(file());
  return overridden(config::load_again(file()));
}

config::Outcome ConfigSource::overridden(config::Outcome outcome) {
  distrust_ = fault_of_way_to(file());
  if (!outcome.is_ok()) return outcome;
  config::Config& config = outcome.config;
  if (!options_.listen.empty()) {
    config.server.listen.clear();
    for (const std::string& text : options_.listen) {
      config.server.listen.push_back(config::parse_endpoint(text).value());
    }
    for (const auto& [key, message] : config::find_tls_mistakes(config.server)) {
      outcome.mistakes.push_back({has_file() ? file().string() : "--listen", 0, 0, key, message});
    }
  }
  if (!options_.plugins.empty()) config.plugins.directory = options_.plugins;
  if (const auto level = base::log_level_from_name(options_.log_level)) config.log_level = *level;
  return outcome;
}

}  // namespace jackfield::daemon
