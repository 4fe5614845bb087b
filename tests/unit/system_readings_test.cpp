// What the system plugin makes of the text of /proc and /sys: recorded texts, and broken ones.
#include <string>
#include <string_view>

#include "plugins/system/readings.hpp"

#include <CppUTest/TestHarness.h>

using namespace system_metrics;

namespace {

constexpr std::string_view kStat =
    "cpu  10132153 290696 3084719 46828483 16683 0 25195 100 175628 0\n"
    "cpu0 1393280 32966 572056 13343292 6130 0 17875 0 23933 0\n"
    "cpu1 1335498 28612 587135 13372510 4850 0 3600 0 21221 0\n"
    "intr 8885917 17 0 0\n"
    "ctxt 22848221\n"
    "btime 1763870000\n"
    "processes 26442\n"
    "procs_running 1\n"
    "procs_blocked 0\n"
    "softirq 5057579 250191 1481983\n";

constexpr std::string_view kMeminfo =
    "MemTotal:        8139504 kB\n"
    "MemFree:          503128 kB\n"
    "MemAvailable:    5318536 kB\n"
    "Buffers:          259104 kB\n"
    "Cached:          4571404 kB\n"
    "SwapCached:            0 kB\n"
    "SwapTotal:       2097148 kB\n"
    "SwapFree:        2097100 kB\n"
    "HugePages_Total:       0\n"
    "Hugepagesize:       2048 kB\n";

constexpr std::string_view kDev =
    "Inter-|   Receive                                                |  Transmit\n"
    " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop "
    "fifo colls carrier compressed\n"
    "    lo: 1207048   12345    0    0    0     0          0         0  1207048   12345    0    0  "
    " "
    " 0     0       0          0\n"
    "  eth0:18446744073709551615 2521 3 0 0 0 0 9 182079 2308 4 0 0 0 0 0\n"
    "eth0:1: 5 1 0 0 0 0 0 0 6 2 0 0 0 0 0 0\n";

}  // namespace

TEST_GROUP(system_readings){};

TEST(system_readings, sums_the_times_of_the_processors) {
  const auto cpu = parse_cpu(kStat);
  CHECK_TRUE(cpu.has_value());
  const std::uint64_t busy = 10132153 + 290696 + 3084719 + 0 + 25195 + 100;
  UNSIGNED_LONGS_EQUAL(busy, cpu->all.busy);
  UNSIGNED_LONGS_EQUAL(busy + 46828483 + 16683, cpu->all.total);
  UNSIGNED_LONGS_EQUAL(2, cpu->cores.size());
  UNSIGNED_LONGS_EQUAL(1335498 + 28612 + 587135 + 3600, cpu->cores.at(1).busy);
}

TEST(system_readings, takes_the_short_lines_of_old_kernels) {
  const auto cpu = parse_cpu("cpu  1 2 3 4\n");
  CHECK_TRUE(cpu.has_value());
  UNSIGNED_LONGS_EQUAL(10, cpu->all.total);
  UNSIGNED_LONGS_EQUAL(6, cpu->all.busy);
}

TEST(system_readings, refuses_what_is_no_stat) {
  for (const char* text : {"", "cpu", "cpu \n", "cpu 1 2 3\n", "cpu a b c d\n", "cpu 1 2 3 -4\n",
                           "cpu0 1 2 3 4\n", "cpu 1 2 3 4\ncpux 1 2 3 4\n", "cpu 1 2 3 4\ncpu0 1\n",
                           "cpu 99999999999999999999999 1 1 1\n", "intr 1 2 3 4 5"}) {
    CHECK_FALSE_TEXT(parse_cpu(text).has_value(), text);
  }
}

TEST(system_readings, usage_is_the_share_of_busy_time_between_two_readings) {
  DOUBLES_EQUAL(25.0, usage({100, 1000}, {150, 1200}), 0);
  DOUBLES_EQUAL(33.3, usage({0, 0}, {1, 3}), 1e-9);
  DOUBLES_EQUAL(0.0, usage({100, 1000}, {100, 1000}), 0);  // no time has passed
  DOUBLES_EQUAL(0.0, usage({100, 1000}, {90, 1100}), 0);   // ran backwards
  DOUBLES_EQUAL(100.0, usage({0, 100}, {500, 200}), 0);
}

TEST(system_readings, reads_memory_in_octets) {
  const auto memory = parse_memory(kMeminfo);
  CHECK_TRUE(memory.has_value());
  UNSIGNED_LONGS_EQUAL(8139504ull * 1024, memory->total);
  UNSIGNED_LONGS_EQUAL(5318536ull * 1024, memory->available);
  UNSIGNED_LONGS_EQUAL(503128ull * 1024, memory->free);
  UNSIGNED_LONGS_EQUAL(2097148ull * 1024, memory->swap_total);
  UNSIGNED_LONGS_EQUAL(2097100ull * 1024, memory->swap_free);
}

TEST(system_readings, reckons_available_memory_where_the_kernel_does_not_say) {
  const auto memory =
      parse_memory("MemTotal: 100 kB\nMemFree: 10 kB\nBuffers: 5 kB\nCached: 20 kB\n");
  CHECK_TRUE(memory.has_value());
  UNSIGNED_LONGS_EQUAL(35 * 1024, memory->available);
  UNSIGNED_LONGS_EQUAL(0, memory->swap_total);
}

TEST(system_readings, refuses_what_is_no_meminfo) {
  for (const char* text :
       {"", "MemTotal: 5 kB\n", "MemFree: 5 kB\n", "MemTotal 5 kB\nMemFree: 5 kB\n",
        "MemTotal: x kB\nMemFree: 5 kB\n", "MemTotal: 5 MB\nMemFree: 5 kB\n",
        "MemTotal: 18446744073709551615 kB\nMemFree: 5 kB\n"}) {
    CHECK_FALSE_TEXT(parse_memory(text).has_value(), text);
  }
}

TEST(system_readings, reads_the_load) {
  const auto load = parse_load("0.39 0.45 12.26 2/97 15127\n");
  CHECK_TRUE(load.has_value());
  DOUBLES_EQUAL(0.39, load->one, 0);
  DOUBLES_EQUAL(0.45, load->five, 0);
  DOUBLES_EQUAL(12.26, load->fifteen, 0);
  UNSIGNED_LONGS_EQUAL(2, load->running);
  UNSIGNED_LONGS_EQUAL(97, load->tasks);
  for (const char* text : {"", "0.1 0.2 0.3", "0.1 0.2 0.3 297 5", "a b c 1/2 5",
                           "0.1 0.2 0.3 1/x 5", "0.1 0.2 nan 1/2 5"}) {
    CHECK_FALSE_TEXT(parse_load(text).has_value(), text);
  }
}

TEST(system_readings, reads_the_counters_of_every_interface) {
  const auto network = parse_network(kDev);
  CHECK_TRUE(network.has_value());
  UNSIGNED_LONGS_EQUAL(3, network->size());
  const Interface& eth0 = network->at("eth0");
  CHECK_TRUE(eth0.received_bytes == 18446744073709551615ull);
  UNSIGNED_LONGS_EQUAL(2521, eth0.received_packets);
  UNSIGNED_LONGS_EQUAL(3, eth0.received_errors);
  UNSIGNED_LONGS_EQUAL(182079, eth0.sent_bytes);
  UNSIGNED_LONGS_EQUAL(2308, eth0.sent_packets);
  UNSIGNED_LONGS_EQUAL(4, eth0.sent_errors);
  UNSIGNED_LONGS_EQUAL(6, network->at("eth0:1").sent_bytes);
}

TEST(system_readings, refuses_what_is_no_table_of_interfaces) {
  for (const char* text : {"", "eth0: 1 2 3\n", "a | b\neth0: 1 2 3\n",
                           "a | b\neth0: 1 2 3 4 5 6 7 x 9 10 11 12 13 14 15 16\n",
                           "a | b\n: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"}) {
    CHECK_FALSE_TEXT(parse_network(text).has_value(), text);
  }
  CHECK_TRUE(parse_network("Inter-| x\n face |y\n").has_value());  // a machine without any
}

TEST(system_readings, a_rate_is_growth_for_each_second) {
  DOUBLES_EQUAL(50.0, rate(100, 200, 2.0), 0);
  DOUBLES_EQUAL(0.0, rate(200, 100, 2.0), 0);
  DOUBLES_EQUAL(0.0, rate(100, 200, 0.0), 0);
}

TEST(system_readings, reads_uptime_and_temperatures) {
  CHECK_TRUE(parse_uptime("350735.47 234388.90\n") == std::optional<double>(350735.47));
  for (const char* text : {"", "x", "-5 3"}) CHECK_FALSE_TEXT(parse_uptime(text).has_value(), text);
  CHECK_TRUE(parse_temperature("48312\n") == std::optional<double>(48.312));
  CHECK_TRUE(parse_temperature("-5000") == std::optional<double>(-5.0));
  for (const char* text : {"", "\n", "hot", "48.3", "99999999999999999999"}) {
    CHECK_FALSE_TEXT(parse_temperature(text).has_value(), text);
  }
}
