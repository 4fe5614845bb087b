#include "tests/bench/suite/targets.hpp"

#include <unistd.h>

#include <iterator>
#include <utility>

#include "tests/bench/support/process.hpp"

namespace jackfield::bench {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSubject = "jackfield";
constexpr const char* kReference = "reference";
constexpr double kNotMeasured = -1;

// The largest of some figures, and where it was found.
struct Worst {
  double value = kNotMeasured;
  std::string where;

  void take(double other, const std::string& place) {
    if (other <= value) return;
    value = other;
    where = place;
  }
};

class Targets {
 public:
  explicit Targets(const Results& results) : results_(results) {}

  // Jackfield's first metric by another server's.
  double by(const std::string& work, const std::string& key, const std::string& server) const {
    return results_.quotient(work, {key, kSubject}, {key, server});
  }
  double growth(const std::string& work, const std::string& key, const std::string& base,
                std::size_t metric = 0) const {
    return results_.quotient(work, {key, kSubject}, {base, kSubject}, metric);
  }
  double median(const std::string& work, const std::string& key, std::size_t metric) const {
    return results_.median(work, key, kSubject, metric);
  }

  void add(const std::string& what, double measured, double limit, const std::string& unit,
           const std::string& where = "") {
    const char* result = measured < 0 ? "not measured" : measured <= limit ? "met" : "missed";
    rows_.push_back({what, if_measured(measured), limit, unit, std::string(result), where});
  }
  std::vector<std::vector<Cell>> take_rows() { return std::move(rows_); }

 private:
  const Results& results_;
  std::vector<std::vector<Cell>> rows_;
};

// In MiB.
double stripped_size(const fs::path& executable, const fs::path& folder) {
  constexpr std::chrono::seconds kPatience{30};
  const fs::path result = folder / "stripped";
  const pid_t child = spawn({.command = {"strip", "-o", result.string(), executable.string()},
                             .cores = {},
                             .output = STDERR_FILENO,
                             .errors = STDERR_FILENO});
  if (!wait_for_end(child, kPatience)) end_process(child, {});
  std::error_code error;
  const auto size = fs::file_size(result, error);
  return error ? kNotMeasured : static_cast<double>(size) / (1 << 20);
}

void add_fan_out(Targets& targets) {
  targets.add("1,000 subscribers, 64 octets, 1 under way",
              targets.by("fan-out", "1000/1/64", "limit"), 1.05, "x limit");
  targets.add("1,000 subscribers, 64 octets, 64 under way",
              targets.by("fan-out", "1000/64/64", "limit-joined"), 2, "x limit-joined");
  targets.add("1,000 subscribers, 64 octets, 64 under way",
              targets.by("fan-out", "1000/64/64", "uwebsockets"), 0.3, "x uwebsockets");
  targets.add("10,000 subscribers, 64 octets, 16 under way",
              targets.by("fan-out", "10000/16/64", "uwebsockets"), 1.0, "x uwebsockets");
}

// A case held against the reference, per message that was delivered.
struct Compared {
  const Work* work;
  std::string key;  // of the case
  double quotient;  // Jackfield's by the reference's
  bool is_many;     // 64 broadcasts under way
  double at_most() const { return is_many ? kMostWithMany : kMostAnywhere; }

  static constexpr double kMostAnywhere = 0.55;
  static constexpr double kMostWithMany = 0.1;
};

// In whatever work; those that both have figures of.
std::vector<Compared> find_compared(const std::vector<Work>& works, const Targets& targets) {
  std::vector<Compared> found;
  for (const Work& work : works) {
    if (work.metrics.front().key != "cpu_us") continue;
    for (const Group& group : work.groups) {
      for (const Case& one : group.cases) {
        const double quotient = targets.by(work.name, one.key, kReference);
        const bool is_many = work.name == "fan-out" && one.key.find("/64/") != std::string::npos;
        if (quotient >= 0) found.push_back({&work, one.key, quotient, is_many});
      }
    }
  }
  return found;
}

void add_reference(Targets& targets, const std::vector<Compared>& compared) {
  Worst everywhere;
  Worst many_under_way;
  for (const Compared& one : compared) {
    const std::string place = one.work->name + " " + one.key;
    everywhere.take(one.quotient, place);
    if (one.is_many) many_under_way.take(one.quotient, place);
  }
  targets.add("against the reference, everywhere: the worst", everywhere.value,
              Compared::kMostAnywhere, "x reference", everywhere.where);
  targets.add("against the reference, 64 under way: the worst", many_under_way.value,
              Compared::kMostWithMany, "x reference", many_under_way.where);
}

void add_subscribe(Targets& targets) {
  // Constant: a cost that grew with their number would be 100 times as high.
  constexpr double kConstant = 2;
  constexpr const char* kOperations[] = {"subscribe", "unsubscribe", "close"};
  for (const std::string kind : {"one-connection", "one-topic"}) {
    Worst worst;
    for (std::size_t metric = 0; metric < std::size(kOperations); ++metric) {
      worst.take(targets.growth("subscribe", kind + "/10000", kind + "/100", metric),
                 kOperations[metric]);
    }
    targets.add("10,000 subscriptions, " + kind + ": the worst of three", worst.value, kConstant,
                "x 100 subscriptions", worst.where);
  }
}

}  // namespace

Table targets_table(const std::vector<Work>& works, const Results& results,
                    const fs::path& executable, const fs::path& folder) {
  Targets targets(results);
  add_fan_out(targets);
  add_reference(targets, find_compared(works, targets));
  targets.add("echo, 1,000 connections", targets.by("echo", "1000", "uwebsockets"), 1.1,
              "x uwebsockets");
  targets.add("10,000 topics on 3 connections", targets.growth("topics", "3/10000", "3/1"), 1.1,
              "x one topic");
  targets.add("10,000 topics on 1,500 connections",
              targets.growth("topics", "1500/10000", "1500/500"), 1.1, "x 500 topics");
  add_subscribe(targets);
  targets.add("idle connection with one subscription", targets.median("idle", "one", 0), 2048,
              "octets");
  targets.add("idle connection with one subscription, its own topic",
              targets.median("idle", "own", 0), 2048, "octets");
  for (const Work& work : works) {
    if (work.name != "rest") continue;
    const std::string& key = work.groups.front().cases.front().key;
    const double rss = targets.median(work.name, key, 2);
    targets.add("RSS at start, four plugins", rss < 0 ? rss : rss / 1024, 9, "MiB");
    targets.add("wake-ups in " + key + " s at rest", targets.median(work.name, key, 0), 0, "");
    targets.add("writes in " + key + " s at rest", targets.median(work.name, key, 1), 0, "");
  }
  targets.add("executable, stripped", stripped_size(executable, folder), 1, "MiB");

  Table table;
  table.key = "targets";
  table.title = "Targets";
  table.text =
      "What Jackfield is to show, and what this run found: server CPU per delivered message by "
      "that of another server, where nothing else is said.";
  table.columns = {{"target", "target", 0},   {"measured", "measured", 2},
                   {"limit", "at most", 2},   {"unit", "unit", 0},
                   {"result", "result", 0},   {"where", "where", 0}};
  table.rows = targets.take_rows();
  return table;
}

Table missed_table(const std::vector<Work>& works, const Results& results) {
  const Targets targets(results);
  const std::vector<Compared> compared = find_compared(works, targets);
  Table table;
  table.key = "missed_against_reference";
  table.title = "Where the reference is nearer than it is to be";
  table.columns = {{"work", "work", 0},
                   {"case", "case", 0},
                   {"jackfield", "jackfield / reference", 2},
                   {"at_most", "at most", 2},
                   {"limit", "limit / reference", 2},
                   {"limit_joined", "limit-joined / reference", 2}};
  for (const Compared& one : compared) {
    if (one.quotient <= one.at_most()) continue;
    const auto by_reference = [&](const char* server) {
      return if_measured(results.quotient(one.work->name, {one.key, server}, {one.key, kReference}));
    };
    table.rows.push_back({one.work->name, one.key, one.quotient, one.at_most(),
                          by_reference("limit"), by_reference("limit-joined")});
  }
  table.text = std::to_string(table.rows.size()) + " of the " + std::to_string(compared.size()) +
               " cases that both were measured in. Beside each: what the limits need there, which "
               "do next to nothing but call the kernel.";
  return table;
}

}  // namespace jackfield::bench
