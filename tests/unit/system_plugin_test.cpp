// The system plugin, from its shared object, over a /proc and /sys made by the test.
#include <jackfield_json.hpp>

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/fake_host_damaged.hpp"
#include "tests/support/fake_host.hpp"

#include <CppUTest/TestHarness.h>

using jackfield::test::expect_damaged_refused;
using jackfield::test::FakeHost;
using jackfield::test::PluginFile;
using jackfield::test::replace_with_altered;

namespace {

namespace fs = std::filesystem;

// A folder that goes with it.
class Folder {
 public:
  Folder() {
    std::string path = (fs::temp_directory_path() / "jackfield-system-XXXXXX").string();
    path_ = mkdtemp(path.data());
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  void write(const std::string& name, const std::string& text) const {
    fs::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name) << text;
  }
  void remove(const std::string& name) const { fs::remove_all(path_ / name); }
  std::string config(const std::string& more = "") const {
    return jf::JsonWriter()
               .object()
               .field("proc", (path_ / "proc").string())
               .field("sys", (path_ / "sys").string())
               .take() +
           more + "}";
  }

 private:
  fs::path path_;
};

}  // namespace

TEST_GROUP(system_plugin) {
  Folder folder;
  PluginFile file{"system"};
  FakeHost host{file.table()};
  jf_id client = 0;

  void setup() override {
    folder.write("proc/stat", "cpu  10 0 10 80 0 0 0 0 0 0\ncpu0 10 0 10 80 0 0 0 0 0 0\n");
    folder.write("proc/meminfo",
                 "MemTotal: 1000 kB\nMemFree: 100 kB\nMemAvailable: 250 kB\n"
                 "SwapTotal: 10 kB\nSwapFree: 4 kB\n");
    folder.write("proc/loadavg", "0.10 0.20 0.30 1/50 99\n");
    folder.write("proc/net/dev", "a | b\n c | d\n eth0: 1000 1 0 0 0 0 0 0 500 2 0 0 0 0 0 0\n");
    folder.write("proc/uptime", "12.50 3.00\n");
    folder.write("sys/class/thermal/thermal_zone0/type", "x86_pkg_temp\n");
    folder.write("sys/class/thermal/thermal_zone0/temp", "48312\n");
    LONGS_EQUAL(JF_OK, host.start(folder.config()));
    client = host.connect();
  }
  void teardown() override {
    host.stop();
    UNSIGNED_LONGS_EQUAL(0, host.faults().size());
  }
  jf::Json snapshot(const std::string& metric, std::string& keep) {
    host.subscribe(client, "system:" + metric);
    keep = host.last(client, "snapshot");
    CHECK_TRUE(!keep.empty());
    host.received(client);
    return jf::Json(keep);
  }
};

TEST(system_plugin, a_metric_that_is_unknown_is_not_matched) {
  host.subscribe(client, "system:disk");
  CHECK_EQUAL(std::string("system:disk error {\"code\":\"INTERNAL_ERROR\",\"message\":"
                          "\"No channel matches topic: system:disk\"}"),
              host.heard(client));
}

TEST(system_plugin, pushes_each_metric_as_a_snapshot_with_its_time) {
  for (const char* metric : {"cpu", "memory", "load", "network", "temperature", "uptime"}) {
    std::string keep;
    const jf::Json json = snapshot(metric, keep);
    UNSIGNED_LONGS_EQUAL(24, json["time"].string().value_or("").size());
  }
  UNSIGNED_LONGS_EQUAL(6, host.timers());
}

TEST(system_plugin, the_first_cpu_reading_is_since_boot_and_says_so) {
  std::string keep;
  const jf::Json json = snapshot("cpu", keep);
  CHECK_EQUAL(std::string("\"boot\""), std::string(json["since"].raw()));
  CHECK_EQUAL(std::string("null"), std::string(json["seconds"].raw()));
  CHECK_EQUAL(std::string("20"), std::string(json["usage"].raw()));
  CHECK_EQUAL(std::string("[{\"core\":0,\"usage\":20}]"), std::string(json["cores"].raw()));

  folder.write("proc/stat", "cpu  60 0 10 130 0 0 0 0 0 0\ncpu0 60 0 10 130 0 0 0 0 0 0\n");
  host.advance(1000);
  const std::string update = host.last(client, "update");
  CHECK_EQUAL(std::string("\"previous\""), std::string(jf::Json(update)["since"].raw()));
  CHECK_EQUAL(std::string("1"), std::string(jf::Json(update)["seconds"].raw()));
  CHECK_EQUAL(std::string("50"), std::string(jf::Json(update)["usage"].raw()));
}

TEST(system_plugin, reads_memory_load_uptime_and_temperature) {
  std::string keep;
  jf::Json json = snapshot("memory", keep);
  CHECK_EQUAL(std::string("1024000"), std::string(json["total"].raw()));
  CHECK_EQUAL(std::string("768000"), std::string(json["used"].raw()));
  CHECK_EQUAL(std::string("75"), std::string(json["usage"].raw()));
  CHECK_EQUAL(std::string("6144"), std::string(json["swapUsed"].raw()));
  json = snapshot("load", keep);
  CHECK_EQUAL(std::string("0.1"), std::string(json["one"].raw()));
  CHECK_EQUAL(std::string("50"), std::string(json["tasks"].raw()));
  json = snapshot("uptime", keep);
  CHECK_EQUAL(std::string("12.5"), std::string(json["seconds"].raw()));
  json = snapshot("temperature", keep);
  CHECK_EQUAL(std::string("[{\"name\":\"x86_pkg_temp\",\"celsius\":48.3}]"),
              std::string(json["sensors"].raw()));
}

TEST(system_plugin, finds_the_sensors_of_hwmon_in_order_and_skips_those_that_fail) {
  folder.write("sys/class/hwmon/hwmon1/name", "nvme\n");
  folder.write("sys/class/hwmon/hwmon1/temp10_input", "30000\n");
  folder.write("sys/class/hwmon/hwmon1/temp2_input", "40000\n");
  folder.write("sys/class/hwmon/hwmon1/temp2_label", "Composite\n");
  folder.write("sys/class/hwmon/hwmon1/temp1_input", "broken\n");
  folder.write("sys/class/hwmon/hwmon1/fan1_input", "900\n");
  std::string keep;
  const jf::Json json = snapshot("temperature", keep);
  CHECK_EQUAL(std::string("[{\"name\":\"x86_pkg_temp\",\"celsius\":48.3},"
                          "{\"name\":\"nvme Composite\",\"celsius\":40},"
                          "{\"name\":\"nvme\",\"celsius\":30}]"),
              std::string(json["sensors"].raw()));
}

TEST(system_plugin, a_machine_without_sensors_has_none) {
  folder.remove("sys");
  std::string keep;
  CHECK_EQUAL(std::string("[]"), std::string(snapshot("temperature", keep)["sensors"].raw()));
}

TEST(system_plugin, network_rates_come_with_the_second_reading) {
  std::string keep;
  jf::Json eth0 = snapshot("network", keep)["interfaces"]["eth0"];
  CHECK_EQUAL(std::string("1000"), std::string(eth0["receivedBytes"].raw()));
  CHECK_EQUAL(std::string("null"), std::string(eth0["receivedBytesPerSecond"].raw()));
  folder.write("proc/net/dev", "a | b\n c | d\n eth0: 3000 1 0 0 0 0 0 0 500 2 0 0 0 0 0 0\n");
  host.advance(1000);
  keep = host.last(client, "update");
  eth0 = jf::Json(keep)["interfaces"]["eth0"];
  CHECK_EQUAL(std::string("2000"), std::string(eth0["receivedBytesPerSecond"].raw()));
  CHECK_EQUAL(std::string("0"), std::string(eth0["sentBytesPerSecond"].raw()));
}

TEST(system_plugin, reads_nothing_while_nobody_listens) {
  UNSIGNED_LONGS_EQUAL(0, host.timers());
  const jf_id other = host.connect();
  host.subscribe(client, "system:load");
  host.subscribe(client, "system:load");
  host.subscribe(other, "system:load");
  UNSIGNED_LONGS_EQUAL(1, host.timers());
  host.unsubscribe(client, "system:load");
  UNSIGNED_LONGS_EQUAL(1, host.timers());
  host.close(other);
  UNSIGNED_LONGS_EQUAL(0, host.timers());
  // Who comes then gets what is read then, not what was read before.
  folder.write("proc/loadavg", "9.00 0.20 0.30 1/50 99\n");
  std::string keep;
  CHECK_EQUAL(std::string("9"), std::string(snapshot("load", keep)["one"].raw()));
}

TEST(system_plugin, all_subscribers_get_each_update_at_the_interval) {
  host.stop();
  LONGS_EQUAL(JF_OK, host.start(folder.config(",\"interval_ms\":50")));
  const jf_id other = host.connect();
  host.subscribe(client, "system:load");
  host.subscribe(other, "system:load");
  host.received(client);
  host.received(other);
  host.advance(149);
  UNSIGNED_LONGS_EQUAL(2, host.received(client).size());
  UNSIGNED_LONGS_EQUAL(2, host.received(other).size());
}

TEST(system_plugin, a_metric_that_cannot_be_read_refuses_the_subscriber) {
  folder.write("proc/loadavg", "what?\n");
  host.subscribe(client, "system:load");
  const std::string heard = host.heard(client);
  STRCMP_CONTAINS("system:load error {\"code\":\"INTERNAL_ERROR\"", heard.c_str());
  STRCMP_CONTAINS("proc/loadavg is not in the form that is known", heard.c_str());
  UNSIGNED_LONGS_EQUAL(0, host.timers());
}

TEST(system_plugin, a_metric_that_fails_later_is_logged_once_and_comes_back) {
  host.subscribe(client, "system:load");
  host.received(client);
  folder.remove("proc/loadavg");
  host.advance(3000);
  UNSIGNED_LONGS_EQUAL(0, host.received(client).size());
  UNSIGNED_LONGS_EQUAL(1, host.log().size());
  STRCMP_CONTAINS("a metric cannot be read topic=system:load error=cannot read",
                  host.log()[0].c_str());
  folder.write("proc/loadavg", "0.50 0.20 0.30 1/50 99\n");
  host.advance(1000);
  UNSIGNED_LONGS_EQUAL(1, host.received(client).size());
}

TEST(system_plugin, takes_a_new_interval_while_it_runs) {
  host.subscribe(client, "system:load");
  host.received(client);
  LONGS_EQUAL(JF_OK, host.configure(folder.config(",\"interval_ms\":100")));
  host.advance(1000);
  UNSIGNED_LONGS_EQUAL(10, host.received(client).size());
  CHECK_TRUE(host.configure("{\"interval_ms\":49}") < 0);
}

TEST(system_plugin, a_new_interval_loses_no_reading) {
  host.subscribe(client, "system:cpu");
  host.advance(1000);
  host.received(client);
  LONGS_EQUAL(JF_OK, host.configure(folder.config(",\"interval_ms\":500")));
  host.advance(500);
  const std::string update = host.last(client, "update");
  CHECK_EQUAL(std::string("\"previous\""), std::string(jf::Json(update)["since"].raw()));
  CHECK_EQUAL(std::string("0.5"), std::string(jf::Json(update)["seconds"].raw()));
}

TEST(system_plugin, reads_from_another_folder_while_it_runs) {
  Folder other;
  other.write("proc/loadavg", "9.00 0.20 0.30 1/50 99\n");
  host.subscribe(client, "system:load");
  host.received(client);
  LONGS_EQUAL(JF_OK, host.configure(other.config()));
  host.advance(1000);
  const std::string update = host.last(client, "update");
  CHECK_EQUAL(std::string("9"), std::string(jf::Json(update)["one"].raw()));
}

TEST(system_plugin, nobody_sees_that_it_is_replaced) {
  host.subscribe(client, "system:cpu");
  host.subscribe(client, "system:network");
  host.subscribe(client, "system:load");
  host.advance(1000);
  const std::string latest = host.last(client, "update");
  host.received(client);
  // However often it is replaced, updates come each second, compared with the one before.
  for (int second = 1; second <= 3; ++second) {
    for (int i = 0; i < 4; ++i) {
      host.advance(200);
      LONGS_EQUAL(JF_OK, host.replace());
      UNSIGNED_LONGS_EQUAL(3, host.timers());
    }
    CHECK_EQUAL(std::string(""), host.heard(client));
    folder.write("proc/net/dev", "a | b\n c | d\n eth0: " + std::to_string(1000 + 100 * second) +
                                     " 1 0 0 0 0 0 0 500 2 0 0 0 0 0 0\n");
    host.advance(199);
    CHECK_EQUAL(std::string(""), host.heard(client));
    host.advance(1);
    const std::vector<std::string> updates = host.received(client);
    UNSIGNED_LONGS_EQUAL(3, updates.size());
    for (const std::string& update : updates) {
      const jf::Json json(std::string_view(update).substr(update.find('{')));
      if (update.find(":cpu ") != std::string::npos) {
        CHECK_EQUAL(std::string("\"previous\""), std::string(json["since"].raw()));
        CHECK_EQUAL(std::string("1"), std::string(json["seconds"].raw()));
      } else if (update.find(":network ") != std::string::npos) {
        const jf::Json eth0 = json["interfaces"]["eth0"];
        CHECK_EQUAL(std::string("100"), std::string(eth0["receivedBytesPerSecond"].raw()));
      }
    }
  }
  host.unsubscribe(client, "system:cpu");
  UNSIGNED_LONGS_EQUAL(2, host.timers());
}

TEST(system_plugin, who_joins_after_a_replacement_gets_what_the_others_got_last) {
  host.subscribe(client, "system:cpu");
  host.advance(1000);
  const std::string latest = host.last(client, "update");
  host.advance(600);
  LONGS_EQUAL(JF_OK, host.replace());
  const jf_id late = host.connect();
  host.subscribe(late, "system:cpu");
  CHECK_EQUAL(latest, host.last(late, "snapshot"));
}

TEST(system_plugin, a_replacement_with_another_interval_begins_it_soon) {
  host.subscribe(client, "system:load");
  host.received(client);
  FakeHost::Replacement how;
  how.config = folder.config(",\"interval_ms\":100");
  LONGS_EQUAL(JF_OK, host.replace(how));
  host.advance(1000);
  UNSIGNED_LONGS_EQUAL(10, host.received(client).size());
}

TEST(system_plugin, who_leaves_while_it_is_replaced_leaves_nothing_behind) {
  host.subscribe(client, "system:cpu");
  host.advance(1000);
  FakeHost::Replacement how;
  how.after_save = [this](std::uint32_t&, std::string&) { host.close(client); };
  LONGS_EQUAL(JF_OK, host.replace(how));
  UNSIGNED_LONGS_EQUAL(0, host.timers());
  const jf_id late = host.connect();
  host.subscribe(late, "system:cpu");
  STRCMP_CONTAINS("\"since\":\"boot\"", host.last(late, "snapshot").c_str());
}

TEST(system_plugin, a_metric_that_fails_is_not_logged_again_by_who_replaces_it) {
  host.subscribe(client, "system:load");
  folder.remove("proc/loadavg");
  host.advance(1000);
  UNSIGNED_LONGS_EQUAL(1, host.log().size());
  LONGS_EQUAL(JF_OK, host.replace());
  host.advance(2000);
  UNSIGNED_LONGS_EQUAL(1, host.log().size());
  folder.write("proc/loadavg", "0.50 0.20 0.30 1/50 99\n");
  host.received(client);
  host.advance(1000);
  UNSIGNED_LONGS_EQUAL(1, host.received(client).size());
}

TEST(system_plugin, does_not_take_a_damaged_state_on_trust) {
  host.subscribe(client, "system:cpu");
  host.subscribe(client, "system:network");
  const std::string state = expect_damaged_refused(host);
  const char* const cases[][2] = {
      {"{}", "state.metrics: is required"},
      {R"({"metrics":{"cpu":{"next":0,"failing":false,"latest":null,"before":{"at":0}}}})",
       "state.cpu.before: is no reading"},
      {R"({"metrics":{"cpu":{"next":0,"failing":false,"latest":null,"before":)"
       R"({"at":99000000000,"text":"cpu 1 2 3 4\n"}}}})",
       "state.cpu.before: is no reading"},
      {R"({"metrics":{"load":{"next":0,"failing":false,"latest":null,"before":{}}}})",
       "state.load.before: is no reading"},
      {R"({"metrics":{"cpu":{"next":-1,"failing":false,"latest":null}}})",
       "state.cpu.next: must be an integer of at least 0"}};
  for (const auto& [damaged, mistake] : cases) {
    LONGS_EQUAL(JF_E_STATE, host.replace_with_state(1, damaged));
    STRCMP_CONTAINS(mistake, host.log().back().c_str());
  }
  host.received(client);
  host.advance(1000);  // the old one goes on
  UNSIGNED_LONGS_EQUAL(2, host.received(client).size());

  replace_with_altered(host, state, [this] {
    host.received(client);
    host.advance(1000);
    CHECK_TRUE(!host.last(client, "update").empty());
  });
}

TEST(system_plugin, a_state_for_which_nobody_listens_is_no_snapshot) {
  LONGS_EQUAL(JF_OK, host.replace_with_state(1, R"({"metrics":{"cpu":{"next":5,"failing":true,)"
                                                R"("latest":{"old":1}},"disk":7}})"));
  host.subscribe(client, "system:cpu");
  STRCMP_CONTAINS("\"since\":\"boot\"", host.last(client, "snapshot").c_str());
}

TEST(system_plugin, says_what_is_wrong_with_its_configuration) {
  FakeHost other(file.table());
  CHECK_TRUE(other.start("{\"interval_ms\":10}") < 0);
  STRCMP_CONTAINS("interval_ms: must be an integer from 50 to 86400000", other.log()[0].c_str());
  FakeHost another(file.table());
  CHECK_TRUE(another.start("{\"intervall\":100}") < 0);
  STRCMP_CONTAINS("intervall: is not known", another.log()[0].c_str());
}

TEST(system_plugin, reads_this_machine) {
  FakeHost real(file.table());
  LONGS_EQUAL(JF_OK, real.start());
  const jf_id one = real.connect();
  for (const char* metric : {"cpu", "memory", "load", "network", "temperature", "uptime"}) {
    real.subscribe(one, std::string("system:") + metric);
    CHECK_TRUE_TEXT(!real.last(one, "snapshot").empty(), metric);
    real.received(one);
  }
}
