// One kind of work of the suite: cases that every server is put through, and what is measured of
// each. The cases of a group share what they need to have open: a Stage, made anew for each server
// and round. One thread.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/bench/suite/measured_server.hpp"
#include "tests/bench/support/report.hpp"

namespace jackfield::bench {

// That a process needs beside those of connections.
inline constexpr std::size_t kOtherDescriptors = 200;

// What the command line says of all works.
struct Setting {
  bool is_short = false;
  std::size_t rounds = 5;
  std::size_t idle = 10000;        // connections
  std::size_t descriptors = 1024;  // that a process can have
  std::filesystem::path programs;  // the folder of the limit
  std::vector<int> all_cores;      // the servers' and the load's
  // Only these cases of the fan-out; empty: all.
  std::vector<std::size_t> subscribers;
  std::vector<std::size_t> under_way;
  std::vector<std::size_t> sizes;
  bool has_all_cases() const { return subscribers.empty() && under_way.empty() && sizes.empty(); }
};

class Stage {
 public:
  virtual ~Stage() = default;
  // The values of the work's metrics for one of the group's cases, in their order.
  virtual std::vector<double> measure(std::size_t number) = 0;
};

struct Case {
  std::string key;           // "1000/64/64", unique within the work
  std::vector<Cell> labels;  // a cell for each of the work's
  std::string base = {};     // another case, from which this has grown; empty: none
  // Measured on a server that has all plugins, by kinds of server that have any.
  bool with_all = false;
  // Measured over TLS, by kinds of server that have it.
  bool with_tls = false;
};

struct Group {
  std::string name;  // "1000 subscribers"
  std::vector<Case> cases;
  std::size_t max_rounds = SIZE_MAX;
  // For so many its servers are set up; 0: for the work's.
  std::size_t connections = 0;
  // Started anew for each stage.
  bool needs_fresh_server = false;
  // Not empty: about Jackfield alone, with this policy for slow clients (Launch).
  std::string policy{};
  // What one connection must be able to hold; a server that cannot is left out.
  std::size_t topics = 1;
  std::function<std::unique_ptr<Stage>(MeasuredServer& server)> open;
};

struct Work;
class Results;

// Who is measured, for a work that does not run in rounds.
struct Round {
  std::vector<const ServerKind*> kinds;
  std::filesystem::path folder;
  std::vector<int> cores;
};

struct Work {
  std::string name;  // behind --only: "fan-out"
  std::string title;
  std::string text;
  std::vector<Column> labels;
  std::vector<Column> metrics;
  std::vector<Group> groups;
  std::size_t connections = 0;    // that come to a server, at most
  std::size_t subscriptions = 1;  // of one of them, at most
  std::size_t grown = 0;          // so many metrics are compared with those of the case's base
  bool is_compared = true;        // the first metric, with other servers'
  bool is_held_to_reference = false;  // a target says what the first metric is to be beside its
  // Measures all servers together, instead of the groups' stages. A server that it says nothing of
  // has no row.
  std::function<void(const Work& work, const Round& round, Results& results)> run_together;
};

// What several rounds came to; negative: nothing.
struct Rounds {
  double median = -1;
  double least = -1;
  double most = -1;
};
Rounds rounds_of(const std::vector<double>& values);

// Of a median or a quotient; negative: nothing.
inline Cell if_measured(double value) { return value < 0 ? Cell() : Cell(value); }

// Every value that was measured, and why there is none.
class Results {
 public:
  // The values of each metric, a value for each round.
  using Values = std::vector<std::vector<double>>;
  struct Entry {
    Values values;
    std::string failure;       // why there are none; empty: there are
    bool is_left_out = false;  // which is not the server's fault
    bool is_long = false;      // it took so long that few rounds have to do
  };

  Entry& at(const std::string& work, const std::string& key, const std::string& server) {
    return entries_[work + " " + key + " " + server];
  }
  bool has(const std::string& work, const std::string& key, const std::string& server) const {
    return entries_.count(work + " " + key + " " + server) > 0;
  }
  // From now on there are no values. The first reason stays.
  void fail(const std::string& work, const std::string& key, const std::string& server,
            const std::string& reason);
  // Whether a server failed in anything.
  bool has_failed(const std::string& server) const;
  // The median, or a negative number where it was not measured.
  double median(const std::string& work, const std::string& key, const std::string& server,
                std::size_t metric = 0) const;
  // One measured thing by another: the median of the rounds' own quotients where both have as many
  // rounds, so that what else the machine did cancels out; negative where one was not measured.
  struct Place {
    std::string key;
    std::string server;
  };
  double quotient(const std::string& work, const Place& one, const Place& other,
                  std::size_t metric = 0) const {
    return quotients(work, one, other, metric).median;
  }
  Rounds quotients(const std::string& work, const Place& one, const Place& other,
                   std::size_t metric = 0) const;
  // The rounds themselves.
  Rounds rounds(const std::string& work, const Place& place, std::size_t metric = 0) const;

 private:
  const std::vector<double>* values(const std::string& work, const Place& place,
                                    std::size_t metric) const;

  std::map<std::string, Entry> entries_;
};

}  // namespace jackfield::bench
