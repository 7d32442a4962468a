#include "ice_tcp_world.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <numeric>

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "adapters/clock.hpp"
#include "adapters/socket_address.hpp"
#include "adapters/wakeup.hpp"

namespace peersock::testing {

using adapters::UniqueFd;
using wire::CandidateTransport;

bool is_tcp(const wire::Candidate& candidate) {
  return candidate.transport != CandidateTransport::kUdp;
}

SideOptions tcp_side(bool controlling, const std::string& address) {
  SideOptions options = Pair::on(address, controlling);
  options.agent.tcp_anywhere = true;
  return options;
}

bool without_udp(wire::IceMessage& message) {
  std::erase_if(message.candidates, [](const wire::Candidate& candidate) {
    return !is_tcp(candidate) && candidate.type != wire::CandidateType::kRelayed;
  });
  return true;
}

bool without_any(wire::IceMessage& message) {
  message.candidates.clear();
  return true;
}

Bytes train_of(std::size_t count, std::size_t segment, std::uint8_t first) {
  Bytes bytes(count * segment);
  std::iota(bytes.begin(), bytes.end(), first);
  for (std::size_t i = 0; i < count; ++i) bytes[i * segment] = static_cast<std::uint8_t>(0x40 + i);
  return bytes;
}

bool is_over_tcp(const Side& side) {
  return !side.paths.empty() && side.paths.back().transport == "tcp";
}

std::uint16_t tcp_port(const Side& side) {
  const auto& all = side.local_candidates;
  const auto found = std::find_if(all.begin(), all.end(), is_tcp);
  return found == all.end() ? std::uint16_t{0} : found->port;
}

UniqueFd connect_to(std::uint16_t port) {
  const auto address = adapters::numeric_address("127.0.0.1", port);
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(fd.get(), address->get(), address->size) != 0) fd.reset();
  return fd;
}

bool is_ended(const UniqueFd& fd) {
  std::array<std::uint8_t, 64> octets{};
  const ssize_t got = ::recv(fd.get(), octets.data(), octets.size(), MSG_DONTWAIT);
  return got == 0 || (got < 0 && errno != EAGAIN);
}

void send_text(const UniqueFd& fd, std::string_view text) {
  EXPECT_EQ(::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(text.size()));
}

void pass(Pair& pair, Duration span) {
  const Instant until = adapters::monotonic_now() + span;
  adapters::Wakeup tick(pair.loop.context(), [] {});
  tick.after(span);
  EXPECT_TRUE(pair.until([&] { return adapters::monotonic_now() >= until; }));
}

bool until_it_listens(Pair& pair, const Side& side) {
  for (int i = 0; i < 100; ++i) {
    if (tcp_port(side) != 0 && connect_to(tcp_port(side))) return true;
    pass(pair, 20ms);
  }
  return false;
}

void expect_data_both_ways(Pair& pair) {
  pair.a.take_trains();
  pair.b.take_trains();
  const Bytes there = train_of(50, 1200);
  const Bytes back = train_of(20, 1000);
  EXPECT_EQ(pair.a.agent->send_batch({there, 1200}), quic::SendOutcome::kSent);
  EXPECT_EQ(pair.b.agent->send_batch({back, 1000}), quic::SendOutcome::kSent);
  EXPECT_TRUE(pair.until([&] { return pair.b.received == there && pair.a.received == back; }));
  EXPECT_EQ(std::accumulate(pair.b.train_sizes.begin(), pair.b.train_sizes.end(), std::size_t{0}),
            50U)
      << "datagrams, not octets";
}

}  // namespace peersock::testing
