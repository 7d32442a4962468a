// SO_REUSEPORT: sockets that share a port, and the filter that picks one.
#include "adapters/split_filter.hpp"
#include "udp_semantics.hpp"

namespace peersock::testing {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Gt;
using ::testing::IsEmpty;

class UdpGroup : public UdpSemantics {};

TEST_P(UdpGroup, APortIsSharedOnlyWhenAllOfItsSocketsWantIt) {
  const UniqueFd first_one = bound();
  const UniqueFd second_one = open();
  EXPECT_EQ(get(first_one, SOL_SOCKET, SO_REUSEPORT), 0);
  EXPECT_EQ(bind_to(second_one, name_of(first_one)), EADDRINUSE);
  EXPECT_EQ(set(second_one, SOL_SOCKET, SO_REUSEPORT, 1), 0);
  EXPECT_EQ(bind_to(second_one, name_of(first_one)), EADDRINUSE);
  // It may be said of a socket that is bound already.
  EXPECT_EQ(set(first_one, SOL_SOCKET, SO_REUSEPORT, 1), 0);
  EXPECT_EQ(get(first_one, SOL_SOCKET, SO_REUSEPORT), 1);
  EXPECT_EQ(bind_to(second_one, name_of(first_one)), 0);
  EXPECT_TRUE(same(name_of(second_one), name_of(first_one)));
  const UniqueFd third_one = open();
  EXPECT_EQ(bind_to(third_one, name_of(first_one)), EADDRINUSE);
}

TEST_P(UdpGroup, AFilterPicksBySequenceOfBinding) {
  auto sockets = group(3);
  const UniqueFd sender = bound();
  for (std::uint32_t place = 0; place < 3; ++place) {
    // Of the whole group, whichever socket it was attached to.
    ASSERT_EQ(attach(sockets[2 - place], always(place)), 0);
    ASSERT_EQ(send(sender, name_of(sockets[0]), counted(10)), 0);
    for (std::uint32_t i = 0; i < 3; ++i) {
      EXPECT_EQ(receive(sockets[i]).size(), i == place ? 1U : 0U) << place << " at " << i;
    }
  }
}

TEST_P(UdpGroup, TheLastOneTakesThePlaceOfOneThatCloses) {
  auto sockets = group(3);
  const UniqueFd sender = bound();
  ASSERT_EQ(attach(sockets[0], always(0)), 0);
  const Name name = name_of(sockets[0]);
  sockets[0].reset();
  ASSERT_EQ(send(sender, name, counted(10)), 0);
  EXPECT_THAT(receive(sockets[1]), IsEmpty());
  EXPECT_EQ(receive(sockets[2]).size(), 1U);
  // And the next one comes behind.
  UniqueFd another = open();
  ASSERT_EQ(set(another, SOL_SOCKET, SO_REUSEPORT, 1), 0);
  ASSERT_EQ(bind_to(another, name), 0);
  ASSERT_EQ(attach(another, always(2)), 0);
  ASSERT_EQ(send(sender, name, counted(10)), 0);
  EXPECT_EQ(receive(another).size(), 1U);
  // A place that nobody has: any of them.
  another.reset();
  ASSERT_EQ(send(sender, name, counted(10)), 0);
  EXPECT_EQ(receive(sockets[1]).size() + receive(sockets[2]).size(), 1U);
}

TEST_P(UdpGroup, TheFilterOutlivesTheSocketItCameWith) {
  auto sockets = group(2);
  const UniqueFd sender = bound();
  ASSERT_EQ(attach(sockets[1], adapters::split_filter(split_address(sender))), 0);
  sockets[1].reset();
  ASSERT_EQ(send(sender, name_of(sockets[0]), counted(10)), 0);
  EXPECT_EQ(receive(sockets[0]).size(), 1U);
}

TEST_P(UdpGroup, WithoutAFilterOneSenderHasOneReceiver) {
  const auto sockets = group(4);
  const UniqueFd sender = bound();
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(send(sender, name_of(sockets[0]), counted(10 + static_cast<std::size_t>(i))), 0);
  }
  std::vector<std::size_t> counts;
  counts.reserve(sockets.size());
  for (const UniqueFd& each : sockets) counts.push_back(receive(each).size());
  std::ranges::sort(counts);
  EXPECT_THAT(counts, ElementsAre(0, 0, 0, 5));
  // And many senders have all of them.
  std::vector<std::size_t> of_many(4);
  for (int i = 0; i < 64; ++i) {
    const UniqueFd one = bound();
    ASSERT_EQ(send(one, name_of(sockets[0]), counted(10)), 0);
    for (std::size_t j = 0; j < 4; ++j) of_many[j] += receive(sockets[j]).size();
  }
  EXPECT_THAT(of_many, Each(Gt(0U)));
}

TEST_P(UdpGroup, AFilterWantsAGroup) {
  const UniqueFd alone = bound();
  EXPECT_EQ(attach(alone, always(0)), EINVAL);
  // A socket that shares only since it was bound has no group before another one comes.
  ASSERT_EQ(set(alone, SOL_SOCKET, SO_REUSEPORT, 1), 0);
  EXPECT_EQ(attach(alone, always(0)), EINVAL);
  const UniqueFd unbound = open();
  EXPECT_EQ(attach(unbound, always(0)), EINVAL);
  ASSERT_EQ(set(unbound, SOL_SOCKET, SO_REUSEPORT, 1), 0);
  EXPECT_EQ(attach(unbound, always(0)), 0);
  EXPECT_EQ(bind_to(unbound, name_of(alone)), EADDRINUSE) << "it has brought a group";
  const UniqueFd late = open();
  ASSERT_EQ(set(late, SOL_SOCKET, SO_REUSEPORT, 1), 0);
  ASSERT_EQ(bind_to(late, name_of(alone)), 0);
  EXPECT_EQ(attach(alone, always(0)), 0);
}

TEST_P(UdpGroup, AFilterCanBeTakenAway) {
  const UniqueFd alone = bound();
  EXPECT_EQ(set(alone, SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, 0), EINVAL);
  const auto sockets = group(2);
  EXPECT_EQ(set(sockets[0], SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, 0), ENOENT);
  ASSERT_EQ(attach(sockets[0], always(1)), 0);
  EXPECT_EQ(set(sockets[1], SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, 0), 0);
  EXPECT_EQ(set(sockets[1], SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, 0), ENOENT);
}

TEST_P(UdpGroup, ABadFilterIsRefused) {
  const auto sockets = group(2);
  const sock_filter load{BPF_LD | BPF_B | BPF_ABS, 0, 0, 0};
  const sock_filter answer{BPF_RET | BPF_K, 0, 0, 0};
  const sock_filter far{BPF_JMP | BPF_JEQ | BPF_K, 7, 0, 0};
  EXPECT_EQ(attach(sockets[0], std::vector<sock_filter>{}), EINVAL);
  EXPECT_EQ(attach(sockets[0], std::vector{load}), EINVAL) << "no end";
  EXPECT_EQ(attach(sockets[0], std::vector{load, far, answer}), EINVAL) << "a jump behind the end";
  EXPECT_EQ(attach(sockets[0], std::vector{sock_filter{0xffff, 0, 0, 0}, answer}), EINVAL);
  EXPECT_EQ(attach(sockets[0], std::vector{load, answer}), 0);
}

TEST_P(UdpGroup, TheSplitFilterTellsQuicFromStun) {
  const auto sockets = group(2);
  const UniqueFd peer = bound();
  const UniqueFd other = bound();
  ASSERT_EQ(attach(sockets[1], adapters::split_filter(split_address(peer))), 0);
  const Name to = name_of(sockets[0]);
  for (const auto& [sender, first_octet, place] :
       {std::tuple(&peer, 0x00, adapters::kNiceSocket),
        std::tuple(&peer, 0x3f, adapters::kNiceSocket),
        std::tuple(&peer, 0x40, adapters::kOwnSocket),
        std::tuple(&peer, 0xc3, adapters::kOwnSocket),
        std::tuple(&other, 0x40, adapters::kNiceSocket)}) {
    ASSERT_EQ(send(*sender, to, counted(20, static_cast<std::uint8_t>(first_octet))), 0);
    EXPECT_EQ(receive(sockets[place]).size(), 1U) << first_octet << " to " << place;
    EXPECT_THAT(receive(sockets[1 - place]), IsEmpty()) << first_octet;
  }
  // Too short for the filter's first question.
  ASSERT_EQ(send(peer, to, {}), 0);
  EXPECT_THAT(sizes(receive(sockets[adapters::kNiceSocket])), ElementsAre(0));
}

INSTANTIATE_TEST_SUITE_P(Places, UdpGroup, ::testing::ValuesIn(places()), name_of_place);

}  // namespace
}  // namespace peersock::testing
