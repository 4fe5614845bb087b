#include "tests/bench/suite/targets.hpp"

#include <unistd.h>

#include <cstdio>
#include <iterator>
#include <utility>

#include "tests/bench/suite/works.hpp"
#include "tests/bench/support/process.hpp"

namespace jackfield::bench {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSubject = "jackfield";
constexpr const char* kReference = "reference";

// The largest of some figures, and where it was found.
struct Worst {
  Rounds rounds;
  std::string where;

  void take(const Rounds& other, const std::string& place) {
    if (other.median <= rounds.median) return;
    rounds = other;
    where = place;
  }
};

class Targets {
 public:
  Targets(const std::vector<Work>& works, const Setting& setting, const Results& results)
      : works_(works), setting_(setting), results_(results) {}

  // Whether the run has this case. Where no work has it that should, it has another name by now.
  bool has(const std::string& work, const std::string& key) const {
    for (const Work& one : works_) {
      if (one.name != work) continue;
      for (const Group& group : one.groups) {
        for (const Case& other : group.cases) {
          if (other.key == key) return true;
        }
      }
      if (setting_.has_all_cases()) throw Failure("a target is about no case: " + work + " " + key);
    }
    return false;
  }

  // Jackfield's first metric by another server's.
  void add_by(const std::string& work, const std::string& key, const std::string& server,
              double limit, const std::string& what) {
    if (!has(work, key)) return;
    add(what, results_.quotients(work, {key, kSubject}, {key, server}), limit, "x " + server);
  }
  Rounds growth(const std::string& work, const std::string& key, const std::string& base,
                std::size_t metric = 0) const {
    return results_.quotients(work, {key, kSubject}, {base, kSubject}, metric);
  }
  void add_growth(const std::string& work, const std::string& key, const std::string& base,
                  double limit, const std::string& what, const std::string& unit) {
    if (has(work, key) && has(work, base)) add(what, growth(work, key, base), limit, unit);
  }
  void add_rounds(const std::string& work, const std::string& key, std::size_t metric, double scale,
                  double limit, const std::string& what, const std::string& unit) {
    if (!has(work, key)) return;
    Rounds rounds = results_.rounds(work, {key, kSubject}, metric);
    if (rounds.median >= 0) {
      rounds = {rounds.median * scale, rounds.least * scale, rounds.most * scale};
    }
    add(what, rounds, limit, unit);
  }

  void add(const std::string& what, const Rounds& rounds, double limit, const std::string& unit,
           const std::string& where = "") {
    std::string result = "not measured";
    if (rounds.median >= 0) {
      result = rounds.median <= limit ? "met" : "missed";
      const bool is_near = rounds.least < rounds.most && rounds.least <= limit &&
                           limit <= rounds.most;
      if (is_near) result += ", within the spread";
    }
    rows_.push_back({what, if_measured(rounds.median), if_measured(rounds.least),
                     if_measured(rounds.most), limit, unit, result, where});
  }

  const std::vector<Work>& works() const { return works_; }
  const Results& results() const { return results_; }
  std::vector<std::vector<Cell>> take_rows() { return std::move(rows_); }

 private:
  const std::vector<Work>& works_;
  const Setting& setting_;
  const Results& results_;
  std::vector<std::vector<Cell>> rows_;
};

// In MiB; nothing where it cannot be told.
Rounds stripped_size(const fs::path& executable, const fs::path& folder) {
  constexpr std::chrono::seconds kPatience{30};
  const fs::path result = folder / "stripped";
  const pid_t child = spawn({.command = {"strip", "-o", result.string(), executable.string()},
                             .cores = {},
                             .output = STDERR_FILENO,
                             .errors = STDERR_FILENO});
  if (!wait_for_end(child, kPatience)) end_process(child, {});
  std::error_code error;
  const auto size = fs::file_size(result, error);
  return error ? Rounds() : rounds_of({static_cast<double>(size) / (1 << 20)});
}

void add_fan_out(Targets& targets) {
  constexpr const char* kOne = "1,000 subscribers, 64 octets, 1 under way";
  constexpr const char* kMany = "1,000 subscribers, 64 octets, 64 under way";
  targets.add_by("fan-out", "1000/1/64", "limit", 1.05, kOne);
  targets.add_by("fan-out", "1000/64/64", "limit-joined", 2, kMany);
  targets.add_by("fan-out", "1000/64/64", "uwebsockets", 0.3, kMany);
  targets.add_by("fan-out", "10000/16/64", "uwebsockets", 1.0,
                 "10,000 subscribers, 64 octets, 16 under way");
}

// A case that is held against the reference, per message that was delivered.
struct Compared {
  const Work* work;
  std::string key;   // of the case
  Rounds quotients;  // Jackfield's by the reference's; nothing where one has no figure
  bool is_many;      // 64 broadcasts under way
  bool is_measured() const { return quotients.median >= 0; }
  double at_most() const { return is_many ? kMostWithMany : kMostAnywhere; }

  static constexpr double kMostAnywhere = 0.55;
  static constexpr double kMostWithMany = 0.1;
};

std::vector<Compared> find_compared(const std::vector<Work>& works, const Results& results) {
  std::vector<Compared> found;
  for (const Work& work : works) {
    if (!work.is_held_to_reference) continue;
    for (const Group& group : work.groups) {
      for (const Case& one : group.cases) {
        if (one.with_all || one.with_tls) continue;  // the reference has no such case
        const bool is_many = work.name == "fan-out" && one.key.find("/64/") != std::string::npos;
        found.push_back({&work, one.key,
                         results.quotients(work.name, {one.key, kSubject}, {one.key, kReference}),
                         is_many});
      }
    }
  }
  return found;
}

void add_reference(Targets& targets, const std::string& what, bool only_many, double limit) {
  Worst worst;
  std::size_t all = 0;
  std::size_t measured = 0;
  for (const Compared& one : find_compared(targets.works(), targets.results())) {
    if (only_many && !one.is_many) continue;
    ++all;
    if (!one.is_measured()) continue;
    ++measured;
    worst.take(one.quotients, one.work->name + " " + one.key);
  }
  if (all == 0) return;
  const std::string count = std::to_string(measured) + " of " + std::to_string(all) + " cases";
  targets.add("against the reference, " + what + ": the worst", worst.rounds, limit,
              "x reference", worst.where + (worst.where.empty() ? "" : "; ") + count);
}

void add_subscribe(Targets& targets) {
  // Constant: a cost that grew with their number would be 100 and 10 times as high. The smallest
  // number does not tell it alone: where few are closed, most of the cost is the connection's.
  constexpr double kConstant = 2;
  constexpr const char* kOperations[] = {"subscribe", "unsubscribe", "close"};
  for (const std::string kind : {"one-connection", "one-topic"}) {
    for (const auto& [base, name] : {std::pair{"/100", "100"}, std::pair{"/1000", "1,000"}}) {
      if (!targets.has("subscribe", kind + "/10000") || !targets.has("subscribe", kind + base)) {
        continue;
      }
      Worst worst;
      for (std::size_t metric = 0; metric < std::size(kOperations); ++metric) {
        worst.take(targets.growth("subscribe", kind + "/10000", kind + base, metric),
                   kOperations[metric]);
      }
      targets.add("10,000 subscriptions, " + kind + ": the worst of three", worst.rounds, kConstant,
                  std::string("x ") + name + " subscriptions", worst.where);
    }
  }
}

void add_topics(Targets& targets) {
  constexpr double kConstant = 1.1;
  targets.add_growth("topics", "3/10000", "3/1", kConstant, "10,000 topics on 3 connections",
                     "x one topic");
  targets.add_growth("topics", "1500/10000", "1500/500", kConstant,
                     "10,000 topics on 1,500 connections", "x 500 topics");
  targets.add_growth("topics", "3/1/all", "3/1", kConstant, "one topic, four plugins",
                     "x one plugin");
}

void add_memory(Targets& targets, const Setting& setting) {
  const std::string many = ", " + std::to_string(idle_count(setting)) + " of them";
  targets.add_rounds("idle", "one", 0, 1, 2048, "idle connection with one subscription" + many,
                     "octets");
  targets.add_rounds("idle", "own", 0, 1, 2048,
                     "idle connection with one subscription, its own topic" + many, "octets");
}

// Nobody else is to notice them, under whichever policy.
void add_slow(Targets& targets) {
  constexpr std::size_t kP99 = 1;  // metrics of the work
  constexpr std::size_t kGrowth = 5;
  Worst latency;
  Worst growth;
  for (const std::string policy : {"close", "drop_oldest", "drop_new", "latest"}) {
    if (!targets.has("slow", policy) || !targets.has("slow", "none")) return;
    latency.take(targets.growth("slow", policy, "none", kP99), policy);
    growth.take(targets.results().rounds("slow", {policy, kSubject}, kGrowth), policy);
  }
  targets.add("50 clients that never read among 1,000: p99 of the others, the worst policy",
              latency.rounds, 1.5, "x without them", latency.where);
  Rounds mebibytes = growth.rounds;
  if (mebibytes.median >= 0) {
    mebibytes = {mebibytes.median / 1024, mebibytes.least / 1024, mebibytes.most / 1024};
  }
  targets.add("50 clients that never read among 1,000: RSS, the worst policy", mebibytes, 16,
              "MiB more", growth.where);
}

void add_rest(Targets& targets) {
  for (const Work& work : targets.works()) {
    if (work.name != "rest") continue;
    const std::string& key = work.groups.front().cases.front().key;
    const std::string in = " in " + key + " s at rest";
    targets.add_rounds("rest", key, 2, 1.0 / 1024, 9, "RSS at start, four plugins", "MiB");
    targets.add_rounds("rest", key, 0, 1, 0, "wake-ups" + in, "");
    targets.add_rounds("rest", key, 1, 1, 0, "writes" + in, "");
  }
}

// What the fan-out with one under way says where there is nothing to tell apart.
std::string noise_of(const Results& results) {
  constexpr const char* kKey = "1000/1/64";
  const Rounds noise = results.quotients("fan-out", {kKey, "limit-joined"}, {kKey, "limit"});
  if (noise.median < 0) return {};
  char text[160];
  std::snprintf(text, sizeof text,
                " How far quotients can be trusted: limit-joined by limit with 1 under way, which "
                "do the same there, is %.2f, from %.2f to %.2f.",
                noise.median, noise.least, noise.most);
  return text;
}

}  // namespace

Table targets_table(const std::vector<Work>& works, const Setting& setting, const Results& results,
                    const fs::path& executable, const fs::path& folder) {
  Targets targets(works, setting, results);
  add_fan_out(targets);
  add_reference(targets, "everywhere", false, Compared::kMostAnywhere);
  add_reference(targets, "64 under way", true, Compared::kMostWithMany);
  targets.add_by("echo", "1000", "uwebsockets", 1.1, "echo, 1,000 connections");
  add_topics(targets);
  add_subscribe(targets);
  add_memory(targets, setting);
  add_slow(targets);
  add_rest(targets);
  targets.add("executable, stripped", stripped_size(executable, folder), 1, "MiB");

  Table table;
  table.key = "targets";
  table.title = "Targets";
  table.text =
      "What Jackfield is to show, and what this run found: server CPU per delivered message by "
      "that of another server, where nothing else is said. The median of the rounds decides; where "
      "the bound lies between their least and greatest, another run may decide otherwise." +
      noise_of(results);
  table.columns = {{"target", "target", 0}, {"measured", "measured", 2}, {"min", "min", 2},
                   {"max", "max", 2},       {"limit", "at most", 2},     {"unit", "unit", 0},
                   {"result", "result", 0}, {"where", "where", 0}};
  table.rows = targets.take_rows();
  return table;
}

Table missed_table(const std::vector<Work>& works, const Results& results) {
  const std::vector<Compared> compared = find_compared(works, results);
  Table table;
  table.key = "missed_against_reference";
  table.title = "Where the reference is nearer than it is to be";
  table.columns = {{"work", "work", 0},
                   {"case", "case", 0},
                   {"jackfield", "jackfield / reference", 2},
                   {"at_most", "at most", 2},
                   {"limit", "limit / reference", 2},
                   {"limit_joined", "limit-joined / reference", 2}};
  std::size_t measured = 0;
  for (const Compared& one : compared) {
    if (one.is_measured()) ++measured;
    if (one.quotients.median <= one.at_most()) continue;
    const auto by_reference = [&](const char* server) {
      return if_measured(results.quotient(one.work->name, {one.key, server}, {one.key, kReference}));
    };
    table.rows.push_back({one.work->name, one.key, one.quotients.median, one.at_most(),
                          by_reference("limit"), by_reference("limit-joined")});
  }
  table.text = std::to_string(table.rows.size()) + " of the " + std::to_string(measured) +
               " cases that both were measured in. Beside each: what the limits need there, which "
               "do next to nothing but call the kernel.";
  return table;
}

}  // namespace jackfield::bench
