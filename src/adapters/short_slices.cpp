#include "adapters/short_slices.hpp"

#include <cstdint>

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace peersock::adapters {
namespace {

/// The least that Linux grants.
constexpr std::uint64_t kSliceNanoseconds = 100'000;

/// The first version of struct sched_attr, which not every C library has.
struct Attributes {
  std::uint32_t size;
  std::uint32_t policy;
  std::uint64_t flags;
  std::int32_t nice;
  std::uint32_t priority;
  std::uint64_t runtime;  ///< of an ordinary policy: the slice, in nanoseconds
  std::uint64_t deadline;
  std::uint64_t period;
};

}  // namespace

void ask_for_short_slices() {
  Attributes attributes{};
  if (syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) != 0) return;
  // Who runs us in another way, as a batch for instance, has a reason.
  if (attributes.policy != SCHED_OTHER) return;
  attributes.runtime = kSliceNanoseconds;
  static_cast<void>(syscall(SYS_sched_setattr, 0, &attributes, 0));
}

}  // namespace peersock::adapters
