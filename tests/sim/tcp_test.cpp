// Simulated TCP behaves as the kernel's does, as far as our code can see it.
#include <algorithm>
#include <array>
#include <cerrno>
#include <tuple>

#include <gmock/gmock.h>
#include <poll.h>

#include "sim_hosts.hpp"

namespace peersock::testing {
namespace {

constexpr std::uint16_t kPort = 4000;
constexpr std::size_t kWindow = 131072;  // ns-3's

class SimTcp : public SimHosts {
 protected:
  /// A connection, from the first host to the second unless it is said otherwise.
  void connect_hosts() { connect_hosts(first, second, kSecond); }
  void connect_hosts(sim::Host& from, sim::Host& to, const char* address) {
    to.run([&] { listening = bound_socket(SOCK_STREAM, address, kPort); });
    from.run([&] { client = connecting_socket(address, kPort); });
    pass(1s);
    to.run([&] { server = UniqueFd(accept4(listening.get(), nullptr, nullptr, SOCK_NONBLOCK)); });
    ASSERT_TRUE(server);
  }

  /// From the client to the server, which reads nothing.
  void fill_window() {
    const std::string chunk(kWindow / 64, 'x');
    for (int i = 0; i < 64; ++i) {
      ASSERT_EQ(send(client.get(), chunk.data(), chunk.size(), 0), chunk.size());
      pass(1s);
    }
  }

  short ready(sim::Host& host, const UniqueFd& fd) {
    pollfd polled{fd.get(), POLLIN | POLLOUT, 0};
    host.run([&] { (void)poll(&polled, 1, 0); });
    return polled.revents;
  }
  static std::string read_all(const UniqueFd& fd) {
    std::string all;
    std::array<char, 4096> part{};
    for (;;) {
      const ssize_t got = recv(fd.get(), part.data(), part.size(), 0);
      if (got <= 0) return all;
      all.append(part.data(), static_cast<std::size_t>(got));
    }
  }
  static int receive_error(const UniqueFd& fd) {
    char octet = 0;
    return recv(fd.get(), &octet, 1, 0) < 0 ? errno : 0;
  }

  UniqueFd listening;
  UniqueFd client;
  UniqueFd server;
};

TEST_F(SimTcp, CarriesOctetsAndTheEndOfEachDirection) {
  connect_hosts();
  ASSERT_EQ(send(client.get(), "question", 8, 0), 8);
  ASSERT_EQ(shutdown(client.get(), SHUT_WR), 0);
  pass(1s);
  EXPECT_EQ(read_all(server), "question");
  EXPECT_EQ(receive_error(server), 0);  // the end
  ASSERT_EQ(send(server.get(), "answer", 6, 0), 6);
  server.reset();
  pass(1s);
  EXPECT_EQ(read_all(client), "answer");
  EXPECT_EQ(receive_error(client), 0);
}

// Each end is in one segment with octets, which ns-3 does not reckon with.
TEST_F(SimTcp, EndsInBothDirectionsAtTheSameTime) {
  for (auto* const to : {&first, &second}) {
    connect_hosts(first, *to, to == &first ? kFirst : kSecond);
    for (const auto* end : {&client, &server}) {
      ASSERT_EQ(send(end->get(), "last", 4, 0), 4);
      ASSERT_EQ(shutdown(end->get(), SHUT_WR), 0);
    }
    pass(60s);
    EXPECT_EQ(ready(first, client) & POLLERR, 0);
    EXPECT_EQ(ready(*to, server) & POLLERR, 0);
    EXPECT_EQ(read_all(client), "last");
    EXPECT_EQ(read_all(server), "last");
  }
}

TEST_F(SimTcp, WorksOverIpv6) {
  connect_hosts(third, fourth, kFourth);
  ASSERT_EQ(send(client.get(), "six", 3, 0), 3);
  pass(1s);
  EXPECT_EQ(read_all(server), "six");
}

TEST_F(SimTcp, SaysThatNobodyListens) {
  first.run([&] { client = connecting_socket(kSecond, kPort); });
  EXPECT_EQ(ready(first, client), 0);
  pass(1s);
  EXPECT_TRUE((ready(first, client) & POLLERR) != 0);
  int error = 0;
  socklen_t size = sizeof error;
  ASSERT_EQ(getsockopt(client.get(), SOL_SOCKET, SO_ERROR, &error, &size), 0);
  EXPECT_EQ(error, ECONNREFUSED);
}

TEST_F(SimTcp, GivesUpOnASilentAddress) {
  first.run([&] { client = connecting_socket("198.51.100.77", kPort); });
  pass(300s);
  int error = 0;
  socklen_t size = sizeof error;
  ASSERT_EQ(getsockopt(client.get(), SOL_SOCKET, SO_ERROR, &error, &size), 0);
  EXPECT_EQ(error, ETIMEDOUT);
}

TEST_F(SimTcp, TellsAResetFromAnEnd) {
  connect_hosts();
  const linger at_once{1, 0};
  ASSERT_EQ(setsockopt(server.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
  server.reset();
  pass(1s);
  EXPECT_EQ(receive_error(client), ECONNRESET);
}

TEST_F(SimTcp, ResetsWhenSomethingWasNotRead) {
  connect_hosts();
  ASSERT_EQ(send(client.get(), "ignored", 7, 0), 7);
  pass(1s);
  server.reset();
  pass(1s);
  EXPECT_EQ(receive_error(client), ECONNRESET);
}

// ns-3 has then still to tell the socket that its octets have been sent. With MALLOC_PERTURB_
// (meson.build), touching it after it was freed does not go unnoticed.
TEST_F(SimTcp, MayBeResetInTheInstantInWhichItHasSent) {
  connect_hosts();
  ASSERT_EQ(send(server.get(), "ignored", 7, 0), 7);
  pass(1s);
  ASSERT_EQ(send(client.get(), "last", 4, 0), 4);
  pass(1ns);  // that long it takes ns-3 to send it
  client.reset();
  pass(1s);
  EXPECT_TRUE((ready(second, server) & POLLERR) != 0);
}

TEST_F(SimTcp, RefusesAConnectionThatIsMadeWhileTheListenerGoes) {
  second.run([&] { listening = bound_socket(SOCK_STREAM, kSecond, kPort); });
  first.run([&] { client = connecting_socket(kSecond, kPort); });
  pass(15ms);  // the first packet has arrived, the third has not
  listening.reset();
  pass(1s);
  EXPECT_TRUE((ready(first, client) & POLLERR) != 0);
}

TEST_F(SimTcp, HoldsBackAFastSenderUntilTheReaderReads) {
  connect_hosts();
  const std::string chunk(10000, 'x');
  std::size_t sent = 0;
  for (int i = 0; i < 1000; ++i) {
    const ssize_t taken = send(client.get(), chunk.data(), chunk.size(), 0);
    if (taken < 0) {
      ASSERT_EQ(errno, EAGAIN);
      pass(100ms);
      if ((ready(first, client) & POLLOUT) == 0) break;
      continue;
    }
    sent += static_cast<std::size_t>(taken);
  }
  EXPECT_LT(sent, 1000 * chunk.size());
  std::size_t received = 0;
  for (int i = 0; i < 100; ++i) {
    received += read_all(server).size();
    pass(1s);
  }
  EXPECT_EQ(received, sent);
}

// ns-3 probes a closed window with an octet that waits for it, and crashes when none does.
TEST_F(SimTcp, GoesOnWhenAWindowHasClosedWithNothingLeftToSend) {
  connect_hosts();
  fill_window();
  pass(120s);
  ASSERT_EQ(send(client.get(), "rest", 4, 0), 4);
  pass(120s);
  EXPECT_EQ(read_all(server).size(), kWindow);
  pass(120s);
  EXPECT_EQ(read_all(server), "rest");
}

TEST_F(SimTcp, EndsBehindAClosedWindow) {
  connect_hosts();
  fill_window();
  client.reset();
  pass(120s);
  EXPECT_EQ(read_all(server).size(), kWindow);
  EXPECT_TRUE((ready(second, server) & POLLIN) != 0);
  EXPECT_EQ(ready(second, server) & POLLERR, 0);
}

TEST_F(SimTcp, PeeksWithoutTaking) {
  connect_hosts();
  ASSERT_EQ(send(client.get(), "look", 4, 0), 4);
  pass(1s);
  std::array<char, 2> two{};
  ASSERT_EQ(recv(server.get(), two.data(), two.size(), MSG_PEEK), 2);
  EXPECT_EQ(read_all(server), "look");
}

TEST_F(SimTcp, ReachesAServiceOfTheSameMachine) {
  second.run([&] { listening = bound_socket(SOCK_STREAM, "127.0.0.1", kPort); });
  second.run([&] { client = connecting_socket("127.0.0.1", kPort); });
  pass(1s);
  server = UniqueFd(accept4(listening.get(), nullptr, nullptr, SOCK_NONBLOCK));
  EXPECT_TRUE(server);
  // ... and not from another one.
  UniqueFd stranger;
  first.run([&] { stranger = connecting_socket(kSecond, kPort); });
  pass(1s);
  EXPECT_TRUE((ready(first, stranger) & POLLERR) != 0);
}

TEST_F(SimTcp, ReachesTheMachineItselfByAnyOfItsAddresses) {
  // From the address of the network to that of the loopback, and the answers back.
  second.run([&] { listening = bound_socket(SOCK_STREAM, "127.0.0.1", kPort); });
  second.run([&] {
    client = UniqueFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    for (const auto& [address, port, is_own] :
         {std::tuple(kSecond, 0, true), std::tuple("127.0.0.1", +kPort, false)}) {
      sockaddr_storage name{};
      socklen_t size = sizeof name;
      sim::to_sockaddr(sim::socket_name(address, static_cast<std::uint16_t>(port)).value(),
                       reinterpret_cast<sockaddr*>(&name), &size);
      const auto* given = reinterpret_cast<const sockaddr*>(&name);
      if (is_own) {
        ASSERT_EQ(bind(client.get(), given, size), 0);
      } else {
        (void)connect(client.get(), given, size);
      }
    }
  });
  pass(1s);
  server = UniqueFd(accept4(listening.get(), nullptr, nullptr, SOCK_NONBLOCK));
  ASSERT_TRUE(server);
  ASSERT_EQ(send(server.get(), "self", 4, 0), 4);
  pass(1s);
  EXPECT_EQ(read_all(client), "self");
}

// Whoever has waited for a service has all that the peer has said, and says it in one instant.
TEST_F(SimTcp, CarriesWhatBothEndsSayAtOnceWithTheirLastWord) {
  connect_hosts(first, first, "127.0.0.1");
  first.run([&] {
    for (const UniqueFd* fd : {&client, &server}) {
      ASSERT_EQ(send(fd->get(), "all of it", 9, 0), 9);
      ASSERT_EQ(shutdown(fd->get(), SHUT_WR), 0);
    }
  });
  pass(100ms);
  for (const UniqueFd* fd : {&client, &server}) {
    EXPECT_EQ(read_all(*fd), "all of it");
    EXPECT_EQ(receive_error(*fd), 0);
  }
  pass(60s);
  for (const UniqueFd* fd : {&client, &server}) EXPECT_EQ(receive_error(*fd), 0);
}

TEST_F(SimTcp, CarriesWhatIsSaidInTheInstantOfTheConnection) {
  first.run([&] {
    listening = bound_socket(SOCK_STREAM, "127.0.0.1", kPort);
    client = connecting_socket("127.0.0.1", kPort);
  });
  const auto say = [&](const UniqueFd& fd) {
    first.run([&] {
      ASSERT_EQ(send(fd.get(), "all of it", 9, 0), 9);
      ASSERT_EQ(shutdown(fd.get(), SHUT_WR), 0);
    });
  };
  bool said = false;
  for (int step = 0; step < 100; ++step) {
    if (!said && (ready(first, client) & POLLOUT) != 0) {
      said = true;
      say(client);
    }
    if (!server) {
      first.run(
          [&] { server = UniqueFd(accept4(listening.get(), nullptr, nullptr, SOCK_NONBLOCK)); });
      if (server) say(server);
    }
    pass(1ns);
  }
  pass(100ms);
  for (const UniqueFd* fd : {&client, &server}) {
    EXPECT_EQ(read_all(*fd), "all of it");
    EXPECT_EQ(receive_error(*fd), 0);
  }
}

}  // namespace
}  // namespace peersock::testing
