// A run of the proof's arithmetic with libotr's engine at both ends.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "adapters/otr_smp.hpp"

namespace peersock::adapters {

inline constexpr std::string_view kSmpSecret = "0123456789abcdef0123456789abcdef";
inline constexpr std::string_view kOtherSmpSecret = "0123456789abcdef0123456789abcdeg";

inline Secret secret(std::string_view text = kSmpSecret) {
  return Secret(text);
}

/// Both ends of a run and the four messages between them, as far as the run has got.
struct SmpExchange {
  std::unique_ptr<auth::SmpEngine> alice = make_otr_smp_engine();
  std::unique_ptr<auth::SmpEngine> bob = make_otr_smp_engine();
  std::vector<Bytes> messages;
  std::string_view bobs = kSmpSecret;
  bool bob_prepares = false;  ///< ahead of his answer; it must make no difference
  bool bob_equal = false;
  bool alice_equal = false;

  explicit SmpExchange(std::string_view bobs_secret = kSmpSecret) : bobs(bobs_secret) {}

  /// Produces message `count` and all before it; 5 includes the initiator's verdict.
  SmpExchange& up_to(int count) {
    while (static_cast<int>(messages.size()) < count && messages.size() < 4) step();
    if (count == 5) alice_equal = alice->check4(messages[3]).value();
    return *this;
  }

 private:
  void step() {
    switch (messages.size()) {
      case 0:
        return messages.push_back(alice->start().value());
      case 1:
        EXPECT_TRUE(bob->check1(messages[0]));
        EXPECT_TRUE(!bob_prepares || bob->prepare1());
        return messages.push_back(bob->answer1(secret(bobs)).value());
      case 2:
        return messages.push_back(alice->answer2(secret(), messages[1]).value());
      default:
        const auto verdict = bob->answer3(messages[2]).value();
        bob_equal = verdict.equal;
        return messages.push_back(verdict.reply);
    }
  }
};

}  // namespace peersock::adapters
