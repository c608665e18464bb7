// The store's parts by themselves: the index by position against a plain map, and the claim book with plain owners.
#include <map>
#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "memstore/claim_book.h"
#include "memstore/position_index.h"

namespace leasecheck::memstore {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

// Entries of the plain map: position -> (value, due).
using Plain = std::map<uint64_t, std::pair<int*, EpochMs>>;

int* FirstDue(const Plain& plain, uint64_t from, EpochMs now) {
  for (auto it = plain.lower_bound(from); it != plain.end(); ++it) {
    if (it->second.second <= now) return it->second.first;
  }
  return nullptr;
}

// Makes random changes to both and compares random searches. Positions come from `pick`, some of them many times.
void Compare(uint64_t seed, int steps, const std::function<uint64_t(std::mt19937_64&)>& pick) {
  std::mt19937_64 random(seed);
  std::vector<int> values(64);
  const std::vector<EpochMs> times{0, 1, 5, 9, 10, 1000, kEndOfTime - 1, kEndOfTime};
  PositionIndex<int> index;
  Plain plain;
  for (int step = 0; step < steps; ++step) {
    const uint64_t position = pick(random);
    if (random() % 5 < 2 && !plain.empty()) {
      auto victim = plain.lower_bound(position);
      if (victim == plain.end()) victim = plain.begin();
      index.Erase(victim->first);
      plain.erase(victim);
    } else {
      int* value = &values[random() % values.size()];
      const EpochMs due = times[random() % times.size()];
      index.Set(position, value, due);
      plain[position] = {value, due};
    }
    ASSERT_EQ(index.empty(), plain.empty());
    const uint64_t from = random() % 3 == 0 ? 0 : pick(random);
    const EpochMs now = times[random() % times.size()];
    ASSERT_EQ(index.FirstDue(from, now), FirstDue(plain, from, now)) << "step " << step << " from " << from << " now " << now;
    if (step % 64 == 0) {
      std::vector<int*> walked, expected;
      index.ForEach([&](int& value) { walked.push_back(&value); });
      for (const auto& [key, entry] : plain) expected.push_back(entry.first);
      ASSERT_EQ(walked, expected);
    }
  }
}

TEST(PositionIndex, AgreesWithAMapOnDensePositions) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Compare(seed, 3000, [](std::mt19937_64& random) { return random() % 300; });
  }
}

TEST(PositionIndex, AgreesWithAMapOnPositionsOfEveryMagnitude) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Compare(seed, 3000, [](std::mt19937_64& random) {
      const uint64_t near = random() % 8;
      const int bits = static_cast<int>(random() % 65);
      const uint64_t base = bits == 64 ? 0 : uint64_t{1} << bits;
      return base + near - 4;  // wraps below 0 to the largest positions, which are legal too
    });
  }
}

TEST(PositionIndex, AgreesWithAMapOnASlidingWindow) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    uint64_t now_at = 0;
    Compare(seed, 5000, [&now_at](std::mt19937_64& random) { return (now_at += random() % 3) / 2 + random() % 40; });
  }
}

TEST(PositionIndex, FindsByKeysThatRiseWithPositions) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 200; ++round) {
    std::vector<uint64_t> keys(random() % 500);
    PositionIndex<uint64_t> index;
    uint64_t position = random() % 1000;
    uint64_t key = random() % 10;
    for (uint64_t& own : keys) {
      own = key += 2 + random() % 3;
      index.Set(position += 1 + random() % (round % 2 == 0 ? 2 : 4000), &own, 0);
    }
    const auto find = [&index](uint64_t wanted) { return index.FindByKey(wanted, [](uint64_t own) { return own; }); };
    EXPECT_EQ(find(0), nullptr);
    for (uint64_t& own : keys) {
      ASSERT_EQ(find(own), &own);
      ASSERT_EQ(find(own + 1), nullptr) << "keys are two apart at least";
    }
  }
}

// The claim book.

struct Row : ClaimBook<Row, std::string>::Claimable {};
using Book = ClaimBook<Row, std::string>;

TEST(ClaimBook, GrantRenewReleaseWithPlainOwners) {
  Book book;
  Row a, b;
  const std::vector<Row*> both{&a, &b};
  ASSERT_EQ(Book::NextFencingToken(both), 1u);
  book.Grant({"c1", "t1", "worker", 100, 1}, both);
  Book::Claim* claim = book.Find("c1", "t1");
  ASSERT_NE(claim, nullptr);
  EXPECT_EQ(claim->owner, "worker");
  EXPECT_THAT(std::vector<Row*>(claim->rows().begin(), claim->rows().end()), UnorderedElementsAre(&a, &b));
  EXPECT_EQ(book.Find("c1", "t2"), nullptr);
  EXPECT_EQ(book.Find("c2", "t1"), nullptr);
  EXPECT_TRUE(a.IsOwnedBy("c1", "t1"));
  EXPECT_FALSE(a.IsOwnedBy("c1", "t2"));
  EXPECT_TRUE(a.IsLiveClaimed(99));
  EXPECT_FALSE(a.IsLiveClaimed(100));
  Book::Renew(*claim, 150);
  EXPECT_TRUE(b.IsLiveClaimed(149));
  book.Release(a);
  EXPECT_EQ(a.claim(), nullptr);
  EXPECT_EQ(a.counter(), 1u);
  EXPECT_THAT(std::vector<Row*>(claim->rows().begin(), claim->rows().end()), ElementsAre(&b));
  book.Release(a);
  book.Release(b);
  EXPECT_EQ(book.Find("c1", "t1"), nullptr) << "a claim without rows is forgotten";
}

TEST(ClaimBook, RetakingLeavesTheRestWithTheOldClaim) {
  Book book;
  Row rows[3];
  const std::vector<Row*> all{&rows[0], &rows[1], &rows[2]};
  rows[1].set_counter(6);
  ASSERT_EQ(Book::NextFencingToken(all), 7u);
  book.Grant({"c1", "t1", "x", 0, 7}, all);
  const std::vector<Row*> middle{&rows[1]};
  book.Grant({"c2", "t2", "y", 0, 8}, middle);
  EXPECT_EQ(book.Find("c1", "t1")->rows().size(), 2u);
  EXPECT_FALSE(rows[1].IsOwnedBy("c1", "t1"));
  EXPECT_EQ(Book::NextFencingToken(all), 9u);
  book.Release(rows[2]);
  book.Release(rows[0]);
  EXPECT_EQ(book.Find("c1", "t1"), nullptr);
  EXPECT_NE(book.Find("c2", "t2"), nullptr);
}

TEST(ClaimBook, CountersEnd) {
  Row row;
  row.set_counter(kEndOfTime);
  const std::vector<Row*> rows{&row};
  EXPECT_EQ(Book::NextFencingToken(rows), std::nullopt);
}

}  // namespace
}  // namespace leasecheck::memstore
