// What the server's process takes before and after many replacements under traffic: a plugin that
// leaks, an image that stays, a thread or a file left open would show as a growth.
#include <algorithm>
#include <thread>
#include <utility>
#include <vector>

#include "tests/bench/reload_measures.hpp"

namespace jackfield::bench {
namespace {

constexpr int kWarmUp = 20;
constexpr std::chrono::milliseconds kLook{2};
constexpr std::chrono::seconds kPatience{20};
// An image that has not gone by then, after its successor came, is taken for one that stays.
constexpr std::chrono::seconds kUnloadPatience{3};

// Copies the image over itself and waits until a newer one is mapped and the older ones are gone.
// Gives how many images there are then.
std::size_t replace(const BenchServer& server, const ReloadSetup& setup, const Subject& subject) {
  const std::string image = subject.plugin + ".so";
  const auto before = server.images(subject.plugin);
  if (before.empty()) throw server.failure("no image of " + image + " is mapped");
  server.put(setup.plugins / image, image);
  const auto begin = Clock::now();
  for (;;) {
    const auto images = server.images(subject.plugin);
    const bool is_new = !images.empty() && *images.rbegin() > *before.rbegin();
    const auto waited = Clock::now() - begin;
    if (is_new && (images.size() == 1 || waited > kUnloadPatience)) return images.size();
    if (waited > kPatience) {
      const std::string why = server.log().refusal();
      throw server.failure(image + " was not replaced" + (why.empty() ? "" : ": " + why));
    }
    std::this_thread::sleep_for(kLook);
  }
}

// When nothing is on its way any more: the same twice, or after two seconds whatever it is.
Footprint settled(const BenchServer& server) {
  constexpr std::chrono::milliseconds kApart{20};
  constexpr int kLooks = 100;
  Footprint last = server.footprint();
  for (int look = 0; look < kLooks; ++look) {
    std::this_thread::sleep_for(kApart);
    const Footprint next = server.footprint();
    const bool is_same = next == last;
    last = next;
    if (is_same) break;
  }
  return last;
}

std::vector<Cell> row_of(const std::string& plugin, int replacements, const Footprint& footprint,
                         std::size_t images, const ServerLog::Counts& counts) {
  return {plugin,
          static_cast<std::int64_t>(replacements),
          footprint.rss_kib,
          footprint.anonymous_kib,
          footprint.mappings,
          footprint.threads,
          footprint.descriptors,
          static_cast<std::int64_t>(images),
          static_cast<std::int64_t>(counts.unmapped),
          static_cast<std::int64_t>(counts.stayed)};
}

// Its rows into the table, and a sentence about the messages.
std::string measure(const ReloadSetup& setup, const Subject& subject, int count, Table& table) {
  const int step = std::min(100, count / 2);
  BenchServer::Options options = setup.options("footprint-" + subject.plugin);
  options.plugins = {setup.plugins / (subject.plugin + ".so")};
  options.log_level = "debug";
  const std::string loading = options.loading;
  options.loading += "quiet_s = 0.01\n";
  if (!BenchServer::takes(options)) options.loading = loading;
  const BenchServer server(options);
  Traffic traffic(server.port(), subject,
                  {.broadcast_interval = std::chrono::milliseconds(5), .cores = setup.cores.load});
  traffic.start();
  for (int i = 0; i < kWarmUp; ++i) replace(server, setup, subject);
  const Footprint first = settled(server);
  const ServerLog::Counts at_first = server.log().counts();
  const auto since_first = [&] {
    ServerLog::Counts counts = server.log().counts();
    counts.unmapped -= at_first.unmapped;
    counts.stayed -= at_first.stayed;
    return counts;
  };
  std::size_t images = server.images(subject.plugin).size();
  table.rows.push_back(row_of(subject.plugin, 0, first, images, since_first()));
  Footprint last = first;
  for (int i = 1; i <= count; ++i) {
    images = replace(server, setup, subject);
    traffic.check();
    if (i % step != 0 && i != count) continue;
    last = settled(server);
    table.rows.push_back(row_of(subject.plugin, i, last, images, since_first()));
    progress(subject.plugin + ": " + std::to_string(i) + " replacements");
  }
  traffic.stop();

  const Footprint grown{.rss_kib = last.rss_kib - first.rss_kib,
                        .anonymous_kib = last.anonymous_kib - first.anonymous_kib,
                        .mappings = last.mappings - first.mappings,
                        .threads = last.threads - first.threads,
                        .descriptors = last.descriptors - first.descriptors};
  table.rows.push_back(row_of(subject.plugin + ", more than before", count, grown,
                              images - 1, since_first()));
  const Traffic::Messages& messages = traffic.messages();
  std::string text = subject.plugin + ": of " + std::to_string(messages.expected) + " messages " +
                     std::to_string(messages.lost) + " were lost, " +
                     std::to_string(messages.misplaced) + " came twice or out of order; " +
                     std::to_string(messages.errors) + " errors.";
  if (!messages.error.empty()) text += " The first: " + messages.error;
  if (const std::size_t dropped = server.log().counts().dropped; dropped > 0) {
    text += " " + std::to_string(dropped) + " lines of the log were dropped, so the count of " +
            "images is too small.";
  }
  return text;
}

}  // namespace

Table measure_footprint(const ReloadSetup& setup) {
  const int count = setup.is_short ? 50 : 1000;
  Table table{.key = "footprint",
              .title = "What the process takes, over many replacements under traffic",
              .text = "20 clients, to all of which one of them speaks each 5 ms; before the first "
                      "row there were " +
                      std::to_string(kWarmUp) +
                      " replacements. \"images\" are those of the plugin that are mapped; "
                      "\"unmapped\" and \"stayed\" are the old generations' since the first row, "
                      "as the server's log says.",
              .columns = {{"plugin", "plugin", 0},
                          {"replacements", "replacements", 0},
                          {"rss_kib", "RSS KiB", 0},
                          {"anonymous_kib", "of it anonymous", 0},
                          {"mappings", "mappings", 0},
                          {"threads", "threads", 0},
                          {"descriptors", "descriptors", 0},
                          {"images", "images", 0},
                          {"unmapped", "unmapped", 0},
                          {"stayed", "stayed", 0}},
              .rows = {}};
  for (const Subject& subject : {echo_subject(), chat_subject()}) {
    progress("replace " + subject.plugin + " under traffic");
    table.text += " " + measure(setup, subject, count, table);
  }
  return table;
}

}  // namespace jackfield::bench
