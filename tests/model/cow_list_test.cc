// The list that copies share, against a vector: random changes to several copies of one list, which never show in another.
#include "model/cow_list.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace leasecheck {
namespace {

uint64_t HashOfText(const std::string& text) {
  uint64_t hash = 17;
  for (char c : text) hash = hash * 131 + static_cast<unsigned char>(c);
  return hash;
}

// A list, and what it has to hold.
struct Pair {
  CowList<std::string> list;
  std::vector<std::string> expected;
};

void ExpectSame(const Pair& pair) {
  ASSERT_EQ(pair.list.size(), pair.expected.size());
  ASSERT_EQ(pair.list.empty(), pair.expected.empty());
  ASSERT_EQ(std::vector<std::string>(pair.list.begin(), pair.list.end()), pair.expected);
  for (std::size_t i = 0; i < pair.expected.size(); ++i) ASSERT_EQ(pair.list[i], pair.expected[i]);
  ASSERT_TRUE(pair.expected.empty() || pair.list.back() == pair.expected.back());
  // The same elements in other pieces: equal, and of the same hash.
  CowList<std::string> rebuilt;
  for (std::size_t i = pair.expected.size(); i-- > 0;) rebuilt.Insert(0, pair.expected[i]);
  ASSERT_EQ(rebuilt, pair.list);
  ASSERT_EQ(rebuilt.Hash(HashOfText), pair.list.Hash(HashOfText));
}

void Change(std::mt19937& random, int number, Pair* pair) {
  const std::size_t size = pair->expected.size();
  const auto kind = random() % 8;
  const std::string text = std::to_string(number % 50);
  if (kind < 4 || size == 0) {
    const std::size_t at = kind < 2 ? size : random() % (size + 1);
    pair->list.Insert(at, text);
    pair->expected.insert(pair->expected.begin() + static_cast<std::ptrdiff_t>(at), text);
  } else if (kind < 6) {
    const std::size_t at = random() % 2 == 0 ? 0 : random() % size;
    pair->list.Erase(at);
    pair->expected.erase(pair->expected.begin() + static_cast<std::ptrdiff_t>(at));
  } else {
    const std::size_t at = random() % size;
    pair->list.Edit(at) = text;
    pair->expected[at] = text;
  }
}

TEST(CowListTest, CopiesHoldWhatVectorsHold) {
  std::mt19937 random(7);
  std::size_t longest = 0;
  for (int round = 0; round < 20; ++round) {
    std::vector<Pair> pairs(3);
    for (int number = 0; number < 600; ++number) {
      Pair& pair = pairs[random() % pairs.size()];
      const int changes = 1 + static_cast<int>(random() % 4);
      // The hash is asked for now and then, so that a change has one to forget.
      if (random() % 2 == 0) (void)pair.list.Hash(HashOfText);
      for (int i = 0; i < changes; ++i) Change(random, number + i, &pair);
      if (random() % 10 == 0) pairs[random() % pairs.size()] = pair;
      if (random() % 200 == 0) pair = Pair();
      longest = std::max(longest, pair.expected.size());
      for (const Pair& each : pairs) ExpectSame(each);
      if (HasFatalFailure()) return;
    }
  }
  EXPECT_GT(longest, 100u) << "no list was of many pieces";
}

TEST(CowListTest, TellsDifferentListsApart) {
  CowList<std::string> a;
  for (int i = 0; i < 100; ++i) a.PushBack(std::to_string(i));
  CowList<std::string> b = a;
  EXPECT_EQ(a, b);
  b.Edit(70) = "x";
  EXPECT_FALSE(a == b);
  EXPECT_NE(a.Hash(HashOfText), b.Hash(HashOfText));
  b.Edit(70) = "70";
  EXPECT_EQ(a, b);
  EXPECT_EQ(a.Hash(HashOfText), b.Hash(HashOfText));
  b.Edit(3) = "4";
  b.Edit(4) = "3";
  EXPECT_NE(a.Hash(HashOfText), b.Hash(HashOfText)) << "order counts";
  b = a;
  b.Erase(99);
  EXPECT_FALSE(a == b);
}

}  // namespace
}  // namespace leasecheck
