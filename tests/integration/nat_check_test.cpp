// The search for a NAT on real sockets: against coturn, and against servers that are silent, wrong
// or unknown.
#include "adapters/nat_check.hpp"

#include <array>
#include <functional>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "adapters/entropy.hpp"
#include "adapters/fd_watch.hpp"
#include "adapters/socket_address.hpp"
#include "support/glib_loop.hpp"
#include "turn_server.hpp"
#include "wire/stun.hpp"

namespace peersock::testing {
namespace {

using adapters::NatFinding;
using adapters::SocketAddress;
using ice::nat::Filtering;
using ice::nat::Hairpin;
using ice::nat::Mapping;
using ice::nat::Trouble;
using ::testing::IsEmpty;
using ::testing::Not;

/// A UDP socket on loopback that does with each datagram what the test wants.
class UdpServer {
 public:
  using Handler = std::function<void(ByteView datagram, const SocketAddress& from)>;

  UdpServer(GMainContext* context, Handler handler)
      : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)),
        handler_(std::move(handler)),
        watch_(context, fd_.get(), [this](bool, bool) { receive(); }) {
    const auto address = adapters::numeric_address("127.0.0.1", 0);
    EXPECT_EQ(bind(fd_.get(), address->get(), address->size), 0);
    watch_.watch(true, false);
  }

  [[nodiscard]] std::uint16_t port() const {
    return adapters::port_of(adapters::bound_address(fd_.get()));
  }
  void send(ByteView datagram, const SocketAddress& to) const {
    EXPECT_GT(::sendto(fd_.get(), datagram.data(), datagram.size(), 0, to.get(), to.size), 0);
  }

  int received = 0;

 private:
  void receive() {
    std::array<std::uint8_t, 2048> buffer{};
    SocketAddress from;
    from.size = sizeof from.storage;
    const ssize_t size = ::recvfrom(fd_.get(), buffer.data(), buffer.size(), 0,
                                    reinterpret_cast<sockaddr*>(&from.storage), &from.size);
    if (size < 0) return;
    ++received;
    handler_(ByteView(buffer).first(static_cast<std::size_t>(size)), from);
  }

  adapters::UniqueFd fd_;
  Handler handler_;
  adapters::FdWatch watch_;
};

/// A response with the request's transaction.
Bytes respond(ByteView request, const std::string& type_and_size, const std::string& attributes) {
  return from_hex(type_and_size + to_hex(request.subspan(4, 16)) + attributes).value();
}

/// A success response that says that the sender is 127.0.0.1:`port`.
Bytes answer_to(ByteView request, std::uint16_t port) {
  return respond(request, "0101000c", fmt::format("000100080001{:04x}7f000001", port));
}

class NatCheckTest : public ::testing::Test {
 protected:
  /// Starts a check; `findings` has its result when it is there.
  void start(const std::string& host, std::uint16_t port) {
    adapters::NatCheckConfig config;
    config.server = {host, port};
    config.resolver = adapters::make_system_resolver(loop.context());
    check.emplace(loop.context(), rng, std::move(config), nullptr,
                  [this](adapters::NatFindings found) {
                    EXPECT_FALSE(findings) << "said twice";
                    findings = std::move(found);
                  });
    check->start();
  }
  /// What was found about 127.0.0.1:`port`.
  NatFinding ask(std::uint16_t port) {
    start("127.0.0.1", port);
    EXPECT_TRUE(loop.until([&] { return findings.has_value(); }));
    if (!findings || !findings->ipv4) return {};
    EXPECT_FALSE(findings->ipv6);
    EXPECT_THAT(findings->problem, IsEmpty());
    return *findings->ipv4;
  }

  GlibLoop loop;
  adapters::SystemRng rng;
  std::optional<adapters::NatFindings> findings;
  std::optional<adapters::NatCheck> check;
};

TEST_F(NatCheckTest, AServerWithTwoAddressesTellsEverything) {
  const TurnProcess coturn(true);
  const NatFinding found = ask(coturn.port());
  EXPECT_TRUE(found.server_answered());
  EXPECT_THAT(found.problem, IsEmpty());
  EXPECT_EQ(found.report.mapped->address, "127.0.0.1");
  EXPECT_TRUE(found.report.has_other_address);
  EXPECT_FALSE(found.report.translated);
  EXPECT_TRUE(found.report.port_kept);
  EXPECT_EQ(found.report.mapping, Mapping::kEndpointIndependent);
  EXPECT_EQ(found.report.filtering, Filtering::kEndpointIndependent);
  EXPECT_GT(found.report.answered_after, 0ns);
}

TEST_F(NatCheckTest, AServerWithOneAddressDoesNotTellTheFilter) {
  const TurnProcess coturn;
  const NatFinding found = ask(coturn.port());
  EXPECT_TRUE(found.server_answered());
  EXPECT_FALSE(found.report.has_other_address);
  EXPECT_FALSE(found.report.translated);
  EXPECT_EQ(found.report.filtering, Filtering::kUnknown);
}

TEST_F(NatCheckTest, ASilentServerIsAskedThreeTimes) {
  UdpServer silent(loop.context(), [](ByteView, const SocketAddress&) {});
  const NatFinding found = ask(silent.port());
  EXPECT_EQ(silent.received, 6) << "by two sockets";
  EXPECT_FALSE(found.server_answered());
  EXPECT_EQ(found.problem, "no answer came in time");
}

TEST_F(NatCheckTest, AnswersOfAnotherKindDoNotCount) {
  std::optional<UdpServer> server;
  server.emplace(loop.context(), [&](ByteView request, const SocketAddress& from) {
    server->send(request, from);
    server->send(to_bytes("HTTP/1.1 400 Bad Request\r\n\r\n"), from);
    Bytes stranger = answer_to(request, 5);
    stranger[10] ^= 1U;
    server->send(stranger, from);
    server->send(answer_to(request, 0), from);
  });
  const NatFinding found = ask(server->port());
  EXPECT_EQ(found.report.trouble, Trouble::kRefused);
  EXPECT_EQ(found.report.mapped, std::nullopt);
  EXPECT_THAT(found.problem, Not(IsEmpty()));
}

TEST_F(NatCheckTest, AnErrorIsAnAnswer) {
  std::optional<UdpServer> server;
  server.emplace(loop.context(), [&](ByteView request, const SocketAddress& from) {
    server->send(respond(request, "01110008", "0009000400000414"), from);
  });
  EXPECT_EQ(ask(server->port()).report.trouble, Trouble::kRefused);
}

TEST_F(NatCheckTest, AHairpinIsNoticed) {
  // Outer addresses of the two sockets; each leads in to its own.
  struct Outer {
    std::optional<SocketAddress> inner;
    std::optional<UdpServer> socket;
  };
  std::array<Outer, 2> outer;
  for (Outer& each : outer) {
    each.socket.emplace(loop.context(), [&each](ByteView datagram, const SocketAddress&) {
      each.socket->send(datagram, each.inner.value());
    });
  }
  std::optional<UdpServer> server;
  server.emplace(loop.context(), [&](ByteView request, const SocketAddress& from) {
    for (Outer& each : outer) {
      if (each.inner && adapters::port_of(*each.inner) != adapters::port_of(from)) continue;
      each.inner = from;
      return server->send(answer_to(request, each.socket->port()), from);
    }
  });
  const NatFinding found = ask(server->port());
  EXPECT_TRUE(found.report.translated);
  EXPECT_FALSE(found.report.port_kept);
  EXPECT_EQ(found.report.hairpin, Hairpin::kWorks);
}

TEST_F(NatCheckTest, AnUnknownNameIsSaid) {
  start("nobody.invalid", 3478);  // RFC 6761 section 6.4
  ASSERT_TRUE(loop.until([&] { return findings.has_value(); }));
  EXPECT_THAT(findings->problem, Not(IsEmpty()));
  EXPECT_FALSE(findings->ipv4);
  EXPECT_FALSE(findings->ipv6);
}

TEST_F(NatCheckTest, MayBeStoppedAtAnyTime) {
  start("127.0.0.1", 9);
  check->stop();
  ASSERT_TRUE(findings);
  EXPECT_THAT(findings->problem, Not(IsEmpty())) << "the lookup was still on";
  findings.reset();
  UdpServer silent(loop.context(), [](ByteView, const SocketAddress&) {});
  start("127.0.0.1", silent.port());
  ASSERT_TRUE(loop.until([&] { return silent.received > 0; }));
  check->stop();
  ASSERT_TRUE(findings && findings->ipv4);
  EXPECT_EQ(findings->ipv4->report.trouble, Trouble::kSilent);
  EXPECT_EQ(findings->ipv4->problem, "no answer came in time");
  check->stop();
  findings.reset();
  start("127.0.0.1", silent.port());
  check.reset();
  loop.turn(20);
  EXPECT_FALSE(findings);
}

}  // namespace
}  // namespace peersock::testing
