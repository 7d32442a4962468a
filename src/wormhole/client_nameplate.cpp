#include "wormhole/client_nameplate.hpp"

#include <utility>

namespace peersock::wormhole {

ClientNameplate::ClientNameplate(std::optional<std::string> given)
    : stage_(given ? Stage::kClaiming : Stage::kAllocating),
      nameplate_(std::move(given).value_or(std::string())) {}

ClientNameplate::Request ClientNameplate::link_up() {
  switch (stage_) {
    case Stage::kAllocating:
      allocate_open_ = true;
      return wire::request::Allocate{};
    case Stage::kClaiming:
      return ask_claim();
    case Stage::kReleasing:
      return ask_release();
    case Stage::kReleased:
      break;
  }
  return std::nullopt;
}

void ClientNameplate::link_lost() {
  allocate_open_ = false;
  claim_open_ = false;
  release_open_ = false;
}

ClientNameplate::Request ClientNameplate::allocated(const std::string& nameplate) {
  if (!std::exchange(allocate_open_, false)) return std::nullopt;
  nameplate_ = nameplate;
  stage_ = Stage::kClaiming;
  return ask_claim();
}

bool ClientNameplate::claimed() {
  return std::exchange(claim_open_, false);
}

ClientNameplate::Request ClientNameplate::release() {
  if (!held_ || stage_ == Stage::kReleased || release_open_) return std::nullopt;
  return ask_release();
}

void ClientNameplate::released() {
  if (std::exchange(release_open_, false)) stage_ = Stage::kReleased;
}

ClientNameplate::Request ClientNameplate::ask_claim() {
  held_ = true;
  claim_open_ = true;
  return wire::request::Claim{nameplate_};
}

ClientNameplate::Request ClientNameplate::ask_release() {
  stage_ = Stage::kReleasing;
  release_open_ = true;
  // Named, because on a new link no claim has gone before.
  return wire::request::Release{nameplate_};
}

}  // namespace peersock::wormhole
