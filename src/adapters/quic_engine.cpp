#include "adapters/quic_engine.hpp"

#include "adapters/ngtcp2_engine.hpp"
#include "adapters/openssl_engine.hpp"

namespace peersock::adapters {

Result<std::unique_ptr<quic::Engine>> make_quic_engine(QuicEngine engine, Congestion congestion,
                                                       Rng& rng) {
  return engine == QuicEngine::kNgtcp2 ? make_ngtcp2_engine(rng, congestion)
                                       : make_openssl_engine();
}

}  // namespace peersock::adapters
