// The C library's own functions, behind ours of the same names.
#pragma once

#include <dlfcn.h>

/// `PEERSOCK_REAL(read)(fd, into, size)` calls the next definition of `read` after this program's.
#define PEERSOCK_REAL(function)                                               \
  (*[] {                                                                      \
    static auto* const next =                                                 \
        reinterpret_cast<decltype(&::function)>(dlsym(RTLD_NEXT, #function)); \
    return next;                                                              \
  }())
