#include "adapters/openssl_util.hpp"

#include <array>

#include <openssl/err.h>

namespace peersock::adapters {

std::string take_openssl_error() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "unknown error";
  std::array<char, 256> text{};
  ERR_error_string_n(code, text.data(), text.size());
  return text.data();
}

}  // namespace peersock::adapters
