// The programs that servers are started from: where they are found, what they say of themselves,
// and the files that they want. One thread.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "tests/bench/servers/server_kind.hpp"

namespace jackfield::bench {

// The program in $PATH, or in one of the folders for services, which not everybody has in theirs;
// empty where there is none.
std::filesystem::path find_program(const std::string& name);

struct Outcome {
  bool is_good = false;  // it ended with 0
  std::string output;    // standard output and error, at most kMaxOutput octets
};
inline constexpr std::size_t kMaxOutput = 64 << 10;
// Runs a program, by its path, until it ends.
Outcome run_program(const Command& command);

// The word after `before`, up to white space or one of `ends`; "" where there is none.
std::string word_after(std::string_view text, std::string_view before, std::string_view ends = "");

// Throws Failure.
void write_file(const std::filesystem::path& path, std::string_view text);
void copy_to(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace jackfield::bench
