#include "port_search_table.hpp"

#include <gtest/gtest.h>

#include "ice/port_search.hpp"

namespace peersock::testing {
namespace {

TEST(PortSearchTable, IsAsWrittenDown) {
  EXPECT_EQ(to_text(port_search_table()), expected_table("port_search"));
}

TEST(PortSearch, SendsNothingToWhereProbesHaveNoBusiness) {
  for (const char* address : {"198.51.100.1", "100.64.0.1", "8.8.8.8", "172.15.0.1", "223.0.0.1"}) {
    EXPECT_TRUE(ice::may_be_probed(address)) << address;
  }
  for (const char* address :
       {"0.0.0.0", "10.0.0.1", "127.0.0.1", "169.254.1.1", "172.16.0.1", "172.31.0.1",
        "192.168.1.1", "224.0.0.1", "255.255.255.255", "::1", "host.example", ""}) {
    EXPECT_FALSE(ice::may_be_probed(address)) << address;
  }
}

}  // namespace
}  // namespace peersock::testing
