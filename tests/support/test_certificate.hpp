// Certificates for tests, made when they are needed.
#pragma once

#include <string>

namespace peersock::testing {

struct TestCertificate {
  std::string certificate;  ///< PEM
  std::string key;          ///< PEM
};

/// Signed by itself, for an alternative name in OpenSSL's words (`IP:127.0.0.1`, `DNS:localhost`),
/// valid from a day ago until `days` from now.
[[nodiscard]] TestCertificate make_certificate(const std::string& name, int days);

}  // namespace peersock::testing
