#include "rig.hpp"

#include <utility>

#include <gtest/gtest.h>

namespace peersock::tunnel::testing {

Rig::Rig(const RigConfig& config)
    : pair(config.opener, config.acceptor),
      opener({.opener = true, .single = config.single}, pair.client()),
      acceptor({.opener = false, .single = config.single || config.acceptor_single},
               pair.server()) {
  pair.establish();
}

Rig::~Rig() {
  EXPECT_EQ(opener.misuse(), "");
  EXPECT_EQ(acceptor.misuse(), "");
}

void Rig::run() {
  for (int rounds = 0; rounds < 1'000'000; ++rounds) {
    bool any = opener.step();
    any = acceptor.step() || any;
    any = pair.carry(pair.client(), pair.server()) || any;
    any = pair.carry(pair.server(), pair.client()) || any;
    any = carry_credit(opener, acceptor) || any;
    any = carry_credit(acceptor, opener) || any;
    if (!any) return;
  }
  FAIL() << "the tunnels do not come to rest";
}

bool Rig::carry_credit(Side& from, Side& to) {
  const auto grants = std::exchange(from.grants, {});
  for (const auto& grant : grants) to.credit(grant.stream, grant.octets);
  return !grants.empty();
}

Rig::Connection Rig::open() {
  Connection made;
  made.near = std::make_shared<FakeLocal>();
  made.near_id = opener.accept(made.near);
  run();
  if (!acceptor.locals.empty()) {
    made.far_id = acceptor.locals.rbegin()->first;
    made.far = acceptor.locals.rbegin()->second;
  }
  return made;
}

}  // namespace peersock::tunnel::testing
