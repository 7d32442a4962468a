#include "adapters/short_slices.hpp"

#include <array>
#include <cstring>
#include <thread>

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace peersock::adapters {
namespace {

/// What the system says of the calling thread: struct sched_attr, which not every C library has.
struct Told {
  explicit Told(std::uint64_t runtime = 0) {
    EXPECT_EQ(syscall(SYS_sched_getattr, 0, octets.data(), octets.size(), 0), 0);
    if (runtime != 0) std::memcpy(octets.data() + kRuntime, &runtime, sizeof runtime);
  }
  [[nodiscard]] std::uint64_t slice() const {
    std::uint64_t value = 0;
    std::memcpy(&value, octets.data() + kRuntime, sizeof value);
    return value;
  }

  static constexpr std::size_t kRuntime = 24;
  std::array<unsigned char, 48> octets{};
};

/// In a thread of its own, because nothing takes the wish back.
template <typename Body>
void aside(Body&& body) {
  std::thread(body).join();
}

TEST(ShortSlices, AreAskedForAndNothingElseChanges) {
  aside([] {
    const Told before;
    // A system that heeds wishes takes another one; an older one says nothing.
    const Told wish(5'000'000);
    ASSERT_EQ(syscall(SYS_sched_setattr, 0, wish.octets.data(), 0), 0);
    const bool heeds = Told().slice() == 5'000'000;
    ask_for_short_slices();
    EXPECT_EQ(Told().slice(), heeds ? 100'000U : before.slice());
    Told after;
    std::memcpy(after.octets.data() + Told::kRuntime, before.octets.data() + Told::kRuntime, 8);
    EXPECT_EQ(after.octets, before.octets);
  });
}

TEST(ShortSlices, AreNotForABatch) {
  aside([] {
    const sched_param none{};
    ASSERT_EQ(sched_setscheduler(0, SCHED_BATCH, &none), 0);
    const Told before;
    ask_for_short_slices();
    EXPECT_EQ(Told().octets, before.octets);
  });
}

}  // namespace
}  // namespace peersock::adapters
