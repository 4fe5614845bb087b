#include "tests/bench/servers/node_kinds.hpp"

#include <cstdlib>
#include <fstream>
#include <initializer_list>
#include <iterator>

#include "tests/bench/servers/program.hpp"
#include "tests/bench/support/figures.hpp"

namespace jackfield::bench {
namespace {

namespace fs = std::filesystem;

bool is_there(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

fs::path reference_source(const Installed& installed) {
  const char* const named = std::getenv("JACKFIELD_REFERENCE");
  if (named != nullptr && *named != '\0') return named;
  const fs::path checkout = fs::absolute(installed.sources) / "../../..";
  return (checkout / "../shared/seed/ws-server.ts").lexically_normal();
}

// Why node, or one of the packages, cannot be had; "" where all can.
std::string missing_packages(const Installed& installed,
                             std::initializer_list<const char*> packages) {
  if (find_program("node").empty()) return "not installed: node";
  for (const char* const package : packages) {
    if (installed.packages.empty() || !is_there(installed.packages / "node_modules" / package)) {
      return std::string("not installed: ") + package + ", of npm";
    }
  }
  return {};
}

// Of an installed package: the first "version" of its package.json.
std::string package_version(const Installed& installed, const char* package) {
  std::ifstream file(installed.packages / "node_modules" / package / "package.json");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return word_after(text, "\"version\": \"", "\"");
}

std::string node_version() {
  const std::string version = run_program({find_program("node").string(), "--version"}).output;
  return "node " + word_after(version, "v");
}

// What node is to run lies in a folder that finds the packages.
void make_folder(const Installed& installed, const fs::path& folder) {
  std::error_code error;
  const fs::path packages = fs::absolute(installed.packages) / "node_modules";
  fs::create_directory_symlink(packages, folder / "node_modules", error);
  if (error) throw Failure("cannot link the packages of npm: " + error.message());
}

}  // namespace

ReferenceKind::ReferenceKind(const Installed& installed)
    : installed_(installed), source_(reference_source(installed)) {}

std::string ReferenceKind::version() const {
  return node_version() + ", ws " + package_version(installed_, "ws");
}

std::string ReferenceKind::missing() const {
  if (!is_there(source_)) return "not there: " + source_.string() + " ($JACKFIELD_REFERENCE)";
  return missing_packages(installed_, {"ws", "zod", "esbuild"});
}

Command ReferenceKind::prepare(const Launch& launch) const {
  make_folder(installed_, launch.folder);
  write_file(launch.folder / "package.json", "{\"type\":\"module\"}\n");
  // node does not run TypeScript: types are taken out, and nothing else is changed.
  const fs::path esbuild = installed_.packages / "node_modules/.bin/esbuild";
  const fs::path own = installed_.sources / "node";
  const fs::path server = launch.folder / "ws-server.ts";
  copy_to(source_, server);
  for (const fs::path& source : {server, own / "channel.ts", own / "reference.ts"}) {
    const fs::path script = launch.folder / source.filename().replace_extension(".js");
    const Outcome outcome =
        run_program({esbuild.string(), source.string(), "--log-level=warning", "--target=node18",
                     "--outfile=" + script.string()});
    if (!outcome.is_good) {
      throw Failure("esbuild cannot read " + source.string() + ": " + outcome.output);
    }
  }
  return {find_program("node").string(), (launch.folder / "reference.js").string(),
          std::to_string(launch.port), std::to_string(launch.connections)};
}

std::string SocketIoKind::version() const {
  return package_version(installed_, "socket.io") + ", " + node_version();
}

std::string SocketIoKind::missing() const { return missing_packages(installed_, {"socket.io"}); }

Command SocketIoKind::prepare(const Launch& launch) const {
  make_folder(installed_, launch.folder);
  const fs::path script = launch.folder / "socket_io.mjs";
  copy_to(installed_.sources / "node" / script.filename(), script);
  return {find_program("node").string(), script.string(), std::to_string(launch.port)};
}

}  // namespace jackfield::bench
