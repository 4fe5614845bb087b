#include "core/hub/keyed_hash.hpp"

#include <set>
#include <string>

#include <CppUTest/TestHarness.h>

using jackfield::hub::KeyedHash;

TEST_GROUP(HubKeyedHash){};

// From an implementation apart, which gives the paper's value for SipHash-2-4: key 00 01 … 0f, texts 00, 00 01, …
TEST(HubKeyedHash, is_siphash_1_3) {
  const KeyedHash hash(0x0706050403020100U, 0x0f0e0d0c0b0a0908U);
  std::string text;
  const std::uint64_t expected[] = {
      0xabac0158050fc4dcU, 0xc9f49bf37d57ca93U, 0x82cb9b024dc7d44dU,
      0x8bf80ab8e7ddf7fbU, 0xcf75576088d38328U, 0xdef9d52f49533b67U,
      0xc50d2b50c59f22a7U, 0xd3927d989bb11140U, 0x369095118d299a8eU,
      0x25a48eb36c063de4U, 0x79de85ee92ff097fU, 0x70c118c1f94dc352U,
      0x78a384b157b4d9a2U, 0x306f760c1229ffa7U, 0x605aa111c0f95d34U,
      0xd320d86d2a519956U, 0xcc4fdd1a7d908b66U, 0x9cf2689063dbd80cU};
  for (const std::uint64_t value : expected) {
    CHECK(hash(text) == value);
    text += static_cast<char>(text.size());
  }
}

TEST(HubKeyedHash, a_random_key_is_another_each_time) {
  std::set<std::uint64_t> hashes;
  for (int i = 0; i < 100; ++i) hashes.insert(KeyedHash::random()("room:1"));
  LONGS_EQUAL(100, hashes.size());
}

TEST(HubKeyedHash, texts_spread_over_the_high_bits) {
  const KeyedHash hash = KeyedHash::random();
  std::set<std::uint64_t> places;
  for (int i = 0; i < 1000; ++i) places.insert(hash("room:" + std::to_string(i)) >> 44);
  CHECK(places.size() > 990);
}
