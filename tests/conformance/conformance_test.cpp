// The rows of the conformance table, each subject a group with one server.
#include <fstream>
#include <sstream>

#include "tests/conformance/player.hpp"
#include "tests/conformance/report.hpp"
#include "tests/conformance/row.hpp"
#include "tests/support/tls_group.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using namespace jackfield::conformance;
using namespace jackfield::test;

class SubjectGroup : public TlsGroup {
 protected:
  // Once with the read buffer of a small server, and once with the smallest: what a client sends in
  // one write is read in many pieces then.
  void play(const Subject& subject, const std::string& settings = "") {
    write(authority.issue());
    for (const char* buffer : {"4096", "128"}) {
      ServerOptions options = tls_options(
          "", {"127.0.0.1:0", "unix:" + file("socket").string(), "tls:127.0.0.1:0"});
      options.plugins = {"echo"};
      // Who fails the connection of a client need not wait for its Close (RFC 6455, 7.1.7).
      options.server = "max_connections = 1000\nclose_timeout_s = 1\nread_buffer_bytes = " +
                       std::string(buffer) + "\n" + settings;
      start(options);
      Player(server(), found_verdicts()).play(subject);
      server().stop();
    }
  }
};

TEST_GROUP_BASE(Framing, SubjectGroup) {};

TEST(Framing, every_row_however_it_is_cut) { play(framing_rows()); }

TEST_GROUP_BASE(Fragmentation, SubjectGroup) {};

TEST(Fragmentation, every_row_however_it_is_cut) { play(fragmentation_rows()); }

TEST_GROUP_BASE(Control, SubjectGroup) {};

TEST(Control, every_row_however_it_is_cut) { play(control_rows()); }

TEST_GROUP_BASE(Closing, SubjectGroup) {};

TEST(Closing, every_row_however_it_is_cut) { play(closing_rows()); }

TEST_GROUP_BASE(Text, SubjectGroup) {};

TEST(Text, every_row_however_it_is_cut) { play(text_rows()); }

TEST_GROUP_BASE(Sizes, SubjectGroup) {};

TEST(Sizes, every_row_however_it_is_cut) { play(size_rows()); }

TEST_GROUP_BASE(Requests, SubjectGroup) {};

TEST(Requests, every_row_however_it_is_cut) { play(request_rows()); }

TEST_GROUP_BASE(Endless, SubjectGroup) {};

TEST(Endless, every_row_however_it_is_cut) { play(endless_rows(), "handshake_timeout_s = 1"); }

TEST_GROUP_BASE(Answers, SubjectGroup) {};

TEST(Answers, every_row_however_it_is_cut) { play(answer_rows()); }

// What the README says.
TEST_GROUP(Table) {
  static std::string readme() {
    std::ifstream file(JACKFIELD_SOURCES "/tests/conformance/README.md");
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
};

TEST(Table, the_readme_has_every_row) {
  check(readme().find(table_text(all_subjects())) != std::string::npos,
        "tests/conformance/README.md has another table than `conformance_tests --table` prints");
}

TEST(Table, the_readme_gives_the_reason_of_every_deviation) {
  const std::string text = readme();
  for (const Subject& subject : all_subjects()) {
    for (const Row& row : subject.rows) {
      if (!row.deviation) continue;
      check(text.find("\n### Deviation: " + row.deviation->name + "\n") != std::string::npos,
            "no reason for: " + row.deviation->name, row.where);
    }
  }
}

TEST(Table, every_row_names_a_section_and_does_something) {
  for (const Subject& subject : all_subjects()) {
    CHECK_TRUE(!subject.rows.empty());
    for (const Row& row : subject.rows) {
      const bool has_section = !row.section.empty() && row.section.find_first_of("0123456789") !=
                                                           std::string::npos;
      check(has_section, "no section: " + row.must, row.where);
      const bool does_something = !row.exchanges.empty() || !row.requests.empty();
      check(does_something, "does nothing: " + row.must, row.where);
    }
  }
}

}  // namespace
