// Settings as TOML writes them, for the log and to compare them: the same text for the same value
// only. Any thread, no state.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "core/base/log.hpp"
#include "core/net/settings.hpp"

namespace jackfield::config {

std::string to_toml(bool value);
std::string to_toml(std::size_t value);
std::string to_toml(std::chrono::milliseconds value);  // in seconds: "0.25"
std::string to_toml(const std::string& value);
std::string to_toml(const std::filesystem::path& value);
std::string to_toml(const std::vector<std::string>& value);
std::string to_toml(const std::vector<net::Endpoint>& value);
std::string to_toml(base::LogLevel value);
std::string to_toml(net::TlsSettings::Version value);
std::string to_toml(net::TlsSettings::ClientCertificate value);

}  // namespace jackfield::config
