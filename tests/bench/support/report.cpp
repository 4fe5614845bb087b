#include "tests/bench/support/report.hpp"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <sstream>
#include <string_view>

#include "tests/bench/support/figures.hpp"

namespace jackfield::bench {
namespace {

std::string number(double value, int decimals) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  return text;
}

// For people.
std::string shown(const Cell& cell, int decimals = 2) {
  if (const auto* whole = std::get_if<std::int64_t>(&cell)) return std::to_string(*whole);
  if (const auto* real = std::get_if<double>(&cell)) return number(*real, decimals);
  if (const auto* text = std::get_if<std::string>(&cell)) return *text;
  return "-";
}

std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (octet < ' ') {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(octet));
      result += escape;
    } else {
      result += c;
    }
  }
  return result + "\"";
}

std::string json_of(const Cell& cell) {
  constexpr int kDecimals = 6;
  if (const auto* whole = std::get_if<std::int64_t>(&cell)) return std::to_string(*whole);
  if (const auto* real = std::get_if<double>(&cell)) return number(*real, kDecimals);
  if (const auto* text = std::get_if<std::string>(&cell)) return quoted(*text);
  const auto* list = std::get_if<std::vector<double>>(&cell);
  if (list == nullptr) return "null";
  std::string result = "[";
  for (const double value : *list) {
    result += (result.size() > 1 ? ", " : "") + number(value, kDecimals);
  }
  return result + "]";
}

// In lines for a terminal.
std::string wrapped(const std::string& text) {
  constexpr std::size_t kWidth = 98;
  std::string result;
  std::istringstream words(text);
  std::string line;
  for (std::string word; words >> word;) {
    if (!line.empty() && line.size() + 1 + word.size() > kWidth) {
      result += "  " + line + "\n";
      line.clear();
    }
    line += (line.empty() ? "" : " ") + word;
  }
  return line.empty() ? result : result + "  " + line + "\n";
}

void write_file(const std::string& path, const std::string& content) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << content;
  file.close();
  if (!file) throw Failure("cannot write " + path);
}

// The texts of all that people see, the titles first.
std::vector<std::vector<std::string>> shown_rows(const Table& table) {
  std::vector<std::vector<std::string>> rows(1);
  for (const Column& column : table.columns) {
    if (!column.title.empty()) rows.front().push_back(column.title);
  }
  for (const std::vector<Cell>& cells : table.rows) {
    std::vector<std::string>& row = rows.emplace_back();
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const Column& column = table.columns[i];
      if (!column.title.empty()) row.push_back(shown(cells[i], column.decimals));
    }
  }
  return rows;
}

}  // namespace

void Report::add_fact(const std::string& key, const Cell& value) {
  facts_.emplace_back(key, value);
}

void Report::add_machine(const Machine& machine, const Cores& cores) {
  add_fact("processor", machine.processor);
  add_fact("cores", static_cast<std::int64_t>(machine.cores));
  add_fact("memory", machine.memory);
  add_fact("system", machine.system);
  add_fact("server on core", bench::to_text(cores.server));
  add_fact("load on core", bench::to_text(cores.load));
}

std::string Report::to_text(const Table& table) {
  const auto rows = shown_rows(table);
  std::vector<std::size_t> widths(rows.front().size());
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text = table.title + "\n" + wrapped(table.text);
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string gap(widths[i] - row[i].size(), ' ');
      text += "  " + (i == 0 ? row[i] + gap : gap + row[i]);  // names left, figures right
    }
    text += "\n";
  }
  return text;
}

std::string Report::facts() const {
  std::string text;
  for (const auto& [key, value] : facts_) {
    text += key + std::string(key.size() < 15 ? 15 - key.size() : 1, ' ') + shown(value) + "\n";
  }
  return text;
}

std::string Report::to_markdown() const {
  std::string text = "# Benchmark: " + name_ + "\n\n| | |\n| --- | --- |\n";
  for (const auto& [key, value] : facts_) text += "| " + key + " | " + shown(value) + " |\n";
  for (const Table& table : tables_) {
    text += "\n## " + table.title + "\n";
    if (!table.text.empty()) text += table.text + "\n";
    bool is_head = true;
    for (const auto& row : shown_rows(table)) {
      text += is_head ? "\n|" : "|";
      for (const std::string& cell : row) text += " " + cell + " |";
      text += "\n";
      if (!std::exchange(is_head, false)) continue;
      for (std::size_t i = 0; i < row.size(); ++i) text += i == 0 ? "| --- |" : " ---: |";
      text += "\n";
    }
  }
  return text;
}

std::string Report::to_json() const {
  std::string text = "{\"benchmark\": " + quoted(name_);
  for (const auto& [key, value] : facts_) {
    std::string name = key;
    std::replace(name.begin(), name.end(), ' ', '_');
    text += ",\n " + quoted(name) + ": " + json_of(value);
  }
  for (const Table& table : tables_) {
    text += ",\n " + quoted(table.key) + ": [";
    for (std::size_t row = 0; row < table.rows.size(); ++row) {
      text += row == 0 ? "\n  {" : ",\n  {";
      for (std::size_t i = 0; i < table.columns.size(); ++i) {
        text += (i == 0 ? "" : ", ") + quoted(table.columns[i].key) + ": " +
                json_of(table.rows[row][i]);
      }
      text += "}";
    }
    text += "]";
  }
  return text + "}\n";
}

void Report::write(const std::string& folder) const {
  const std::string path = folder + "/" + name_;
  write_file(path + ".md", to_markdown());
  write_file(path + ".json", to_json());
}

std::string utc_date() {
  const std::time_t now = std::time(nullptr);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", std::gmtime(&now));
  return text;
}

void show(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
}

}  // namespace jackfield::bench
