// What a benchmark found, three times: for a terminal, as Markdown for a README, and as JSON with
// every single value for a program. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tests/bench/support/machine.hpp"

namespace jackfield::bench {

// A list of values is for JSON only; nothing (monostate) is "-" for people.
using Cell = std::variant<std::monostate, std::int64_t, double, std::string, std::vector<double>>;

struct Column {
  std::string key;    // in JSON, its unit in it: "median_ms"
  std::string title;  // for people; empty: only in JSON
  int decimals = 2;   // of a double, for people
};

struct Table {
  std::string key;
  std::string title;
  std::string text;  // what was done, a sentence or two
  std::vector<Column> columns;
  std::vector<std::vector<Cell>> rows;  // a cell for each column
};

class Report {
 public:
  explicit Report(std::string name) : name_(std::move(name)) {}

  // What holds for all tables. In JSON the key has '_' for ' '.
  void add_fact(const std::string& key, const Cell& value);
  void add_machine(const Machine& machine, const Cores& cores);
  void add(Table table) { tables_.push_back(std::move(table)); }

  // As a terminal shows them.
  std::string facts() const;
  static std::string to_text(const Table& table);
  // All of it.
  std::string to_markdown() const;
  std::string to_json() const;

  // Writes NAME.md and NAME.json into the folder. Throws Failure.
  void write(const std::string& folder) const;

 private:
  const std::string name_;
  std::vector<std::pair<std::string, Cell>> facts_;
  std::vector<Table> tables_;
};

// "2026-11-23 16:42 UTC": now.
std::string utc_date();

// Writes to stdout, at once, also into a pipe.
void show(const std::string& text);

}  // namespace jackfield::bench
