// An SmpEngine that costs nothing: it compares hashes. For tests whose subject is not the proof;
// libotr's exponentiations take longer than everything else in a simulated session.
#pragma once

#include <array>
#include <memory>

#include <sodium.h>

#include "auth/handshake.hpp"

namespace peersock::testing {

class QuickSmp final : public auth::SmpEngine {
 public:
  Result<Bytes> start() override { return Bytes{1}; }
  Result<void> check1(ByteView /*first*/) override { return {}; }
  Result<Bytes> answer1(const Secret& secret) override {
    mine_ = digest(secret);
    return mine_;
  }
  Result<Bytes> answer2(const Secret& secret, ByteView second) override {
    mine_ = digest(secret);
    theirs_.assign(second.begin(), second.end());
    return mine_;
  }
  Result<Verdict> answer3(ByteView third) override { return Verdict{equal(third), mine_}; }
  Result<bool> check4(ByteView fourth) override { return equal(fourth) && theirs_ == mine_; }

 private:
  static Bytes digest(const Secret& secret) {
    Bytes hash(crypto_hash_sha256_BYTES);
    crypto_hash_sha256(hash.data(), secret.reveal().data(), secret.size());
    return hash;
  }
  [[nodiscard]] bool equal(ByteView other) const { return equal_secret(mine_, other); }

  Bytes mine_;
  Bytes theirs_;
};

inline std::unique_ptr<auth::SmpEngine> make_quick_smp() {
  return std::make_unique<QuickSmp>();
}

}  // namespace peersock::testing
