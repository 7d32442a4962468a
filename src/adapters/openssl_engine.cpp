#include "adapters/openssl_engine.hpp"

#include <utility>

#include "adapters/openssl_clock.hpp"
#include "adapters/openssl_connection.hpp"
#include "adapters/openssl_tls.hpp"

namespace peersock::adapters {
namespace {

class OpenSslEngine final : public quic::Engine {
 public:
  explicit OpenSslEngine(Identity identity) : identity_(std::move(identity)) {}

  [[nodiscard]] std::string_view name() const override { return "openssl"; }
  [[nodiscard]] const Fingerprint& fingerprint() const override { return identity_.fingerprint; }

  [[nodiscard]] Result<std::unique_ptr<quic::Connection>> connect(
      const quic::ConnectionConfig& config, Instant now) override {
    auto connection = OpenSslConnection::create(config, &identity_, quic::kAlpn, now);
    if (!connection) return tl::unexpected(std::move(connection.error()));
    return std::unique_ptr<quic::Connection>(std::move(*connection));
  }

 private:
  Identity identity_;
};

}  // namespace

Result<std::unique_ptr<quic::Engine>> make_openssl_engine() {
  keep_time_of_day_even();
  auto identity = make_identity();
  if (!identity) return tl::unexpected(std::move(identity.error()));
  return std::unique_ptr<quic::Engine>(std::make_unique<OpenSslEngine>(std::move(*identity)));
}

}  // namespace peersock::adapters
