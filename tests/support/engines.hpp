// Which QUIC engine is under test on which side. Every test with real engines runs once for each
// pair of them: the build names the pair in PEERSOCK_TEST_ENGINES.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "adapters/ngtcp2_connection.hpp"
#include "adapters/openssl_connection.hpp"
#include "adapters/quic_engine.hpp"
#include "support/seeded_rng.hpp"

namespace peersock::testing {

using EngineKind = adapters::QuicEngine;

/// A client and a server, or the first and the second side of a session.
struct EngineChoice {
  EngineKind first = EngineKind::kOpenSsl;
  EngineKind second = EngineKind::kOpenSsl;
};

inline EngineKind engine_named(std::string_view name) {
  if (name == "openssl") return EngineKind::kOpenSsl;
  if (name == "ngtcp2") return EngineKind::kNgtcp2;
  static_cast<void>(std::fprintf(stderr, "PEERSOCK_TEST_ENGINES names no engine we have\n"));
  std::abort();
}

/// "openssl", "ngtcp2", or two of them with a plus between; both OpenSSL when nothing is asked for.
inline EngineChoice engines_under_test() {
  const char* wanted = std::getenv("PEERSOCK_TEST_ENGINES");
  const std::string_view names = wanted == nullptr ? "openssl" : wanted;
  const std::size_t plus = names.find('+');
  if (plus == std::string_view::npos) return {engine_named(names), engine_named(names)};
  return {engine_named(names.substr(0, plus)), engine_named(names.substr(plus + 1))};
}

/// One for all, so that no two connections draw the same numbers.
inline Rng& engine_rng() {
  static SeededRng rng(20'260);
  return rng;
}

inline Result<std::unique_ptr<quic::Engine>> make_engine_of(EngineKind kind) {
  return adapters::make_quic_engine(kind, adapters::kDefaultCongestion, engine_rng());
}

/// For what the interface does not let anybody ask for: other names, no certificate.
inline Result<std::unique_ptr<quic::Connection>> make_connection_of(
    EngineKind kind, const quic::ConnectionConfig& config, const adapters::Identity* identity,
    std::string_view alpn, Instant now) {
  if (kind == EngineKind::kNgtcp2) {
    return adapters::Ngtcp2Connection::create(config, identity, alpn, engine_rng(), now);
  }
  return adapters::OpenSslConnection::create(config, identity, alpn, now);
}

}  // namespace peersock::testing
