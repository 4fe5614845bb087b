#include "core/net/pieces.hpp"

#include <memory>
#include <string>
#include <vector>

#include <CppUTest/TestHarness.h>

using jackfield::net::Pieces;

TEST_GROUP(NetPieces) { Pieces all; };

TEST(NetPieces, within_the_budget_each_takes_what_comes) {
  Pieces::Of one(all);
  CHECK(one.append("abc", 1'000'000, 100));
  CHECK(one.append(std::string(500'000, 'x'), 1'000'000, 100));
  LONGS_EQUAL(500'003, one.text().size());
  CHECK(all.octets() >= 500'003);
}

TEST(NetPieces, over_it_who_has_more_than_its_share_takes_no_more) {
  Pieces::Of greedy(all);
  Pieces::Of modest(all);
  const std::string piece(100'000, 'x');
  while (greedy.append(piece, 1'000'000, 2)) CHECK(greedy.text().size() <= 1'000'000);
  CHECK(greedy.text().size() >= 500'000);
  for (int i = 0; i < 5; ++i) CHECK(modest.append(piece, 1'000'000, 2));
  CHECK_FALSE(modest.append(piece, 1'000'000, 2));
}

// They come one after the other and each takes all that it can: also those that came early count.
TEST(NetPieces, all_together_take_at_most_twice_the_budget) {
  constexpr std::size_t kBudget = 10'000'000;
  constexpr std::size_t kLinks = 100;
  std::vector<std::unique_ptr<Pieces::Of>> many;
  for (std::size_t i = 0; i < kLinks; ++i) {
    Pieces::Of& one = *many.emplace_back(std::make_unique<Pieces::Of>(all));
    while (one.text().size() < 4'000'000 && one.append(std::string(10'000, 'x'), kBudget, kLinks)) {
    }
    CHECK(one.text().size() >= kBudget / kLinks);
  }
  CHECK(all.octets() > kBudget);
  CHECK(all.octets() <= 2 * kBudget);
}

TEST(NetPieces, a_little_is_always_taken) {
  std::vector<std::unique_ptr<Pieces::Of>> many;
  const std::string piece(16'000, 'x');
  for (int i = 0; i < 100; ++i) {
    CHECK(many.emplace_back(std::make_unique<Pieces::Of>(all))->append(piece, 65536, 100));
  }
  many.clear();
  LONGS_EQUAL(0, all.octets());
}
