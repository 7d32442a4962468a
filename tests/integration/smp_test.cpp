// libotr's engine under the real machine and under attack: what is not an honest run with equal
// secrets never succeeds and never crashes.
#include <algorithm>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "smp_exchange.hpp"
#include "support/seeded_rng.hpp"

namespace peersock::adapters {
namespace {

using auth::SmpEngine;
using peersock::testing::SeededRng;
using ::testing::AllOf;
using ::testing::Ge;
using ::testing::Le;

enum class Outcome { kGoesOn, kDiffers, kRefused };

/// Gives `body` as message `number` (1 to 4) to the end of `run` whose turn it is.
Outcome give(SmpExchange& run, int number, const Bytes& body) {
  const auto judge = [](const auto& result) {
    if (!result) {
      EXPECT_EQ(result.error().kind, ErrorKind::kAuthentication) << result.error().message;
      return Outcome::kRefused;
    }
    return Outcome::kGoesOn;
  };
  switch (number) {
    case 1:
      return judge(run.bob->check1(body));
    case 2:
      return judge(run.alice->answer2(secret(), body));
    case 3: {
      const auto verdict = run.bob->answer3(body);
      return verdict && !verdict->equal ? Outcome::kDiffers : judge(verdict);
    }
    default: {
      const auto equal = run.alice->check4(body);
      return equal && !*equal ? Outcome::kDiffers : judge(equal);
    }
  }
}

using Numbers = std::vector<Bytes>;

std::size_t read_u32(const Bytes& bytes, std::size_t at) {
  return std::size_t{bytes[at]} << 24 | std::size_t{bytes[at + 1]} << 16 |
         std::size_t{bytes[at + 2]} << 8 | std::size_t{bytes[at + 3]};
}
void write_u32(Bytes& bytes, std::size_t value) {
  for (const int shift : {24, 16, 8, 0}) bytes.push_back(static_cast<std::uint8_t>(value >> shift));
}

Numbers split(const Bytes& message) {
  Numbers numbers(read_u32(message, 0));
  std::size_t at = 4;
  for (Bytes& number : numbers) {
    const std::size_t size = read_u32(message, at);
    at += 4;
    number.assign(message.begin() + at, message.begin() + at + size);
    at += size;
  }
  EXPECT_EQ(at, message.size());
  return numbers;
}

Bytes join(const Numbers& numbers) {
  Bytes message;
  write_u32(message, numbers.size());
  for (const Bytes& number : numbers) {
    write_u32(message, number.size());
    message.insert(message.end(), number.begin(), number.end());
  }
  return message;
}

TEST(OtrSmp, EqualSecretsSucceedOnBothEnds) {
  SmpExchange run;
  run.up_to(5);
  EXPECT_TRUE(run.bob_equal);
  EXPECT_TRUE(run.alice_equal);
}

TEST(OtrSmp, TheSecondMessageMayBePreparedOrNot) {
  for (const auto bobs : {kSmpSecret, kOtherSmpSecret}) {
    SmpExchange run(bobs);
    run.bob_prepares = true;
    run.up_to(5);
    EXPECT_EQ(run.bob_equal, bobs == kSmpSecret);
    EXPECT_EQ(run.alice_equal, bobs == kSmpSecret);
  }
}

TEST(OtrSmp, DifferentSecretsFailOnBothEnds) {
  for (const std::string_view other :
       {kOtherSmpSecret, kSmpSecret.substr(1), std::string_view("x")}) {
    SmpExchange run(other);
    run.up_to(5);
    EXPECT_FALSE(run.bob_equal);
    EXPECT_FALSE(run.alice_equal);
  }
}

TEST(OtrSmp, MessagesHaveTheDocumentedShape) {
  SmpExchange run;
  run.up_to(4);
  const std::vector<std::size_t> counts{6, 11, 8, 3};
  const std::vector<std::size_t> longest{860, 1680, 1252, 432};
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(split(run.messages[i]).size(), counts[i]);
    EXPECT_THAT(run.messages[i].size(), AllOf(Ge(longest[i] - 32), Le(longest[i])));
    EXPECT_LE(longest[i], auth::kMaxMessage);
  }
}

TEST(OtrSmp, ManyRunsAtOnceDoNotMix) {
  // More than fit into the secure memory that is set aside at first.
  std::vector<SmpExchange> runs;
  runs.reserve(120);
  for (int i = 0; i < 120; ++i) runs.emplace_back(i % 2 == 0 ? kSmpSecret : kOtherSmpSecret);
  for (SmpExchange& run : runs) run.up_to(1);
  for (std::size_t i = 0; i < runs.size(); i += 20) runs[i].up_to(3);
  for (std::size_t i = 5; i < runs.size(); i += 20) runs[i].up_to(5);
  for (std::size_t i = 0; i < runs.size(); i += 20) runs[i].up_to(5);
  for (const std::size_t i : {0, 5, 20, 25, 40, 45, 60, 65, 80, 85, 100, 105}) {
    EXPECT_EQ(runs[i].bob_equal, i % 2 == 0) << i;
    EXPECT_EQ(runs[i].alice_equal, i % 2 == 0) << i;
  }
}

/// Carries messages between two machines until neither has anything to say.
std::pair<std::string, std::string> proof_between(std::string_view alices, std::string_view bobs) {
  auto started = make_otr_smp_engine();
  Bytes first = started->start().value();
  auth::Handshake alice(auth::Role::kInitiator, std::move(started));
  auth::Handshake bob(auth::Role::kResponder, make_otr_smp_engine());
  EXPECT_TRUE(alice.handle(auth::Started{secret(alices)}, {}).empty());
  EXPECT_TRUE(bob.handle(auth::FirstReceived{std::move(first)}, {}).empty());
  std::vector<auth::HandshakeOutput> to_alice = bob.handle(auth::Started{secret(bobs)}, {});
  std::vector<auth::HandshakeOutput> to_bob;
  const auto deliver = [](auth::Handshake& machine, std::vector<auth::HandshakeOutput>& from) {
    std::vector<auth::HandshakeOutput> answers;
    for (auto& output : std::exchange(from, {})) {
      auto* message = std::get_if<auth::SendMessage>(&output);
      if (message == nullptr) continue;
      for (auto& answer : machine.handle(auth::MessageReceived{std::move(message->body)}, {})) {
        answers.push_back(std::move(answer));
      }
    }
    return answers;
  };
  while (!to_bob.empty() || !to_alice.empty()) {
    to_bob = deliver(alice, to_alice);
    to_alice = deliver(bob, to_bob);
  }
  return {std::string(alice.state_name()), std::string(bob.state_name())};
}

TEST(OtrSmp, ServesTheMachine) {
  EXPECT_EQ(proof_between(kSmpSecret, kSmpSecret),
            (std::pair<std::string, std::string>("Proven", "Proven")));
  EXPECT_EQ(proof_between(kSmpSecret, kOtherSmpSecret),
            (std::pair<std::string, std::string>("Refused", "Refused")));
}

class EachMessage : public ::testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(OtrSmp, EachMessage, ::testing::Values(1, 2, 3, 4));

TEST_P(EachMessage, UnchangedGoesOn) {
  SmpExchange run;
  run.up_to(GetParam());
  EXPECT_EQ(give(run, GetParam(), run.messages.back()), Outcome::kGoesOn);
}

/// A run is dear (docs/spec/auth.md), so what costs one a case is sampled more thinly for later
/// messages. What the first message shows for every octet and size is the same code for all.
bool cheap() {
  return EachMessage::GetParam() == 1;
}

TEST_P(EachMessage, CorruptedInAnyOctetIsRefused) {
  SeededRng rng(20);
  SmpExchange sample;
  const Bytes whole = sample.up_to(GetParam()).messages.back();
  std::vector<std::size_t> places{0, 3};
  std::size_t at = 4;
  for (const Bytes& number : split(whole)) {
    places.push_back(at + random_below(rng, 4));
    places.push_back(at + 4 + random_below(rng, static_cast<std::uint32_t>(number.size())));
    at += 4 + number.size();
  }
  for (std::size_t place = 0; cheap() && place < whole.size(); place += 3) places.push_back(place);
  for (const std::size_t place : places) {
    SmpExchange run;
    Bytes body = cheap() ? whole : run.up_to(GetParam()).messages.back();
    body[std::min(place, body.size() - 1)] ^= static_cast<std::uint8_t>(1U << random_below(rng, 8));
    EXPECT_EQ(give(run, GetParam(), body), Outcome::kRefused) << "octet " << place;
  }
}

TEST_P(EachMessage, TruncatedOrExtendedIsRefused) {
  SmpExchange sample;
  const Bytes whole = sample.up_to(GetParam()).messages.back();
  std::vector<std::size_t> sizes{0, 4, whole.size() - 40, 65536};
  for (std::size_t size = 0; cheap() && size < whole.size() - 40; size += 7) sizes.push_back(size);
  for (const std::size_t size : sizes) {
    SmpExchange run;
    Bytes body = cheap() ? whole : run.up_to(GetParam()).messages.back();
    body.resize(size);
    EXPECT_EQ(give(run, GetParam(), body), Outcome::kRefused) << size << " octets";
  }
  // By one octet more than this run's own: runs differ in length.
  SmpExchange run;
  Bytes body = run.up_to(GetParam()).messages.back();
  body.push_back(0);
  EXPECT_EQ(give(run, GetParam(), body), Outcome::kRefused);
}

TEST_P(EachMessage, OfAnotherRunIsRefused) {
  SmpExchange old;
  old.up_to(4);
  SmpExchange run;
  run.up_to(GetParam());
  // A first message stands for itself: replayed, it gets no further than the third.
  const bool first = GetParam() == 1;
  EXPECT_EQ(give(run, GetParam(), old.messages[GetParam() - 1]),
            first ? Outcome::kGoesOn : Outcome::kRefused);
  if (first) {
    ASSERT_TRUE(run.bob->answer1(secret()));
    EXPECT_EQ(give(run, 3, old.messages[2]), Outcome::kRefused);
  }
}

TEST_P(EachMessage, InPlaceOfAnotherIsRefused) {
  for (int number = 1; number <= 4; ++number) {
    if (number == GetParam()) continue;
    SmpExchange run;
    run.up_to(std::max(number, GetParam()));
    SmpExchange victim;
    victim.up_to(number - 1);
    EXPECT_EQ(give(victim, number, run.messages[GetParam() - 1]), Outcome::kRefused) << number;
  }
}

TEST_P(EachMessage, OfRandomOctetsIsRefused) {
  SeededRng rng(22);
  for (int round = 0; round < (cheap() ? 400 : 8); ++round) {
    SmpExchange run;
    run.up_to(GetParam() - 1);
    Bytes body = random_bytes(rng, random_below(rng, round % 2 == 0 ? 2049 : 65537));
    EXPECT_EQ(give(run, GetParam(), body), Outcome::kRefused) << body.size();
  }
}

TEST_P(EachMessage, OfRandomNumbersIsRefused) {
  // Well framed, so that libotr's own arithmetic sees it.
  SeededRng rng(23);
  for (int round = 0; round < (cheap() ? 40 : 8); ++round) {
    SmpExchange run;
    run.up_to(GetParam());
    Numbers numbers = split(run.messages.back());
    for (Bytes& number : numbers) {
      if (random_below(rng, 4) == 0) continue;
      number = random_bytes(rng, 1 + random_below(rng, 192));
      number[0] |= 1;
    }
    numbers[0] = random_bytes(rng, 100);
    numbers[0][0] |= 1;
    EXPECT_EQ(give(run, GetParam(), join(numbers)), Outcome::kRefused) << round;
  }
}

/// p and q of RFC 3526 section 2, as the values at the edges of what a number may be.
Bytes modulus_plus(int difference) {
  Bytes p = from_hex(
                "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22"
                "514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6"
                "F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3D"
                "C2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB"
                "9ED529077096966D670C354E4ABC9804F1746C08CA237327FFFFFFFFFFFFFFFF")
                .value();
  p.back() = static_cast<std::uint8_t>(p.back() + difference);  // ends in 0xff: -1 is safe
  if (difference > 0) p = Bytes(192, 0xff);
  return p;
}

TEST_P(EachMessage, NumbersOutOfRangeAreRefused) {
  const std::vector<Bytes> edges{Bytes{1}, modulus_plus(-1), modulus_plus(0), modulus_plus(1),
                                 Bytes{},  Bytes{0},         Bytes(193, 0xff)};
  SmpExchange sample;
  const std::size_t count = split(sample.up_to(GetParam()).messages.back()).size();
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t j = 0; j < (cheap() ? edges.size() : 2); ++j) {
      SmpExchange run;
      Numbers numbers = split(run.up_to(GetParam()).messages.back());
      numbers[i] = edges[j];
      EXPECT_EQ(give(run, GetParam(), join(numbers)), Outcome::kRefused)
          << "number " << i << ", edge " << j;
    }
  }
}

TEST_P(EachMessage, WithALeadingZeroIsRefused) {
  SmpExchange run;
  Numbers numbers = split(run.up_to(GetParam()).messages.back());
  numbers[1].insert(numbers[1].begin(), 0);
  EXPECT_EQ(give(run, GetParam(), join(numbers)), Outcome::kRefused);
}

TEST(OtrSmp, AnEndRefusesItsOwnMessages) {
  SmpExchange run;
  run.up_to(1);
  EXPECT_EQ(give(run, 2, run.messages[0]), Outcome::kRefused);
  SmpExchange other;
  other.up_to(2);
  EXPECT_EQ(give(other, 3, other.messages[1]), Outcome::kRefused);
}

TEST(OtrSmp, CallsOutOfOrderAreRefusedAndEndTheRun) {
  SmpExchange run;
  run.up_to(4);
  const auto is_internal = [](const auto& result) {
    return !result && result.error().kind == ErrorKind::kInternal;
  };
  const auto fresh = [] { return make_otr_smp_engine(); };
  EXPECT_TRUE(is_internal(fresh()->prepare1()));
  EXPECT_TRUE(is_internal(fresh()->answer1(secret())));
  EXPECT_TRUE(is_internal(fresh()->answer2(secret(), run.messages[1])));
  EXPECT_TRUE(is_internal(fresh()->answer3(run.messages[2])));
  EXPECT_TRUE(is_internal(fresh()->check4(run.messages[3])));

  const auto twice = fresh();
  ASSERT_TRUE(twice->start());
  EXPECT_TRUE(is_internal(twice->start()));
  EXPECT_TRUE(is_internal(twice->answer2(secret(), run.messages[1]))) << "went on after a failure";

  const auto both = fresh();
  ASSERT_TRUE(both->start());
  EXPECT_TRUE(is_internal(both->check1(run.messages[0]))) << "was both ends of a run";

  const auto without = fresh();
  ASSERT_TRUE(without->start());
  EXPECT_TRUE(is_internal(without->answer2(Secret(), run.messages[1]))) << "took no secret for one";

  EXPECT_TRUE(is_internal(run.bob->answer3(run.messages[2]))) << "answered the same message twice";
  ASSERT_TRUE(run.alice->check4(run.messages[3]).value());
  EXPECT_TRUE(is_internal(run.alice->check4(run.messages[3])));
}

TEST(OtrSmp, ARefusedEngineStaysRefused) {
  SmpExchange run;
  run.up_to(2);
  EXPECT_EQ(give(run, 2, Bytes{1, 2, 3}), Outcome::kRefused);
  EXPECT_FALSE(run.alice->answer2(secret(), run.messages[1]));
}

}  // namespace
}  // namespace peersock::adapters
