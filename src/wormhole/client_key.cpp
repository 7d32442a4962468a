#include "wormhole/client_key.hpp"

#include <utility>

#include "wire/json_reader.hpp"
#include "wormhole/client_errors.hpp"
#include "wormhole/keys.hpp"

namespace peersock::wormhole {
namespace {

constexpr wire::JsonLimits kPakeLimits{.octets = 4096, .depth = 8, .values = 64};
constexpr std::string_view kSmpPurpose = "peersock/smp";

}  // namespace

ClientKey::ClientKey(const Secret& code, std::string_view appid, std::string side, Rng& rng)
    : side_(std::move(side)), spake_(code, as_bytes(appid), rng) {}

Bytes ClientKey::pake() const {
  return to_bytes(wire::to_json_text({{"pake_v1", to_hex(spake_.message())}}));
}

std::optional<Error> ClientKey::agree(ByteView peer_pake) {
  const auto parsed = wire::parse_json(as_text(peer_pake), kPakeLimits);
  const std::string* hex = parsed ? wire::string_member(*parsed, "pake_v1") : nullptr;
  const auto message = hex == nullptr ? std::nullopt : from_hex(*hex);
  if (!message) return peer_broke_protocol("a key exchange message that cannot be read");
  auto shared = spake_.finish(*message);
  if (!shared) return shared.error();
  shared_ = std::move(*shared);
  return std::nullopt;
}

std::string ClientKey::seal(std::string_view phase, ByteView plain, Rng& rng) const {
  return to_hex(encrypt(phase_key(shared_, side_, phase), plain, rng));
}

std::optional<Bytes> ClientKey::open(std::string_view peer_side, std::string_view phase,
                                     ByteView body) const {
  return decrypt(phase_key(shared_, peer_side, phase), body);
}

Secret ClientKey::smp_key() const {
  return derive_key(shared_, kSmpPurpose);
}

}  // namespace peersock::wormhole
