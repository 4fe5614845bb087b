#include "plugins/system/metrics.hpp"

#include <jackfield.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <optional>
#include <utility>

#include "plugins/system/readings.hpp"

namespace system_metrics {
namespace {

namespace fs = std::filesystem;

// The files that are read are smaller by far.
constexpr std::size_t kMaxFile = std::size_t{4} << 20;

// A file of /proc has no size, so it is read to its end.
std::optional<std::string> contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::string all;
  std::array<char, 4096> piece{};
  while (all.size() < kMaxFile) {
    file.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    if (file.gcount() <= 0) break;
    all.append(piece.data(), static_cast<std::size_t>(file.gcount()));
  }
  if (file.bad()) return std::nullopt;
  return all;
}

template <class Value>
using Parse = std::optional<Value> (*)(std::string_view);

// What a parser makes of a file; throws with the path where it makes nothing of it.
template <class Value>
Value parsed(const std::string& path, Parse<Value> parse, std::string* text = nullptr) {
  std::optional<std::string> found = contents(path);
  if (!found) throw ReadingError("cannot read " + path);
  const std::optional<Value> value = parse(*found);
  if (!value) throw ReadingError(path + " is not in the form that is known");
  if (text != nullptr) *text = std::move(*found);
  return *value;
}

// A metric that compares its file with the one that was read before. That one's text is what is
// handed over, and read anew by who gets it.
template <class Value>
class ComparingMetric : public Metric {
 public:
  ComparingMetric(Roots roots, Parse<Value> parse) : Metric(std::move(roots)), parse_(parse) {}

  void forget() override { before_.reset(); }

  std::string before() const override {
    if (!before_) return "";
    return jf::JsonWriter()
        .object()
        .field("at", before_->at_us)
        .field("text", before_->text)
        .end()
        .take();
  }
  bool restore(const jf::Json& json, std::uint64_t now_us) override {
    forget();
    if (!json.exists()) return true;
    const auto at = json["at"].integer();
    const auto text = json["text"].string();
    const std::optional<Value> value = text ? parse_(*text) : std::nullopt;
    if (!at || *at < 0 || static_cast<std::uint64_t>(*at) > now_us || !value) return false;
    before_ = Reading{*text, *value, static_cast<std::uint64_t>(*at)};
    return true;
  }

 protected:
  struct Reading {
    std::string text;
    Value value;
    std::uint64_t at_us;
  };

  Reading read_file(const std::string& path, std::uint64_t now_us) const {
    Reading reading;
    reading.at_us = now_us;
    reading.value = parsed(path, parse_, &reading.text);
    return reading;
  }
  static double seconds_between(const Reading& before, const Reading& now) {
    return static_cast<double>(now.at_us - before.at_us) / 1e6;
  }

  std::optional<Reading> before_;

 private:
  Parse<Value> parse_;
};

jf::JsonWriter begin() {
  jf::JsonWriter writer;
  writer.object().field("time", jf::iso_time());
  return writer;
}

double percent(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return 0;
  return rounded(100 * static_cast<double>(part) / static_cast<double>(whole));
}

class CpuMetric : public ComparingMetric<Cpu> {
 public:
  explicit CpuMetric(Roots roots) : ComparingMetric(std::move(roots), parse_cpu) {}

  std::string read(std::uint64_t now_us) override {
    Reading now = read_file(roots().proc + "/stat", now_us);
    const Cpu& cpu = now.value;
    const Cpu from = before_ ? before_->value : Cpu{};
    jf::JsonWriter writer = begin();
    // A share needs two readings. The first is compared with boot, which the payload says.
    writer.field("since", before_ ? "previous" : "boot");
    writer.key("seconds");
    if (before_) {
      writer.value(std::round(seconds_between(*before_, now) * 1000) / 1000);
    } else {
      writer.null();
    }
    writer.field("usage", usage(from.all, cpu.all)).key("cores").array();
    for (const auto& [core, times] : cpu.cores) {
      const auto earlier = from.cores.find(core);
      writer.object().field("core", core);
      writer.field("usage",
                   usage(earlier == from.cores.end() ? CpuTimes{} : earlier->second, times));
      writer.end();
    }
    before_ = std::move(now);
    return writer.end().end().take();
  }
};

class MemoryMetric : public Metric {
 public:
  using Metric::Metric;

  std::string read(std::uint64_t) override {
    const Memory memory = parsed(roots().proc + "/meminfo", parse_memory);
    const std::uint64_t used = memory.total - memory.available;
    return begin()
        .field("total", memory.total)
        .field("used", used)
        .field("available", memory.available)
        .field("free", memory.free)
        .field("buffers", memory.buffers)
        .field("cached", memory.cached)
        .field("swapTotal", memory.swap_total)
        .field("swapUsed", memory.swap_total - std::min(memory.swap_free, memory.swap_total))
        .field("usage", percent(used, memory.total))
        .end()
        .take();
  }
};

class LoadMetric : public Metric {
 public:
  using Metric::Metric;

  std::string read(std::uint64_t) override {
    const Load load = parsed(roots().proc + "/loadavg", parse_load);
    return begin()
        .field("one", load.one)
        .field("five", load.five)
        .field("fifteen", load.fifteen)
        .field("running", load.running)
        .field("tasks", load.tasks)
        .end()
        .take();
  }
};

class NetworkMetric : public ComparingMetric<Network> {
 public:
  explicit NetworkMetric(Roots roots) : ComparingMetric(std::move(roots), parse_network) {}

  std::string read(std::uint64_t now_us) override {
    Reading reading = read_file(roots().proc + "/net/dev", now_us);
    const Network earlier = before_ ? before_->value : Network{};
    const double seconds = before_ ? seconds_between(*before_, reading) : 0;
    jf::JsonWriter writer = begin();
    writer.key("interfaces").object();
    for (const auto& [name, now] : reading.value) {
      const auto before = earlier.find(name);
      std::optional<double> received;
      std::optional<double> sent;
      if (before != earlier.end()) {
        received = rate(before->second.received_bytes, now.received_bytes, seconds);
        sent = rate(before->second.sent_bytes, now.sent_bytes, seconds);
      }
      writer.key(name)
          .object()
          .field("receivedBytes", now.received_bytes)
          .field("receivedPackets", now.received_packets)
          .field("receivedErrors", now.received_errors)
          .field("receivedBytesPerSecond", received)
          .field("sentBytes", now.sent_bytes)
          .field("sentPackets", now.sent_packets)
          .field("sentErrors", now.sent_errors)
          .field("sentBytesPerSecond", sent)
          .end();
    }
    before_ = std::move(reading);
    return writer.end().end().take();
  }
};

class TemperatureMetric : public Metric {
 public:
  using Metric::Metric;

  // A machine without sensors, or one that cannot be read just now, is no failure.
  std::string read(std::uint64_t) override {
    jf::JsonWriter writer = begin();
    writer.key("sensors").array();
    for (const fs::path& zone : entries(roots().sys + "/class/thermal", "thermal_zone", "")) {
      sensor(writer, zone / "temp", line(zone / "type"));
    }
    for (const fs::path& chip : entries(roots().sys + "/class/hwmon", "hwmon", "")) {
      const std::string name = line(chip / "name");
      for (const fs::path& input : entries(chip, "temp", "_input")) {
        const std::string file = input.filename().string();
        const std::string label = line(chip / (file.substr(0, file.size() - 6) + "_label"));
        sensor(writer, input, label.empty() ? name : name + " " + label);
      }
    }
    return writer.end().end().take();
  }

 private:
  // The entries of a folder whose names begin and end so; sorted.
  static std::vector<fs::path> entries(const fs::path& folder, std::string_view begin,
                                       std::string_view end) {
    std::vector<fs::path> found;
    std::error_code error;
    for (fs::directory_iterator each(folder, error), over; !error && each != over;
         each.increment(error)) {
      const std::string name = each->path().filename().string();
      if (name.size() < begin.size() + end.size() || name.substr(0, begin.size()) != begin)
        continue;
      if (name.substr(name.size() - end.size()) == end) found.push_back(each->path());
    }
    // By number: temp10 comes after temp2.
    std::sort(found.begin(), found.end(), [](const fs::path& left, const fs::path& right) {
      const std::string a = left.filename().string();
      const std::string b = right.filename().string();
      return a.size() != b.size() ? a.size() < b.size() : a < b;
    });
    return found;
  }

  static std::string line(const fs::path& path) {
    const std::string text = contents(path.string()).value_or("");
    return text.substr(0, text.find('\n'));
  }

  static void sensor(jf::JsonWriter& writer, const fs::path& path, const std::string& name) {
    const std::optional<double> celsius = parse_temperature(contents(path.string()).value_or(""));
    if (!celsius) return;
    const fs::path folder = path.parent_path();
    writer.object().field("name", name.empty() ? folder.filename().string() : name);
    writer.field("celsius", rounded(*celsius)).end();
  }
};

class UptimeMetric : public Metric {
 public:
  using Metric::Metric;

  std::string read(std::uint64_t) override {
    const double seconds = parsed(roots().proc + "/uptime", parse_uptime);
    // To the second: the two clocks are not read at the same instant.
    const auto booted = std::chrono::time_point_cast<std::chrono::seconds>(
        std::chrono::system_clock::now() -
        std::chrono::seconds(static_cast<std::int64_t>(std::min(seconds, 1e10))));
    return begin().field("seconds", seconds).field("bootedAt", jf::iso_time(booted)).end().take();
  }
};

template <class Kind>
std::unique_ptr<Metric> make(const Roots& roots) {
  return std::make_unique<Kind>(roots);
}

struct Known {
  std::string_view name;
  std::unique_ptr<Metric> (*make)(const Roots&);
};

constexpr std::array<Known, 6> kKnown = {{{"cpu", make<CpuMetric>},
                                          {"memory", make<MemoryMetric>},
                                          {"load", make<LoadMetric>},
                                          {"network", make<NetworkMetric>},
                                          {"temperature", make<TemperatureMetric>},
                                          {"uptime", make<UptimeMetric>}}};

}  // namespace

const std::vector<std::string>& metric_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const Known& known : kKnown) all.emplace_back(known.name);
    return all;
  }();
  return names;
}

std::unique_ptr<Metric> make_metric(std::string_view name, const Roots& roots) {
  for (const Known& known : kKnown) {
    if (known.name == name) return known.make(roots);
  }
  return nullptr;
}

}  // namespace system_metrics
