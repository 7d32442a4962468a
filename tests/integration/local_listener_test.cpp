// LocalListener on real addresses.
#include "adapters/local_listener.hpp"

#include <cerrno>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapters/socket_address.hpp"
#include "local_world.hpp"

namespace peersock::adapters::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// Whether the machine has a loopback address of IPv6.
bool has_ipv6() {
  const auto loopback = numeric_address("::1", 0);
  const UniqueFd fd = open_socket(AF_INET6);
  return fd && ::bind(fd.get(), loopback->get(), loopback->size) == 0;
}

class LocalListenerTest : public ::testing::Test {
 protected:
  LocalListener::Handlers handlers() {
    return {
        [this](UniqueFd fd) { accepted_.push_back(std::move(fd)); },
        [this](std::string warning) { warnings_.push_back(std::move(warning)); },
        [this](Error error) { failures_.push_back(std::move(error)); },
    };
  }
  std::unique_ptr<LocalListener> bind(const Endpoint& endpoint) {
    auto bound = LocalListener::bind(loop_.get(), endpoint, handlers());
    EXPECT_TRUE(bound) << bound.error().message;
    return bound ? std::move(*bound) : nullptr;
  }
  std::string refusal(const Endpoint& endpoint) {
    const auto bound = LocalListener::bind(loop_.get(), endpoint, handlers());
    if (bound) return "it was not refused";
    EXPECT_EQ(bound.error().kind, ErrorKind::kLocalEndpoint);
    return bound.error().message;
  }
  bool accepts(std::size_t count) {
    return loop_.until([&] { return accepted_.size() >= count; });
  }

  Loop loop_;
  TemporaryDirectory directory_;
  std::vector<UniqueFd> accepted_;
  std::vector<std::string> warnings_;
  std::vector<Error> failures_;
};

/// A local program that connects; errno in the second.
std::pair<UniqueFd, int> come(const std::string& text) {
  const auto endpoint = parse_connect_target(text);
  EXPECT_TRUE(endpoint) << text;
  const auto address = std::holds_alternative<UnixEndpoint>(*endpoint)
                           ? unix_address(std::get<UnixEndpoint>(*endpoint).path)
                           : numeric_address(std::get<TcpEndpoint>(*endpoint).host,
                                             std::get<TcpEndpoint>(*endpoint).port);
  UniqueFd fd(::socket(address->family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int error = ::connect(fd.get(), address->get(), address->size) == 0 ? 0 : errno;
  return {std::move(fd), error};
}

std::uint16_t port_in(const std::string& address) {
  return static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
}

TEST_F(LocalListenerTest, LoopbackOfBothFamiliesOnOnePort) {
  for (const char* host : {"", "*"}) {
    accepted_.clear();
    const auto listener = bind(TcpEndpoint{host, 0});
    ASSERT_TRUE(listener);
    ASSERT_THAT(listener->addresses(), SizeIs(has_ipv6() ? 2 : 1));
    const std::uint16_t port = port_in(listener->addresses().front());
    EXPECT_NE(port, 0);
    for (const std::string& address : listener->addresses()) EXPECT_EQ(port_in(address), port);
    listener->start();
    const auto first = come("127.0.0.1:" + std::to_string(port));
    EXPECT_EQ(first.second, 0);
    EXPECT_TRUE(accepts(1));
    if (!has_ipv6()) continue;
    const auto second = come("[::1]:" + std::to_string(port));
    EXPECT_EQ(second.second, 0);
    EXPECT_TRUE(accepts(2));
  }
}

TEST_F(LocalListenerTest, OneNumericAddress) {
  const auto listener = bind(TcpEndpoint{"127.0.0.2", 0});
  ASSERT_TRUE(listener);
  ASSERT_THAT(listener->addresses(), SizeIs(1));
  EXPECT_THAT(listener->addresses().front(), HasSubstr("127.0.0.2:"));
  listener->start();
  const auto program = come(listener->addresses().front());
  EXPECT_EQ(program.second, 0);
  EXPECT_TRUE(accepts(1));
  EXPECT_EQ(come("127.0.0.1:" + std::to_string(port_in(listener->addresses().front()))).second,
            ECONNREFUSED);
}

TEST_F(LocalListenerTest, RefusesUntilItIsStarted) {
  const auto listener = bind(TcpEndpoint{"", 0});
  ASSERT_TRUE(listener);
  for (const std::string& address : listener->addresses()) {
    EXPECT_EQ(come(address).second, ECONNREFUSED);
  }
}

TEST_F(LocalListenerTest, KeepsConnectionsWaitingWhileItPauses) {
  const auto listener = bind(TcpEndpoint{"", 0});
  ASSERT_TRUE(listener);
  listener->start();
  listener->pause();
  const auto program = come(listener->addresses().front());
  EXPECT_EQ(program.second, 0);
  loop_.settle();
  EXPECT_THAT(accepted_, IsEmpty());
  listener->start();
  EXPECT_TRUE(accepts(1));
}

TEST_F(LocalListenerTest, PausingInsideTheHandlerTakesNoMore) {
  std::unique_ptr<LocalListener> listener;
  auto pausing = handlers();
  pausing.accepted = [&](UniqueFd fd) {
    accepted_.push_back(std::move(fd));
    listener->pause();
  };
  listener = std::move(*LocalListener::bind(loop_.get(), TcpEndpoint{"", 0}, std::move(pausing)));
  listener->start();
  std::vector<UniqueFd> programs;
  for (int i = 0; i < 3; ++i) programs.push_back(come(listener->addresses().front()).first);
  loop_.settle();
  EXPECT_THAT(accepted_, SizeIs(1));
  listener->start();
  loop_.settle();
  EXPECT_THAT(accepted_, SizeIs(2));
}

TEST_F(LocalListenerTest, TheHandlerMayDestroyIt) {
  std::unique_ptr<LocalListener> listener;
  auto destroying = handlers();
  destroying.accepted = [&](const UniqueFd&) { listener.reset(); };
  listener =
      std::move(*LocalListener::bind(loop_.get(), TcpEndpoint{"", 0}, std::move(destroying)));
  listener->start();
  const auto program = come(listener->addresses().front());
  const auto further = come(listener->addresses().front());
  loop_.settle();
  EXPECT_FALSE(listener);
}

TEST_F(LocalListenerTest, APortInUseIsRefusedEarly) {
  const auto first = bind(TcpEndpoint{"", 0});
  ASSERT_TRUE(first);
  const std::uint16_t port = port_in(first->addresses().front());
  const auto in_use = AllOf(HasSubstr("port " + std::to_string(port) + " is already in use"),
                            HasSubstr("choose another port"));
  // Also when the other one does not listen yet.
  EXPECT_THAT(refusal(TcpEndpoint{"", port}), in_use);
  first->start();
  EXPECT_THAT(refusal(TcpEndpoint{"", port}), in_use);
  EXPECT_THAT(refusal(TcpEndpoint{"127.0.0.1", port}), in_use);
  EXPECT_THAT(refusal(TcpEndpoint{"*", port}), in_use);
  if (has_ipv6()) {
    EXPECT_THAT(refusal(TcpEndpoint{"::1", port}), in_use);
  }
}

TEST_F(LocalListenerTest, APortInUseInOneFamilyOnlyIsRefused) {
  if (!has_ipv6()) return;
  const auto first = bind(TcpEndpoint{"::1", 0});
  ASSERT_TRUE(first);
  EXPECT_THAT(refusal(TcpEndpoint{"", port_in(first->addresses().front())}), HasSubstr("in use"));
}

TEST_F(LocalListenerTest, APortIsFreeAgainAtOnce) {
  auto first = bind(TcpEndpoint{"127.0.0.1", 0});
  ASSERT_TRUE(first);
  const std::string address = first->addresses().front();
  first->start();
  const auto program = come(address);
  ASSERT_TRUE(accepts(1));
  // The side that closes first keeps the port in TIME_WAIT.
  accepted_.clear();
  EXPECT_TRUE(drain(program.first.get()).end);
  first.reset();
  const auto second = bind(TcpEndpoint{"127.0.0.1", port_in(address)});
  EXPECT_TRUE(second);
  // But only once.
  EXPECT_THAT(refusal(TcpEndpoint{"127.0.0.1", port_in(address)}), HasSubstr("in use"));
}

TEST_F(LocalListenerTest, AddressesOfOtherMachinesAreRefused) {
  EXPECT_THAT(refusal(TcpEndpoint{"192.0.2.1", 0}), HasSubstr("no address of this machine"));
}

TEST_F(LocalListenerTest, WithoutDescriptorsItWarnsOnceAndTriesAgain) {
  const auto listener = bind(TcpEndpoint{"", 0});
  ASSERT_TRUE(listener);
  listener->start();
  std::vector<UniqueFd> programs;
  for (int i = 0; i < 2; ++i) programs.push_back(come(listener->addresses().front()).first);
  {
    const NoMoreDescriptors limit;
    EXPECT_TRUE(loop_.until([&] { return !warnings_.empty(); }));
    EXPECT_EQ(loop_.settle(), 0);  // it waits, and does not spin
    EXPECT_THAT(accepted_, IsEmpty());
  }
  EXPECT_TRUE(accepts(2));
  const auto address = numeric_address("127.0.0.1", port_in(listener->addresses().front()));
  const UniqueFd late = open_socket(AF_INET);
  {
    const NoMoreDescriptors limit;
    static_cast<void>(::connect(late.get(), address->get(), address->size));
    EXPECT_GT(loop_.settle(), 0);
  }
  EXPECT_TRUE(accepts(3));
  EXPECT_THAT(warnings_, SizeIs(1));
  EXPECT_THAT(failures_, IsEmpty());
}

mode_t mode_of(const std::string& path) {
  struct stat info {};
  EXPECT_EQ(::lstat(path.c_str(), &info), 0);
  return info.st_mode;
}
bool exists(const std::string& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0;
}

TEST_F(LocalListenerTest, AUnixSocketIsPrivateAndRemovedAtTheEnd) {
  const std::string path = directory_.path("socket");
  const mode_t before = ::umask(0);
  auto listener = bind(UnixEndpoint{path});
  EXPECT_EQ(::umask(before), mode_t{0});
  ASSERT_TRUE(listener);
  EXPECT_EQ(mode_of(path), mode_t{S_IFSOCK | 0600});
  EXPECT_THAT(listener->addresses(), ::testing::ElementsAre("unix:" + path));
  // Programs may come before it is started; they wait.
  const auto program = come("unix:" + path);
  EXPECT_EQ(program.second, 0);
  loop_.settle();
  EXPECT_THAT(accepted_, IsEmpty());
  listener->start();
  EXPECT_TRUE(accepts(1));
  listener.reset();
  EXPECT_FALSE(exists(path));
}

TEST_F(LocalListenerTest, AUnixSocketThatIsNoLongerOursIsLeftAlone) {
  const std::string path = directory_.path("socket");
  auto listener = bind(UnixEndpoint{path});
  ASSERT_TRUE(listener);
  ASSERT_EQ(::rename(path.c_str(), directory_.path("moved").c_str()), 0);
  std::ofstream(path) << "a file of somebody else";
  listener.reset();
  EXPECT_TRUE(exists(path));
}

TEST_F(LocalListenerTest, AStaleUnixSocketIsReplaced) {
  const std::string path = directory_.path("socket");
  const auto address = unix_address(path);
  {
    const UniqueFd killed = open_socket(AF_UNIX);
    ASSERT_EQ(::bind(killed.get(), address->get(), address->size), 0);
    ASSERT_EQ(::listen(killed.get(), 1), 0);
  }
  ASSERT_TRUE(exists(path));
  const auto listener = bind(UnixEndpoint{path});
  ASSERT_TRUE(listener);
  listener->start();
  const auto program = come("unix:" + path);
  EXPECT_EQ(program.second, 0);
  EXPECT_TRUE(accepts(1));
}

TEST_F(LocalListenerTest, AUnixSocketInUseIsNotReplaced) {
  const std::string path = directory_.path("socket");
  const auto first = bind(UnixEndpoint{path});
  ASSERT_TRUE(first);
  EXPECT_THAT(refusal(UnixEndpoint{path}), HasSubstr("another program uses this socket"));
  first->start();
  EXPECT_EQ(come("unix:" + path).second, 0);
}

TEST_F(LocalListenerTest, ASocketOfAnotherTypeIsNotReplaced) {
  const std::string path = directory_.path("socket");
  const auto address = unix_address(path);
  const UniqueFd log(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::bind(log.get(), address->get(), address->size), 0);
  EXPECT_THAT(refusal(UnixEndpoint{path}), HasSubstr("another program uses this socket"));
  EXPECT_TRUE(exists(path));
}

TEST_F(LocalListenerTest, AnythingButASocketIsNotReplaced) {
  const std::string file = directory_.path("file");
  std::ofstream(file) << "precious";
  EXPECT_THAT(refusal(UnixEndpoint{file}), HasSubstr("not a socket"));
  EXPECT_TRUE(S_ISREG(mode_of(file)));
  const std::string link = directory_.path("link");
  ASSERT_EQ(::symlink(file.c_str(), link.c_str()), 0);
  EXPECT_THAT(refusal(UnixEndpoint{link}), HasSubstr("not a socket"));
  EXPECT_TRUE(S_ISLNK(mode_of(link)));
  EXPECT_THAT(refusal(UnixEndpoint{directory_.path("missing/socket")}),
              HasSubstr("No such file or directory"));
}

}  // namespace
}  // namespace peersock::adapters::testing
