// Memory that a library loses, which is not for our tests to find.
#pragma once

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#endif

namespace peersock::testing {

/// What is allocated while it lives is not looked for when the search for leaks comes.
class ForgivenLeaks {
 public:
#if defined(__SANITIZE_ADDRESS__)
  ForgivenLeaks() {
    __lsan_disable();
  }
  ~ForgivenLeaks() {
    __lsan_enable();
  }
#else
  ForgivenLeaks() = default;
  ~ForgivenLeaks() = default;
#endif
  ForgivenLeaks(const ForgivenLeaks&) = delete;
  ForgivenLeaks& operator=(const ForgivenLeaks&) = delete;
  ForgivenLeaks(ForgivenLeaks&&) = delete;
  ForgivenLeaks& operator=(ForgivenLeaks&&) = delete;
};

}  // namespace peersock::testing
