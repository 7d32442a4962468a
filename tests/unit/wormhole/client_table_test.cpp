#include "client_table.hpp"

#include <gtest/gtest.h>

namespace peersock::testing {
namespace {

TEST(ClientTable, EveryInputInEveryState) {
  EXPECT_EQ(to_text(client_table()), expected_table("client"));
}

}  // namespace
}  // namespace peersock::testing
