#include "tests/bench/suite/works.hpp"

#include <cstdio>

namespace jackfield::bench {

std::vector<Work> all_works(const Setting& setting) {
  return {fan_out(setting),         fan_out_at_rate(setting),  echo(setting),
          echo_at_rate(setting),    many_topics(setting),      connect_storm(setting),
          subscribe_storm(setting), idle_connections(setting), slow_clients(setting),
          rest(setting),            threads(setting)};
}

std::string topic_name(std::size_t number) {
  char name[32];
  std::snprintf(name, sizeof name, "echo:b%06zu", number);
  return name;
}

std::vector<std::string> topic_names(std::size_t count, std::size_t first) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < count; ++i) names.push_back(topic_name(first + i));
  return names;
}

std::vector<Column> flow_metrics(const std::string& unit) {
  return {{"cpu_us", "CPU us/" + unit, 3},
          {"per_s", unit + "/s", 0},
          {"load_percent", "load %", 0},
          {"per_read", "a read", 1},
          {"messages", "", 0},
          {"p50_us", "p50 us", 0},
          {"p99_us", "p99 us", 0},
          {"p999_us", "p99.9 us", 0},
          {"max_us", "", 0}};
}

std::vector<double> flow_values(const Flow& flow) {
  return {flow.cpu_us_each(),
          flow.per_second(),
          flow.load_percent(),
          flow.per_read(),
          static_cast<double>(flow.messages),
          flow.latency.quantile_us(0.5),
          flow.latency.quantile_us(0.99),
          flow.latency.quantile_us(0.999),
          flow.latency.max_us()};
}

CpuMeter meter_of(const MeasuredServer& server) {
  return [&server] { return server.cpu_ns(); };
}

}  // namespace jackfield::bench
