// How long libnice is made to wait for an answer: seen in its own property, which is all that there
// is.
#include "adapters/nice_patience.hpp"

#include <gtest/gtest.h>

#include "adapters/clock.hpp"
#include "adapters/nice_setup.hpp"
#include "support/glib_loop.hpp"

namespace peersock::testing {
namespace {

using adapters::kNicePacing;
using adapters::NicePatience;

struct PatientAgent {
  [[nodiscard]] guint pacing() const {
    guint milliseconds = 0;
    g_object_get(agent.get(), "stun-pacing-timer", &milliseconds, nullptr);
    return milliseconds;
  }
  [[nodiscard]] bool waits() const { return pacing() > kNicePacing; }
  void run_for(Duration span) {
    static_cast<void>(loop.until([] { return false; }, span));
  }

  GlibLoop loop;
  adapters::GObjectPtr<::NiceAgent> agent = adapters::make_nice_agent({}, loop.context());
  NicePatience patience{agent.get(), loop.context(), kNicePacing};
};

TEST(NicePatience, BeginsWhenAnAnswerIsOverdueAndEnds) {
  PatientAgent side;
  side.patience.on_credentials();
  side.patience.on_peers_check();
  const Instant began = adapters::monotonic_now();
  EXPECT_FALSE(side.waits()) << "most answers come at once";
  ASSERT_TRUE(side.loop.until([&] { return side.waits(); }, 3s));
  EXPECT_GE(adapters::monotonic_now() - began, 900ms);
  // As Ta: libnice waits for so long for each pair, and half a second at least.
  EXPECT_GE(side.pacing(), 2000U);
  ASSERT_TRUE(side.loop.until([&] { return !side.waits(); }, 6s));
  EXPECT_EQ(side.pacing(), kNicePacing);
}

TEST(NicePatience, NeedsCredentialsAndACheckInEitherOrder) {
  PatientAgent first;
  first.patience.on_peers_check();
  first.run_for(1200ms);
  EXPECT_FALSE(first.waits()) << "nothing of ours is on its way";
  first.patience.on_credentials();
  EXPECT_TRUE(first.loop.until([&] { return first.waits(); }, 3s));

  PatientAgent second;
  second.patience.on_credentials();
  second.run_for(1200ms);
  EXPECT_FALSE(second.waits()) << "nobody may be there";
}

TEST(NicePatience, IsNotNeededWhenAPathWasFoundInTime) {
  PatientAgent side;
  side.patience.on_credentials();
  side.patience.on_peers_check();
  side.run_for(500ms);
  side.patience.on_decided();
  side.run_for(1200ms);
  EXPECT_FALSE(side.waits());
}

TEST(NicePatience, EndsAtOnceWithThePath) {
  PatientAgent side;
  side.patience.on_credentials();
  side.patience.on_peers_check();
  ASSERT_TRUE(side.loop.until([&] { return side.waits(); }, 3s));
  side.patience.on_decided();
  EXPECT_EQ(side.pacing(), kNicePacing);
  side.run_for(4s);
  EXPECT_EQ(side.pacing(), kNicePacing);
}

}  // namespace
}  // namespace peersock::testing
