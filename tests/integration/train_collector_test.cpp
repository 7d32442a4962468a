#include "adapters/train_collector.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace peersock::testing {
namespace {

using adapters::TrainCollector;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Shape {
  std::size_t octets;
  std::size_t segment;
  friend bool operator==(const Shape&, const Shape&) = default;
};

std::vector<Shape> shapes(const TrainCollector& collector) {
  std::vector<Shape> result;
  for (const auto& train : collector.trains()) {
    result.push_back({train.bytes.size(), train.segment});
  }
  return result;
}

TEST(TrainCollector, EqualDatagramsMakeOneTrainThatAShorterOneEnds) {
  TrainCollector collector;
  for (const std::size_t size : {1200, 1200, 500, 1200, 1300, 100, 100}) {
    EXPECT_TRUE(collector.add(Bytes(size, 1)));
  }
  EXPECT_THAT(shapes(collector), ElementsAre(Shape{2900, 1200}, Shape{1200, 1200},
                                             Shape{1400, 1300}, Shape{100, 100}));
  EXPECT_EQ(collector.datagrams(), 7U);
}

TEST(TrainCollector, KeepsOctetsAndOrder) {
  TrainCollector collector;
  EXPECT_TRUE(collector.add(Bytes{1, 2}));
  EXPECT_TRUE(collector.add(Bytes{3, 4}));
  EXPECT_TRUE(collector.add({}));
  EXPECT_TRUE(collector.add(Bytes{5}));
  ASSERT_EQ(collector.trains().size(), 1U);
  EXPECT_THAT(collector.trains()[0].bytes, ElementsAre(1, 2, 3, 4, 5));
}

TEST(TrainCollector, IsBoundedInDatagrams) {
  TrainCollector collector;
  for (std::size_t i = 0; i < TrainCollector::kMaxDatagrams; ++i) {
    EXPECT_FALSE(collector.full());
    EXPECT_TRUE(collector.add(Bytes{1}));
  }
  EXPECT_TRUE(collector.full());
  EXPECT_FALSE(collector.add(Bytes{1}));
  collector.clear();
  EXPECT_TRUE(collector.empty());
  EXPECT_THAT(collector.trains(), IsEmpty());
  EXPECT_TRUE(collector.add(Bytes{1}));
}

TEST(TrainCollector, IsBoundedInOctets) {
  TrainCollector collector;
  const Bytes large(40000, 1);
  EXPECT_TRUE(collector.add(large));
  EXPECT_FALSE(collector.add(large));
  EXPECT_TRUE(collector.add(Bytes(25536, 1)));
  EXPECT_FALSE(collector.add(Bytes(1, 1)));
}

}  // namespace
}  // namespace peersock::testing
