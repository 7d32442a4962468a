// Which path serves which pair, and what becomes of a change. This executable defines the few
// functions of libnice that are called; sockets are real ones on loopback.
#include "adapters/chosen_path.hpp"

#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include "../support/system_calls.hpp"
#include "adapters/clock.hpp"
#include "adapters/nice_candidate.hpp"
#include "plain_socket.hpp"

namespace peersock::testing {
namespace {

/// What libnice has selected, and what has been sent through it.
struct FakeAgent {
  GSocket* selected = nullptr;
  std::size_t datagrams = 0;
};
FakeAgent* fake = nullptr;

}  // namespace
}  // namespace peersock::testing

extern "C" gint nice_agent_send_messages_nonblocking(NiceAgent* /*agent*/, guint /*stream*/,
                                                     guint /*component*/,
                                                     const NiceOutputMessage* /*messages*/,
                                                     guint count, GCancellable* /*cancellable*/,
                                                     GError** /*error*/) {
  peersock::testing::fake->datagrams += count;
  return static_cast<gint>(count);
}

extern "C" GSocket* nice_agent_get_selected_socket(NiceAgent* /*agent*/, guint /*stream*/,
                                                   guint /*component*/) {
  GSocket* selected = peersock::testing::fake->selected;
  return selected == nullptr ? nullptr : G_SOCKET(g_object_ref(selected));
}

extern "C" gboolean nice_agent_get_selected_pair(NiceAgent* /*agent*/, guint /*stream*/,
                                                 guint /*component*/, NiceCandidate** /*local*/,
                                                 NiceCandidate** /*remote*/) {
  return FALSE;
}

namespace peersock::testing {
namespace {

using adapters::ChosenPath;
using adapters::NiceCandidatePtr;
using adapters::PathPolicy;
using quic::SendOutcome;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::size_t kSize = 1200;

class ChosenPathTest : public ::testing::Test {
 protected:
  ChosenPathTest() { fake = &agent_; }
  ~ChosenPathTest() override {
    path_.reset();
    fake = nullptr;
  }
  ChosenPathTest(const ChosenPathTest&) = delete;
  ChosenPathTest& operator=(const ChosenPathTest&) = delete;
  ChosenPathTest(ChosenPathTest&&) = delete;
  ChosenPathTest& operator=(ChosenPathTest&&) = delete;

  void make(PathPolicy policy = PathPolicy::kAuto) {
    path_ = std::make_unique<ChosenPath>(
        nullptr, 1, context_.get(), policy,
        adapters::ChosenPathCallbacks{[this] { ++writable_; },
                                      [this](std::span<const quic::DatagramTrain> trains) {
                                        for (const auto& train : trains)
                                          received_ += quic::datagrams_in(train);
                                        if (on_trains_) on_trains_();
                                      },
                                      [this] { ++changes_; }});
  }
  [[nodiscard]] static NiceCandidatePtr candidate(
      const PlainSocket& socket, NiceCandidateType type = NICE_CANDIDATE_TYPE_HOST,
      NiceCandidateTransport transport = NICE_CANDIDATE_TRANSPORT_UDP) {
    NiceCandidatePtr made(nice_candidate_new(type));
    made->transport = transport;
    const auto address = socket.address();
    nice_address_set_from_sockaddr(&made->addr, address.get());
    return made;
  }
  void select(const PlainSocket& local, const PlainSocket& remote) {
    agent_.selected = local.get();
    path_->follow(*candidate(local), *candidate(remote));
  }
  [[nodiscard]] SendOutcome send(std::size_t datagrams = 3) {
    const Bytes octets = quic_train(datagrams, kSize, kSize);
    return path_->send({octets, kSize});
  }
  /// Turns of the loop that find nothing to do.
  void settle() {
    for (int i = 0; i < 20; ++i) g_main_context_iteration(context_.get(), FALSE);
  }

  adapters::ContextPtr context_{g_main_context_new()};
  FakeAgent agent_;
  PlainSocket near_{"127.0.0.1"};
  PlainSocket far_{"127.0.0.1"};
  std::size_t received_ = 0;
  int writable_ = 0;
  int changes_ = 0;
  std::function<void()> on_trains_;
  std::unique_ptr<ChosenPath> path_;
};

TEST_F(ChosenPathTest, ADirectPairHasASocketOfItsOwn) {
  make();
  EXPECT_FALSE(path_->split());
  select(near_, far_);
  EXPECT_TRUE(path_->split());
  EXPECT_EQ(send(), SendOutcome::kSent);
  EXPECT_EQ(agent_.datagrams, 0U);
  EXPECT_EQ(far_.receive().size(), 3U);
  far_.send_to(near_, quic_train(1, kSize, kSize));
  settle();
  EXPECT_EQ(received_, 1U);
  EXPECT_EQ(path_->statistics().datagrams, 3U);
  EXPECT_EQ(path_->statistics().calls, 1U);
  EXPECT_EQ(changes_, 0);
}

TEST_F(ChosenPathTest, LibniceGetsWholeMessagesWhileThePeerSendsThroughIt) {
  make();
  path_->arrived_through_libnice();  // means nothing before there is a pair
  select(near_, far_);
  const auto option = [&] { return near_.option(IPPROTO_UDP, UDP_GRO); };
  const Instant began = adapters::monotonic_now();
  while (option() == 0 && adapters::monotonic_now() - began < std::chrono::seconds(10)) {
    far_.send_to(near_, quic_train(1, kSize, kSize));
    settle();
  }
  EXPECT_EQ(option(), 1);
  EXPECT_GE(adapters::monotonic_now() - began, adapters::kSplitPatience);
  path_->arrived_through_libnice();
  EXPECT_EQ(near_.option(IPPROTO_UDP, UDP_GRO), 0);
}

TEST_F(ChosenPathTest, RelayedAndTcpPairsAreLibnices) {
  make();
  agent_.selected = near_.get();
  path_->follow(*candidate(near_, NICE_CANDIDATE_TYPE_RELAYED), *candidate(far_));
  EXPECT_FALSE(path_->split());
  for (const auto transport :
       {NICE_CANDIDATE_TRANSPORT_TCP_ACTIVE, NICE_CANDIDATE_TRANSPORT_TCP_PASSIVE,
        NICE_CANDIDATE_TRANSPORT_TCP_SO}) {
    path_->follow(*candidate(near_, NICE_CANDIDATE_TYPE_HOST, transport), *candidate(far_));
    EXPECT_FALSE(path_->split());
    path_->follow(*candidate(near_), *candidate(far_, NICE_CANDIDATE_TYPE_HOST, transport));
    EXPECT_FALSE(path_->split());
  }
  EXPECT_EQ(send(), SendOutcome::kSent);
  EXPECT_EQ(agent_.datagrams, 3U);
  // The peer's relay is an address like any other.
  path_->follow(*candidate(near_), *candidate(far_, NICE_CANDIDATE_TYPE_RELAYED));
  EXPECT_TRUE(path_->split());
}

TEST_F(ChosenPathTest, ReflexivePairsAreDirectOnes) {
  make();
  agent_.selected = near_.get();
  for (const auto type :
       {NICE_CANDIDATE_TYPE_SERVER_REFLEXIVE, NICE_CANDIDATE_TYPE_PEER_REFLEXIVE}) {
    path_->follow(*candidate(near_, type), *candidate(far_, type));
    EXPECT_TRUE(path_->split());
  }
}

TEST_F(ChosenPathTest, LibniceAloneIfSoOrdered) {
  make(PathPolicy::kNice);
  select(near_, far_);
  EXPECT_FALSE(path_->split());
  EXPECT_EQ(send(), SendOutcome::kSent);
  EXPECT_EQ(agent_.datagrams, 3U);
}

TEST_F(ChosenPathTest, WithoutASocketToShareItIsLibnices) {
  make();
  path_->follow(*candidate(near_), *candidate(far_));
  EXPECT_FALSE(path_->split());
}

TEST_F(ChosenPathTest, WhatTheSystemRefusesLibniceDoes) {
  make();
  {
    Refusals ordered;
    ordered.setsockopt = [](int level, int option) -> std::optional<int> {
      if (level == SOL_SOCKET && option == SO_ATTACH_REUSEPORT_CBPF) return ENOPROTOOPT;
      return std::nullopt;
    };
    select(near_, far_);
  }
  EXPECT_FALSE(path_->split());
  EXPECT_EQ(send(), SendOutcome::kSent);
  EXPECT_EQ(agent_.datagrams, 3U);
  select(near_, far_);
  EXPECT_TRUE(path_->split()) << "each new pair is a new attempt";
}

TEST_F(ChosenPathTest, TheSamePairAgainIsNoChange) {
  make();
  select(near_, far_);
  const std::size_t descriptors = open_descriptors();
  far_.send_to(near_, quic_train(1, kSize, kSize));
  select(near_, far_);
  EXPECT_EQ(open_descriptors(), descriptors);
  settle();
  EXPECT_EQ(received_, 1U);
}

TEST_F(ChosenPathTest, APairChangesInMidTransferWithoutLoss) {
  make();
  const PlainSocket near_too("127.0.0.1");
  const PlainSocket far_too("127.0.0.1");
  select(near_, far_);
  std::size_t sent = 0;
  const auto come_from = [&](const PlainSocket& from, const PlainSocket& to) {
    from.send_to(to, quic_train(1, kSize, kSize));
    ++sent;
  };
  come_from(far_, near_);
  // Only the remote address, then only the local one, then both, then back. What the sockets of
  // before hold is not lost.
  select(near_, far_too);
  come_from(far_too, near_);
  select(near_too, far_too);
  come_from(far_too, near_too);
  EXPECT_EQ(send(), SendOutcome::kSent);
  EXPECT_EQ(far_too.receive().size(), 3U);
  settle();
  EXPECT_EQ(received_, sent);
  select(near_, far_);
  come_from(far_, near_);
  EXPECT_EQ(send(), SendOutcome::kSent);
  EXPECT_EQ(far_.receive().size(), 3U);
  settle();
  EXPECT_EQ(received_, sent);
  EXPECT_EQ(agent_.datagrams, 0U);
  EXPECT_TRUE(path_->split());
}

TEST_F(ChosenPathTest, AChangeToARelayReadsWhatIsLeft) {
  make();
  select(near_, far_);
  far_.send_to(near_, quic_train(1, kSize, kSize));
  path_->follow(*candidate(near_, NICE_CANDIDATE_TYPE_RELAYED), *candidate(far_));
  EXPECT_FALSE(path_->split());
  settle();
  EXPECT_EQ(received_, 1U);
  far_.send_to(near_, quic_train(1, kSize, kSize));
  EXPECT_EQ(near_.receive().size(), 1U) << "the second socket is closed";
  EXPECT_EQ(send(), SendOutcome::kSent);
  EXPECT_EQ(agent_.datagrams, 3U);
}

TEST_F(ChosenPathTest, AFullSocketIsWaitedFor) {
  make();
  select(near_, far_);
  {
    Refusals ordered;
    ordered.sendmsg = [](int) { return EAGAIN; };
    EXPECT_EQ(send(), SendOutcome::kWouldBlock);
  }
  EXPECT_EQ(writable_, 0) << "never from inside a call";
  settle();
  EXPECT_EQ(writable_, 1) << "once";
  EXPECT_EQ(send(), SendOutcome::kSent);
  EXPECT_EQ(path_->statistics().would_block, 1U);
}

TEST_F(ChosenPathTest, WhoWaitsIsWokenWhenThePairChanges) {
  make();
  for (const bool relayed : {false, true}) {
    select(near_, far_);
    {
      Refusals ordered;
      ordered.sendmsg = [](int) { return EAGAIN; };
      EXPECT_EQ(send(), SendOutcome::kWouldBlock);
    }
    const PlainSocket other("127.0.0.1");
    writable_ = 0;
    if (relayed) {
      path_->follow(*candidate(near_, NICE_CANDIDATE_TYPE_RELAYED), *candidate(far_));
    } else {
      select(other, far_);
    }
    settle();
    EXPECT_EQ(writable_, 1);
  }
}

TEST_F(ChosenPathTest, DatagramsThatDoNotFitAreALoss) {
  make();
  select(near_, far_);
  Refusals ordered;
  ordered.sendmsg = [](int) { return EMSGSIZE; };
  const Bytes large = quic_train(2, kSize + 1, kSize + 1);
  EXPECT_EQ(path_->send({large, kSize + 1}), SendOutcome::kTooBig);
  EXPECT_EQ(path_->statistics().lost, 2U);
  EXPECT_TRUE(path_->split());
  EXPECT_EQ(changes_, 0);
}

TEST_F(ChosenPathTest, WhereTheSmallestDatagramsDoNotFitLibniceTakesOver) {
  make();
  select(near_, far_);
  far_.send_to(near_, quic_train(1, kSize, kSize));
  {
    Refusals ordered;
    ordered.sendmsg = [](int) { return EMSGSIZE; };
    EXPECT_EQ(send(), SendOutcome::kSent);
  }
  EXPECT_EQ(agent_.datagrams, 3U) << "it may fragment them";
  EXPECT_FALSE(path_->split());
  EXPECT_EQ(changes_, 1);
  settle();
  EXPECT_EQ(received_, 1U);
  select(near_, far_);
  EXPECT_FALSE(path_->split()) << "for good";
}

TEST_F(ChosenPathTest, ARouteWithoutSegmentationIsLibnices) {
  make();
  select(near_, far_);
  {
    Refusals ordered;
    ordered.sendmsg = [](int) { return EIO; };
    EXPECT_EQ(send(), SendOutcome::kSent);
  }
  EXPECT_EQ(agent_.datagrams, 3U);
  EXPECT_FALSE(path_->split());
}

TEST_F(ChosenPathTest, TheReceiverMayDestroyIt) {
  for (const bool retired : {false, true}) {
    make();
    select(near_, far_);
    on_trains_ = [this] { path_.reset(); };
    for (int i = 0; i < 100; ++i) far_.send_to(near_, quic_train(1, kSize, kSize));
    if (retired) path_->follow(*candidate(near_, NICE_CANDIDATE_TYPE_RELAYED), *candidate(far_));
    settle();
    EXPECT_FALSE(path_);
    on_trains_ = nullptr;
    static_cast<void>(near_.receive());
  }
}

TEST_F(ChosenPathTest, ThePairMayChangeWhileTrainsAreReceived) {
  make();
  const PlainSocket far_too("127.0.0.1");
  const PlainSocket near_too("127.0.0.1");
  select(near_, far_);
  on_trains_ = [&] { select(near_too, far_too); };
  far_.send_to(near_, quic_train(1, kSize, kSize));
  settle();
  on_trains_ = nullptr;
  EXPECT_EQ(send(), SendOutcome::kSent);
  EXPECT_EQ(far_too.receive().size(), 3U);
}

TEST_F(ChosenPathTest, NothingStaysOpen) {
  const std::size_t before = open_descriptors();
  make();
  select(near_, far_);
  path_.reset();
  EXPECT_EQ(open_descriptors(), before);
}

}  // namespace
}  // namespace peersock::testing
