#include "tests/conformance/report.hpp"

#include <array>

namespace jackfield::conformance {
namespace {

std::string escaped(const std::string& text) {
  std::string cell;
  for (const char c : text) cell += c == '|' ? "\\|" : std::string(1, c);
  return cell;
}

const char* word(Verdict verdict) {
  switch (verdict) {
    case Verdict::kHolds: return "holds";
    case Verdict::kDeviates: return "deviates";
    case Verdict::kFails: return "FAILS";
  }
  return "";
}

// Empty where the row is not played in this cut, or has not been.
std::string cell(const Verdicts& verdicts, const std::string& subject, std::size_t row, Cut cut,
                 std::array<int, 3>& counts) {
  const auto of_subject = verdicts.find(subject);
  if (of_subject == verdicts.end()) return "";
  const auto of_row = of_subject->second.find(row);
  if (of_row == of_subject->second.end()) return "";
  const auto found = of_row->second.find(cut);
  if (found == of_row->second.end()) return "";
  ++counts[static_cast<std::size_t>(found->second)];
  return word(found->second);
}

}  // namespace

Verdicts& found_verdicts() {
  static Verdicts verdicts;
  return verdicts;
}

std::string table_text(const std::vector<Subject>& subjects) {
  std::string text;
  for (const Subject& subject : subjects) {
    text += "### " + subject.name + ": " + subject.about + "\n\n| section | what must hold | |\n";
    text += "| --- | --- | --- |\n";
    for (const Row& row : subject.rows) {
      text += "| " + row.section + " | " + escaped(row.must) + " | " +
              (row.deviation ? "deviates: " + row.deviation->name : "") + " |\n";
    }
    text += "\n";
  }
  return text;
}

std::string report_text(const std::vector<Subject>& subjects, const Verdicts& verdicts) {
  std::string text;
  std::array<int, 3> counts{};
  std::size_t rows = 0;
  std::size_t exchanges = 0;
  for (const Subject& subject : subjects) {
    text += "### " + subject.name + ": " + subject.about + "\n\n| section | what must hold |";
    std::string line = "| --- | --- |";
    for (const Cut cut : kCuts) {
      text.append(" ").append(name_of(cut)).append(" |");
      line += " --- |";
    }
    text += "\n" + line + "\n";
    for (std::size_t i = 0; i < subject.rows.size(); ++i) {
      const Row& row = subject.rows[i];
      text += "| " + row.section + " | " + escaped(row.must) + " |";
      for (const Cut cut : kCuts) {
        text += " " + cell(verdicts, subject.name, i, cut, counts) + " |";
      }
      text += "\n";
      ++rows;
      exchanges += row.exchanges.size() + row.requests.size();
    }
    text += "\n";
  }
  return text + std::to_string(rows) + " rows with " + std::to_string(exchanges) +
         " exchanges; of the rows in their cuts " + std::to_string(counts[0]) + " hold, " +
         std::to_string(counts[1]) + " deviate as is said in tests/conformance/README.md, " +
         std::to_string(counts[2]) + " fail\n";
}

}  // namespace jackfield::conformance
