// A work's table: what each server came to in each case, as medians of its rounds, and how that
// compares.
#include <algorithm>
#include <map>

#include "tests/bench/suite/runner.hpp"

namespace jackfield::bench {
namespace {

// Whose figures the others are compared with, as far as they are there.
constexpr const char* kReferences[] = {"limit", "limit-joined", "uwebsockets", "reference"};

class Rows {
 public:
  Rows(const Work& work, const std::vector<const ServerKind*>& kinds, Results& results)
      : work_(work), results_(results) {
    for (const char* reference : kReferences) {
      const bool is_here = std::any_of(kinds.begin(), kinds.end(), [&](const ServerKind* kind) {
        return kind->name() == reference;
      });
      if (is_here && work.is_compared) references_.push_back(reference);
    }
  }

  std::vector<Column> columns() const {
    std::vector<Column> columns = work_.labels;
    columns.push_back({"server", "server", 0});
    for (std::size_t metric = 0; metric < work_.metrics.size(); ++metric) {
      const Column& column = work_.metrics[metric];
      columns.push_back(column);
      if (metric == 0) {
        columns.push_back({column.key + "_min", "min", column.decimals});
        columns.push_back({column.key + "_max", "max", column.decimals});
        for (const std::string& reference : references_) {
          columns.push_back({"by_" + reference, "/ " + reference, 2});
        }
      }
      if (metric < work_.grown) columns.push_back({column.key + "_growth", "growth", 2});
    }
    columns.push_back({"note", "", 0});  // people find it in the text
    for (const Column& column : work_.metrics) columns.push_back({column.key + "_all", "", 0});
    return columns;
  }

  std::vector<Cell> row(const Case& one, const std::string& server) {
    const Results::Entry& entry = results_.at(work_.name, one.key, server);
    std::vector<Cell> cells = one.labels;
    cells.push_back(server);
    for (std::size_t metric = 0; metric < work_.metrics.size(); ++metric) {
      cells.push_back(if_measured(results_.median(work_.name, one.key, server, metric)));
      if (metric == 0) add_comparison(one, server, cells);
      if (metric >= work_.grown) continue;
      cells.push_back(if_measured(
          results_.quotient(work_.name, {one.key, server}, {one.base, server}, metric)));
    }
    cells.push_back(entry.failure);
    for (std::size_t metric = 0; metric < work_.metrics.size(); ++metric) {
      cells.push_back(metric < entry.values.size() ? Cell(entry.values[metric]) : Cell());
    }
    return cells;
  }

 private:
  void add_comparison(const Case& one, const std::string& server, std::vector<Cell>& cells) const {
    const Rounds rounds = results_.rounds(work_.name, {one.key, server});
    cells.push_back(if_measured(rounds.least));
    cells.push_back(if_measured(rounds.most));
    for (const std::string& reference : references_) {
      cells.push_back(if_measured(
          results_.quotient(work_.name, {one.key, server}, {one.key, reference})));
    }
  }

  const Work& work_;
  Results& results_;
  std::vector<std::string> references_;
};

// Whom the work has no figures of, and why.
std::string failures(const Work& work, const std::vector<const ServerKind*>& kinds,
                     Results& results) {
  std::string text;
  for (const ServerKind* kind : kinds) {
    std::map<std::string, std::string> cases;  // of each reason
    for (const Group& group : work.groups) {
      for (const Case& one : group.cases) {
        if (!results.has(work.name, one.key, kind->name())) continue;
        const std::string& reason = results.at(work.name, one.key, kind->name()).failure;
        if (reason.empty()) continue;
        std::string& list = cases[reason];
        list += (list.empty() ? "" : ", ") + one.key;
      }
    }
    for (const auto& [reason, list] : cases) {
      text += " Not measured: " + kind->name() + " (" + list + "): " + reason + ".";
    }
  }
  return text;
}

}  // namespace

Table table_of(const Work& work, const std::vector<const ServerKind*>& kinds, Results& results) {
  Table table;
  table.key = work.name;
  std::replace(table.key.begin(), table.key.end(), '-', '_');
  table.title = work.title;
  table.text = work.text + failures(work, kinds, results);
  Rows rows(work, kinds, results);
  table.columns = rows.columns();
  for (const Group& group : work.groups) {
    for (const Case& one : group.cases) {
      for (const ServerKind* kind : kinds) {
        const bool has_row = results.has(work.name, one.key, kind->name());
        if (has_row) table.rows.push_back(rows.row(one, kind->name()));
      }
    }
  }
  return table;
}

}  // namespace jackfield::bench
