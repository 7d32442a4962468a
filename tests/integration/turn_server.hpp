// A coturn process on loopback, for as long as the object lives.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include <sys/types.h>

#include "adapters/glib_ptr.hpp"
#include "adapters/nice_agent.hpp"

namespace peersock::testing {

class TurnProcess {
 public:
  /// User "u" with password "p" on 127.0.0.1: UDP, TCP and, on a port of its own, TLS. Throws when
  /// it does not come up, which fails the test: the package coturn is part of what tests need. With
  /// two addresses it also listens on 127.0.0.2 and a second port of both (RFC 5780).
  explicit TurnProcess(bool two_addresses = false);
  ~TurnProcess();
  TurnProcess(const TurnProcess&) = delete;
  TurnProcess& operator=(const TurnProcess&) = delete;
  TurnProcess(TurnProcess&&) = delete;
  TurnProcess& operator=(TurnProcess&&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::uint16_t tls_port() const { return tls_port_; }
  /// Of whoever trusts its certificate, which is for 127.0.0.1 and localhost.
  [[nodiscard]] GTlsDatabase* trusted() const { return trusted_.get(); }
  [[nodiscard]] adapters::TurnServer server(adapters::TurnTransport transport,
                                            const std::string& password = "p") const;

 private:
  void spawn();
  [[nodiscard]] bool comes_up();
  void stop();
  [[nodiscard]] bool answers() const;

  std::filesystem::path folder_;
  bool two_addresses_;
  std::uint16_t port_ = 0;
  std::uint16_t tls_port_ = 0;
  adapters::GObjectPtr<GTlsDatabase> trusted_;
  pid_t process_ = -1;
};

}  // namespace peersock::testing
