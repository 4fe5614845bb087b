#include "core/config/toml_text.hpp"

#include "core/config/value.hpp"

namespace jackfield::config {

std::string to_toml(bool value) { return value ? "true" : "false"; }

std::string to_toml(std::size_t value) { return std::to_string(value); }

std::string to_toml(std::chrono::milliseconds value) {
  std::string text = std::to_string(value.count() / 1000);
  const std::string thousandths = std::to_string(1000 + value.count() % 1000).substr(1);
  const std::size_t last = thousandths.find_last_not_of('0');
  if (last != std::string::npos) text += "." + thousandths.substr(0, last + 1);
  return text;
}

std::string to_toml(const std::string& value) {
  std::string text;
  append_json_string(value, text);  // TOML's basic strings have the same escapes
  return text;
}

std::string to_toml(const std::filesystem::path& value) { return to_toml(value.string()); }

std::string to_toml(const std::vector<std::string>& value) {
  std::string text = "[";
  for (const std::string& item : value) text += (text.size() > 1 ? ", " : "") + to_toml(item);
  return text + "]";
}

std::string to_toml(const std::vector<net::Endpoint>& value) {
  std::vector<std::string> texts;
  for (const net::Endpoint& endpoint : value) texts.push_back(net::to_text(endpoint));
  return to_toml(texts);
}

std::string to_toml(base::LogLevel value) { return to_toml(std::string(log_level_name(value))); }

std::string to_toml(net::TlsSettings::Version value) {
  return value == net::TlsSettings::Version::k1_3 ? "\"1.3\"" : "\"1.2\"";
}

std::string to_toml(net::TlsSettings::ClientCertificate value) {
  using ClientCertificate = net::TlsSettings::ClientCertificate;
  switch (value) {
    case ClientCertificate::kNone: return "\"none\"";
    case ClientCertificate::kOptional: return "\"optional\"";
    case ClientCertificate::kRequired: return "\"required\"";
  }
  return {};
}

}  // namespace jackfield::config
