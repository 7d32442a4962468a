// Ownership of libgcrypt's numbers and memory.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>

#include <gcrypt.h>

#include "core/bytes.hpp"

namespace peersock::adapters {

struct GcryptFree {
  void operator()(void* memory) const noexcept { gcry_free(memory); }
};
struct MpiRelease {
  void operator()(gcry_mpi_t number) const noexcept { gcry_mpi_release(number); }
};
using MpiPtr = std::unique_ptr<gcry_mpi, MpiRelease>;

/// Octets where libgcrypt takes them for a secret: locked if possible, wiped when freed, and raised
/// to by calculations that do not depend on them in their timing. False without memory or octets.
class SecureCopy {
 public:
  explicit SecureCopy(ByteView octets)
      : memory_(octets.empty() ? nullptr : gcry_malloc_secure(octets.size())),
        size_(octets.size()) {
    if (memory_) std::memcpy(memory_.get(), octets.data(), octets.size());
  }
  explicit operator bool() const { return memory_ != nullptr; }
  [[nodiscard]] const unsigned char* data() const {
    return static_cast<const unsigned char*>(memory_.get());
  }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  std::unique_ptr<void, GcryptFree> memory_;
  std::size_t size_;
};

/// The number of these big-endian octets, in secure memory; nothing without memory or octets.
[[nodiscard]] inline MpiPtr secure_number(ByteView octets) {
  const SecureCopy copy(octets);
  gcry_mpi_t number = nullptr;
  if (!copy || gcry_mpi_scan(&number, GCRYMPI_FMT_USG, copy.data(), copy.size(), nullptr) != 0) {
    return nullptr;
  }
  return MpiPtr(number);
}

}  // namespace peersock::adapters
