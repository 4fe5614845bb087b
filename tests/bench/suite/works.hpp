// All works of the suite, each from a file of its own. One thread.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tests/bench/load/flow.hpp"
#include "tests/bench/suite/work.hpp"

namespace jackfield::bench {

Work fan_out(const Setting& setting);
Work fan_out_at_rate(const Setting& setting);
Work echo(const Setting& setting);
Work echo_at_rate(const Setting& setting);
Work many_topics(const Setting& setting);
Work connect_storm(const Setting& setting);
Work subscribe_storm(const Setting& setting);
Work idle_connections(const Setting& setting);
Work slow_clients(const Setting& setting);
Work rest(const Setting& setting);
Work threads(const Setting& setting);

// As many idle connections as are wanted and can be.
std::size_t idle_count(const Setting& setting);

// One case of the fan-out.
std::unique_ptr<Stage> open_fan_out(MeasuredServer& server, std::size_t subscribers,
                                    std::size_t under_way, std::size_t size,
                                    Clock::duration window);

// In the order in which they are run.
std::vector<Work> all_works(const Setting& setting);

// Of a fixed width, so that every one costs the same: "echo:b000042".
std::string topic_name(std::size_t number);
std::vector<std::string> topic_names(std::size_t count, std::size_t first = 0);

// What a flow is told by: CPU per message, messages per second, latencies.
std::vector<Column> flow_metrics(const std::string& unit);
std::vector<double> flow_values(const Flow& flow);

CpuMeter meter_of(const MeasuredServer& server);

}  // namespace jackfield::bench
