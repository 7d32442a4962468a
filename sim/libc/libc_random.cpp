// Entropy: everything that draws random numbers on a simulated host gets those of this host.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <gcrypt.h>
#include <glib.h>
#include <openssl/rand.h>
#include <sys/random.h>
#include <unistd.h>

#include "host.hpp"
#include "libc/real.hpp"
#include "libc/seeded_entropy.hpp"

namespace peersock::sim {
namespace {

int fill_openssl(unsigned char* out, int size) {
  return getrandom(out, static_cast<std::size_t>(size), 0) == size ? 1 : 0;
}
int always() {
  return 1;
}

}  // namespace

void seed_libraries(std::uint32_t seed) {
  // Of OpenSSL's own generators each has a state, a count and the process's number in it.
  static RAND_METHOD method = {nullptr, fill_openssl, nullptr, nullptr, fill_openssl, always};
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  RAND_set_rand_method(&method);
#pragma GCC diagnostic pop
  g_random_set_seed(seed);
}

}  // namespace peersock::sim

using namespace peersock::sim;

extern "C" {

ssize_t getrandom(void* out, std::size_t size, unsigned flags) {
  Host* host = Host::current();
  if (host == nullptr) return PEERSOCK_REAL(getrandom)(out, size, flags);
  host->fill_random(out, size);
  return static_cast<ssize_t>(size);
}

int getentropy(void* out, std::size_t size) {
  return getrandom(out, size, 0) == static_cast<ssize_t>(size) ? 0 : -1;
}

// libnice's own, without its header: GnuTLS is no dependency of ours.
int gnutls_rnd(int level, void* out, std::size_t size);
int gnutls_rnd(int /*level*/, void* out, std::size_t size) {
  constexpr int kRandomFailed = -206;
  return getrandom(out, size, 0) == static_cast<ssize_t>(size) ? 0 : kRandomFailed;
}

// Of the functions of libgcrypt that draw, libotr's sm.c calls these.
void gcry_randomize(void* out, std::size_t size, gcry_random_level /*level*/) {
  (void)getrandom(out, size, 0);
}
void* gcry_random_bytes(std::size_t size, gcry_random_level level) {
  void* out = gcry_xmalloc(size);
  gcry_randomize(out, size, level);
  return out;
}
// libotr draws its exponents so, as long as its group's modulus. A run of the proof is some fifty
// powers, most of a session's processor time, and how long each takes goes by its exponent. Here
// they protect nothing, so all but the last octets are zero; what is sent is as long as ever.
void* gcry_random_bytes_secure(std::size_t size, gcry_random_level level) {
  constexpr std::size_t kLongest = 8;
  auto* out = static_cast<std::uint8_t*>(gcry_xmalloc_secure(size));
  const std::size_t drawn = std::min(size, kLongest);
  std::fill_n(out, size - drawn, std::uint8_t{0});
  gcry_randomize(out + (size - drawn), drawn, level);
  return out;
}

}  // extern "C"
