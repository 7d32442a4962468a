// Two machines with IPv4, two with both families, and what tests do with them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "adapters/unique_fd.hpp"
#include "programs/sockets.hpp"
#include "world.hpp"

namespace peersock::testing {

using namespace std::chrono_literals;
using adapters::UniqueFd;
using sim::bound_socket;
using sim::connecting_socket;

class SimHosts : public ::testing::Test {
 protected:
  static constexpr const char* kFirst = "198.51.100.1";
  static constexpr const char* kSecond = "198.51.100.2";
  static constexpr const char* kThird = "2001:db8::3";
  static constexpr const char* kFourth = "2001:db8::4";

  void pass(sim::Nanos time) { sim::run_until(sim::now() + time); }

  sim::World world{1};
  sim::Host& first = world.add_server("first", {kFirst});
  sim::Host& second = world.add_server("second", {kSecond});
  sim::Host& third = world.add_server("third", {"198.51.100.3", kThird});
  sim::Host& fourth = world.add_server("fourth", {"198.51.100.4", kFourth});
};

}  // namespace peersock::testing
