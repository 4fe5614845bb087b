// The main of a target that runs what is kept: each argument is a file, or a folder of files. The
// names are printed before they are run, so that the last one is the culprit's. A folder that is
// missing or has no file is a failure: it would test nothing.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/fuzz/fuzz.hpp"

namespace fs = std::filesystem;

namespace {

constexpr int kWrong = 1;
constexpr int kUsage = 2;

std::vector<fs::path> files_of(const fs::path& path) {
  if (!fs::is_directory(path)) return {path};
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(path)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// Into memory of just that size, so that a sanitizer sees what reads beyond it.
bool run_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file.is_open()) return false;
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (file.bad()) return false;
  const std::vector<std::uint8_t> octets(text.begin(), text.end());
  std::printf("%s\n", path.c_str());
  std::fflush(stdout);
  jackfield::fuzz::run(octets.data(), octets.size());
  return true;
}

int run_all(const std::vector<fs::path>& paths) {
  std::size_t count = 0;
  for (const fs::path& path : paths) {
    const std::vector<fs::path> files = files_of(path);
    if (files.empty()) {
      std::fprintf(stderr, "%s: has no file to run\n", path.c_str());
      return kWrong;
    }
    for (const fs::path& file : files) {
      if (!run_file(file)) {
        std::fprintf(stderr, "%s: cannot be read\n", file.c_str());
        return kWrong;
      }
      ++count;
    }
  }
  std::printf("%zu inputs, nothing found\n", count);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s FILE-OR-FOLDER...\n", argv[0]);
    return kUsage;
  }
  try {
    return run_all({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return kWrong;
  }
}
