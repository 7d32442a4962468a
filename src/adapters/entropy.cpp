#include "adapters/entropy.hpp"

#include <cstdio>
#include <cstdlib>

#include <sodium.h>

namespace peersock::adapters {

SystemRng::SystemRng() {
  // Does its work once, however often it is called, from whichever thread.
  if (sodium_init() >= 0) return;
  (void)std::fputs("peersock: the system gives no random numbers; see that /dev/urandom exists.\n",
                   stderr);
  std::abort();
}

void SystemRng::fill(MutableBytes out) {
  if (!out.empty()) randombytes_buf(out.data(), out.size());
}

}  // namespace peersock::adapters
