#include "core/hub/pointer_table.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <vector>

#include <CppUTest/TestHarness.h>

using namespace jackfield::hub;

namespace {

struct Item {
  explicit Item(std::uint64_t its_id) : id(its_id) {}
  std::uint64_t id;
};

// All of them want the same place, or one of the last two: the probes run into each other and over
// the table's end.
struct Crowded {
  using Key = std::uint64_t;
  static std::uint64_t hash(Key id) {
    return UINT64_MAX - (id % 3 == 0 ? 0 : UINT64_MAX / 8 * (id % 2));
  }
  static Key key(const Item& item) { return item.id; }
};

template <class Traits>
class Model {
 public:
  void insert(std::uint64_t id) {
    table_.insert(std::make_unique<Item>(id));
    expected_.emplace(id, table_.find(id));
  }
  void take(std::uint64_t id) {
    const std::unique_ptr<Item> taken = table_.take(id);
    POINTERS_EQUAL(expected_[id], taken.get());
    expected_.erase(id);
  }
  bool has(std::uint64_t id) const { return expected_.contains(id); }
  void check(std::uint64_t ids) const {
    LONGS_EQUAL(expected_.size(), table_.size());
    for (std::uint64_t id = 0; id < ids; ++id) {
      const auto found = expected_.find(id);
      POINTERS_EQUAL(found == expected_.end() ? nullptr : found->second, table_.find(id));
    }
    std::size_t visited = 0;
    table_.for_each([&](const Item& item) {
      ++visited;
      CHECK(expected_.contains(item.id));
    });
    LONGS_EQUAL(expected_.size(), visited);
  }

 private:
  PointerTable<std::unique_ptr<Item>, Traits> table_;
  std::map<std::uint64_t, Item*> expected_;
};

// Inserts and takes at random, and looks for everything again and again.
template <class Traits>
void compare_with_a_map(std::uint64_t ids, int steps) {
  std::minstd_rand random(7);
  Model<Traits> model;
  for (int step = 0; step < steps; ++step) {
    const std::uint64_t id = random() % ids;
    if (model.has(id)) {
      model.take(id);
    } else {
      model.insert(id);
    }
    if (step % 16 == 0) model.check(ids);
  }
  model.check(ids);
}

}  // namespace

TEST_GROUP(HubPointerTable) {};

TEST(HubPointerTable, an_empty_one_finds_nothing) {
  const PointerTable<Item*, ById<Item>> table;
  POINTERS_EQUAL(nullptr, table.find(1));
  LONGS_EQUAL(0, table.size());
  table.for_each([](const Item&) { FAIL("nothing is in"); });
}

TEST(HubPointerTable, does_what_a_map_does) { compare_with_a_map<ById<Item>>(400, 8000); }

TEST(HubPointerTable, does_what_a_map_does_where_hashes_meet) {
  compare_with_a_map<Crowded>(40, 8000);
}

TEST(HubPointerTable, may_hold_what_is_owned_elsewhere) {
  Item first(1);
  Item second(2);
  PointerTable<Item*, ById<Item>> table;
  table.insert(&first);
  table.insert(&second);
  POINTERS_EQUAL(&first, table.take(1));
  POINTERS_EQUAL(nullptr, table.find(1));
  POINTERS_EQUAL(&second, table.find(2));
}
