// The metrics as payloads: each reads its files and writes JSON. What has to be compared with the
// reading before (processor times, network counters) is kept here. One thread.
#pragma once

#include <jackfield_json.hpp>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace system_metrics {

// Where to read; other roots are for tests.
struct Roots {
  std::string proc = "/proc";
  std::string sys = "/sys";
  bool operator==(const Roots& other) const { return proc == other.proc && sys == other.sys; }
};

// A file is not there, or not what the kernel writes.
class ReadingError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class Metric {
 public:
  explicit Metric(Roots roots) : roots_(std::move(roots)) {}
  Metric(const Metric&) = delete;
  Metric& operator=(const Metric&) = delete;
  virtual ~Metric() = default;

  // The payload, read now. `now_us`: monotonic microseconds. Throws ReadingError.
  virtual std::string read(std::uint64_t now_us) = 0;
  // Forgets the reading before.
  virtual void forget() {}

  // The reading before as JSON, or "" where none is kept, and back again: false where `json` is no
  // such reading, or is later than `now_us`.
  virtual std::string before() const { return ""; }
  virtual bool restore(const jf::Json& json, std::uint64_t now_us) {
    static_cast<void>(now_us);
    return !json.exists();
  }

 protected:
  const Roots& roots() const { return roots_; }

 private:
  Roots roots_;
};

// cpu, memory, load, network, temperature, uptime.
const std::vector<std::string>& metric_names();

// Null for another name.
std::unique_ptr<Metric> make_metric(std::string_view name, const Roots& roots);

}  // namespace system_metrics
