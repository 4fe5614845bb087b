// What the server's process takes before and after many replacements under traffic: a plugin that
// leaks, an image that stays, a thread or a file left open would show as a growth.
#include <algorithm>
#include <thread>
#include <utility>
#include <vector>

#include "tests/bench/reload/reload_measures.hpp"

namespace jackfield::bench {
namespace {

// Both: by then the chat's histories are full.
constexpr int kWarmUp = 20;
constexpr std::chrono::seconds kWarmUpTime{2};
constexpr const char* kQuiet = "0.01";  // seconds
constexpr std::chrono::milliseconds kLook{2};
constexpr std::chrono::seconds kPatience{20};

// Copies the image over itself and waits until a newer one is mapped, and the one before is gone or,
// as the server says, stays. Gives how many images there are then.
std::size_t replace(const BenchServer& server, const ReloadSetup& setup, const Subject& subject) {
  const std::string image = subject.plugin + ".so";
  const auto before = server.images(subject.plugin);
  if (before.empty()) throw server.failure("no image of " + image + " is mapped");
  const std::size_t stayed = server.log().counts().stayed;
  server.put(setup.plugins / image, image);
  const auto end = Clock::now() + kPatience;
  for (; Clock::now() < end; std::this_thread::sleep_for(kLook)) {
    const auto images = server.images(subject.plugin);
    if (images.empty() || *images.rbegin() == *before.rbegin()) continue;
    const bool is_gone = images.count(*before.rbegin()) == 0;
    if (is_gone || server.log().counts().stayed > stayed) return images.size();
  }
  const std::string why = server.log().refusal();
  throw server.failure(image + " was not replaced" + (why.empty() ? "" : ": " + why));
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

// Adds the rows of a plugin.
void measure(const ReloadSetup& setup, const Subject& subject, int count, Table& table,
             Table& messages) {
  const int step = std::min(100, count / 2);
  BenchServer::Options options = setup.options("footprint-" + subject.plugin);
  options.plugins = {setup.plugins / (subject.plugin + ".so")};
  options.log_level = "debug";
  options.loading = std::string("quiet_s = ") + kQuiet + "\n";
  const BenchServer server(options);
  Traffic traffic(server.port(), subject,
                  {.broadcast_interval = std::chrono::milliseconds(5), .cores = setup.cores.load});
  traffic.start();
  const auto warm = Clock::now() + kWarmUpTime;
  for (int i = 0; i < kWarmUp || Clock::now() < warm; ++i) replace(server, setup, subject);
  const Footprint first = settled(server);
  const ServerLog::Counts at_first = server.log().counts();
  const auto since_first = [&] {
    ServerLog::Counts counts = server.log().counts();
    counts.unmapped -= at_first.unmapped;
    counts.stayed -= at_first.stayed;
    return counts;
  };
  const std::size_t first_images = server.images(subject.plugin).size();
  std::size_t images = first_images;
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
                              images - first_images, since_first()));
  const Traffic::Messages& heard = traffic.messages();
  messages.rows.push_back(
      {subject.plugin, heard.expected, heard.lost, heard.misplaced, heard.errors});
  if (!heard.error.empty()) messages.text += " The first error: " + heard.error;
  if (const std::size_t dropped = server.log().counts().dropped; dropped > 0) {
    table.text += " " + std::to_string(dropped) + " lines of the log about " + subject.plugin +
                  " were dropped, so what it says of images is too little.";
  }
}

}  // namespace

std::vector<Table> measure_footprint(const ReloadSetup& setup) {
  const int count = setup.is_short ? 50 : 1000;
  Table table{.key = "footprint",
              .title = "What the process takes, over many replacements under traffic",
              .text = "20 clients, to all of which one speaks each 5 ms; a file settles in " +
                      std::string(kQuiet) +
                      " s; before the first row there were at least " +
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
  Table messages{.key = "messages",
                 .title = "What the clients heard meanwhile",
                 .text = "What was said to the 20 clients, to each of them, by its number.",
                 .columns = {{"plugin", "plugin", 0},
                             {"expected", "messages", 0},
                             {"lost", "lost", 0},
                             {"misplaced", "twice or out of order", 0},
                             {"errors", "errors", 0}},
                 .rows = {}};
  for (const Subject& subject : {echo_subject(), chat_subject()}) {
    progress("replace " + subject.plugin + " under traffic");
    measure(setup, subject, count, table, messages);
  }
  return {std::move(table), std::move(messages)};
}

}  // namespace jackfield::bench
