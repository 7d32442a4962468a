#include "server_table.hpp"

#include <gtest/gtest.h>

namespace peersock::testing {
namespace {

TEST(ServerTable, EverySituationMeetsEveryInput) {
  EXPECT_EQ(to_text(server_table()), expected_table("server"));
}

}  // namespace
}  // namespace peersock::testing
