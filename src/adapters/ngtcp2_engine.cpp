#include "adapters/ngtcp2_engine.hpp"

#include <utility>

#include "adapters/ngtcp2_connection.hpp"

namespace peersock::adapters {
namespace {

class Ngtcp2Engine final : public quic::Engine {
 public:
  Ngtcp2Engine(Identity identity, Rng& rng, Congestion congestion)
      : identity_(std::move(identity)), rng_(rng), congestion_(congestion) {}

  [[nodiscard]] std::string_view name() const override { return "ngtcp2"; }
  [[nodiscard]] const Fingerprint& fingerprint() const override { return identity_.fingerprint; }

  [[nodiscard]] Result<std::unique_ptr<quic::Connection>> connect(
      const quic::ConnectionConfig& config, Instant now) override {
    auto connection =
        Ngtcp2Connection::create(config, &identity_, quic::kAlpn, rng_, now, congestion_);
    if (!connection) return tl::unexpected(std::move(connection.error()));
    return std::unique_ptr<quic::Connection>(std::move(*connection));
  }

 private:
  Identity identity_;
  Rng& rng_;
  Congestion congestion_;
};

/// Once for all: fetching an algorithm anew for each connection is slow.
void fetch_algorithms() {
  static const int fetched = ngtcp2_crypto_ossl_init();
  static_cast<void>(fetched);
}

}  // namespace

Result<std::unique_ptr<quic::Engine>> make_ngtcp2_engine(Rng& rng, Congestion congestion) {
  fetch_algorithms();
  auto identity = make_identity();
  if (!identity) return tl::unexpected(std::move(identity.error()));
  return std::unique_ptr<quic::Engine>(
      std::make_unique<Ngtcp2Engine>(std::move(*identity), rng, congestion));
}

}  // namespace peersock::adapters
