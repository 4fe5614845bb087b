// Static tokens, and the file that they stand in.
#include "core/access/token_file.hpp"

#include <sys/stat.h>

#include <fstream>
#include <string>

#include "tests/support/temporary_folder.hpp"
#include "tests/support/where.hpp"

#include <CppUTest/TestHarness.h>

namespace {

using jackfield::access::TokenTable;
using jackfield::test::check;

TokenTable parse(const std::string& text) {
  auto parsed = TokenTable::parse(text, "t");
  check(parsed.is_ok(), parsed.is_ok() ? "" : parsed.message());
  return std::move(parsed.value());
}

std::string why_not(const std::string& text) {
  const auto parsed = TokenTable::parse(text, "t");
  return parsed.is_ok() ? "it was taken" : parsed.message();
}

// "NAME groups" of who has the token; empty: nobody.
std::string who(const TokenTable& table, std::string_view token) {
  const TokenTable::Entry* const entry = table.find(token);
  if (entry == nullptr) return "";
  return entry->identity.text + (entry->identity.groups.empty() ? "" : " " + entry->identity.groups);
}

}  // namespace

TEST_GROUP(AccessTokenFile){};

TEST(AccessTokenFile, a_token_gives_its_name_and_groups) {
  const TokenTable table = parse(
      "# who may come in\n\nalice 0123456789abcdef\n"
      "  bob\tb-token-of-bob-000\tops,staff  \r\n");
  STRCMP_EQUAL("token:alice", who(table, "0123456789abcdef").c_str());
  STRCMP_EQUAL("token:bob ops,staff", who(table, "b-token-of-bob-000").c_str());
  STRCMP_EQUAL("", who(table, "0123456789abcdeF").c_str());
  STRCMP_EQUAL("", who(table, "0123456789abcde").c_str());
  STRCMP_EQUAL("", who(table, "").c_str());
}

TEST(AccessTokenFile, a_digest_stands_for_its_token) {
  // printf %s 0123456789abcdef | sha256sum
  const TokenTable table = parse(
      "alice sha256:9F9F5111F7B27A781F1F1DDDE5EBC2DD2B796BFC7365C9C28B548E564176929F ops\n");
  STRCMP_EQUAL("token:alice ops", who(table, "0123456789abcdef").c_str());
  STRCMP_EQUAL("", who(table, "sha256:9F9F5111F7B27A781F1F1DDDE5EBC2DD2B796BFC7365C9C28B548E564176929F")
                       .c_str());
}

TEST(AccessTokenFile, one_name_may_have_several_tokens) {
  const TokenTable table = parse("alice 0123456789abcdef\nalice fedcba9876543210\n");
  STRCMP_EQUAL("token:alice", who(table, "0123456789abcdef").c_str());
  STRCMP_EQUAL("token:alice", who(table, "fedcba9876543210").c_str());
}

TEST(AccessTokenFile, an_empty_one_lets_nobody_in) {
  STRCMP_EQUAL("", who(parse(""), "").c_str());
  STRCMP_EQUAL("", who(parse("# nobody\n"), "0123456789abcdef").c_str());
}

TEST(AccessTokenFile, a_mistake_is_said_by_its_line_without_the_token) {
  STRCMP_EQUAL("t:2: must be NAME TOKEN [GROUP,GROUP]", why_not("# x\nalice\n").c_str());
  STRCMP_EQUAL("t:1: must have a token of 16 to 512 visible ASCII characters",
               why_not("alice 0123456789abcde").c_str());
  STRCMP_EQUAL("t:1: must have a token of 16 to 512 visible ASCII characters",
               why_not("alice 0123456789abcd\x07\x07").c_str());
  STRCMP_EQUAL("t:1: must have 64 hexadecimal digits behind sha256:",
               why_not("alice sha256:0123456789abcdef").c_str());
  STRCMP_EQUAL("t:1: has more than a name, a token and groups",
               why_not("alice 0123456789abcdef ops staff").c_str());
  STRCMP_EQUAL("t:1: must have groups as GROUP,GROUP, visible characters, at most 32",
               why_not("alice 0123456789abcdef ops,,staff").c_str());
  STRCMP_EQUAL("t:3: has the token of another line",
               why_not("alice 0123456789abcdef\n\nbob 0123456789abcdef\n").c_str());
  STRCMP_EQUAL("t:1: must begin with a name of 1 to 128 visible characters",
               why_not(std::string(129, 'n') + " 0123456789abcdef").c_str());
}

TEST(AccessTokenFile, what_is_taken_away_stands_no_more) {
  const TokenTable table = parse("alice 0123456789abcdef ops\n");
  const auto digest = table.find("0123456789abcdef")->digest;
  CHECK(table.has(digest, "token:alice", "ops"));
  CHECK_FALSE(table.has(digest, "token:bob", "ops"));
  CHECK_FALSE(table.has(digest, "token:alice", ""));
  CHECK_FALSE(table.has(digest, "token:alice", "ops,staff"));
  CHECK_FALSE(parse("alice fedcba9876543210 ops\n").has(digest, "token:alice", "ops"));
}

// base_file_trust_test.cpp has all that this is judged by.
TEST(AccessTokenFile, a_file_that_others_can_read_or_write_is_refused) {
  const jackfield::test::TemporaryFolder folder;
  const std::string path = (folder.path() / "tokens").string();
  std::ofstream(path) << "alice 0123456789abcdef\n";
  for (const mode_t mode : {0644u, 0604u, 0602u, 0607u}) {
    ::chmod(path.c_str(), mode);
    STRCMP_CONTAINS((mode & 2) != 0 ? "is writable by all" : "is readable by all",
                    TokenTable::read(path).message().c_str());
  }
  for (const mode_t mode : {0400u, 0600u}) {
    ::chmod(path.c_str(), mode);
    CHECK(TokenTable::read(path).is_ok());
  }
}

TEST(AccessTokenFile, a_file_of_a_stranger_or_of_a_group_that_others_are_in_is_refused) {
  constexpr uid_t kServer = 3'999'999'998;
  constexpr uid_t kStranger = 3'999'999'999;
  const jackfield::test::TemporaryFolder folder;
  const std::string path = (folder.path() / "tokens").string();
  std::ofstream(path) << "alice 0123456789abcdef\n";
  ::chmod(path.c_str(), 0640);
  if (::chown(path.c_str(), kServer, kStranger) != 0) {
    UT_PRINT("SKIPPED: only root can give a file away");
    return;
  }
  STRCMP_CONTAINS("is readable by its group", TokenTable::read(path, kServer).message().c_str());
  ::chmod(path.c_str(), 0600);
  CHECK(TokenTable::read(path, kServer).is_ok());
  STRCMP_CONTAINS("belongs neither to root nor to 3999999999",
                  TokenTable::read(path, kStranger).message().c_str());
  // That is how root gives it to a server that runs as another user.
  LONGS_EQUAL(0, ::chown(path.c_str(), 0, kStranger));
  ::chmod(path.c_str(), 0640);
  CHECK(TokenTable::read(path, kServer).is_ok());
  ::chmod(path.c_str(), 0660);
  STRCMP_CONTAINS("is writable by its group", TokenTable::read(path, kServer).message().c_str());
}
