#include "turn_server.hpp"

#include <array>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <vector>

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/test_certificate.hpp"

namespace peersock::testing {
namespace {

constexpr int kSpawns = 5;
constexpr int kTries = 100;
constexpr int kTryMilliseconds = 50;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

std::optional<std::uint16_t> bound_port(int probe, std::uint16_t wanted) {
  sockaddr_in address = loopback(wanted);
  socklen_t length = sizeof address;
  if (bind(probe, reinterpret_cast<sockaddr*>(&address), length) != 0) return std::nullopt;
  if (getsockname(probe, reinterpret_cast<sockaddr*>(&address), &length) != 0) return std::nullopt;
  return ntohs(address.sin_port);
}

/// A port that was free a moment ago, for UDP and TCP.
std::uint16_t free_port() {
  for (int i = 0; i < kSpawns; ++i) {
    const int udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const int tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    auto port = bound_port(udp, 0);
    if (port) port = bound_port(tcp, *port);
    close(udp);
    close(tcp);
    if (port) return *port;
  }
  throw std::runtime_error("no free port on loopback");
}

}  // namespace

TurnProcess::TurnProcess(bool two_addresses) : two_addresses_(two_addresses) {
  std::string name = (std::filesystem::temp_directory_path() / "peersock-turn-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
  folder_ = name;
  const TestCertificate made = make_certificate("IP:127.0.0.1,DNS:localhost", 10);
  std::ofstream(folder_ / "certificate") << made.certificate;
  std::ofstream(folder_ / "key") << made.key;
  trusted_.reset(
      G_TLS_DATABASE(g_tls_file_database_new((folder_ / "certificate").c_str(), nullptr)));
  // Somebody else may take the port before the server does.
  for (int i = 0; i < kSpawns; ++i) {
    port_ = free_port();
    tls_port_ = free_port();
    spawn();
    if (comes_up()) return;
    stop();
  }
  throw std::runtime_error("turnserver does not answer; is the package coturn installed?");
}

TurnProcess::~TurnProcess() {
  stop();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

bool TurnProcess::comes_up() {
  for (int i = 0; i < kTries; ++i) {
    if (answers()) return true;
    if (waitpid(process_, nullptr, WNOHANG) == process_) {
      process_ = -1;
      return false;
    }
  }
  return false;
}

void TurnProcess::stop() {
  if (process_ <= 0) return;
  kill(process_, SIGKILL);
  waitpid(process_, nullptr, 0);
  process_ = -1;
}

void TurnProcess::spawn() {
  std::vector<std::string> arguments = {"turnserver",
                                        "-n",
                                        "--listening-ip=127.0.0.1",
                                        "--listening-port=" + std::to_string(port_),
                                        "--relay-ip=127.0.0.1",
                                        "--lt-cred-mech",
                                        "--user=u:p",
                                        "--realm=test",
                                        "--fingerprint",
                                        "--tls-listening-port=" + std::to_string(tls_port_),
                                        "--cert=" + (folder_ / "certificate").string(),
                                        "--pkey=" + (folder_ / "key").string(),
                                        "--no-dtls",
                                        "--no-cli",
                                        "--allow-loopback-peers",
                                        "--log-file=stdout",
                                        "--pidfile=" + (folder_ / "pid").string(),
                                        "--userdb=" + (folder_ / "db").string()};
  if (two_addresses_) {
    arguments.emplace_back("--listening-ip=127.0.0.2");
    arguments.push_back("--alt-listening-port=" + std::to_string(free_port()));
  }
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions{};
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  const int failed = posix_spawnp(&process_, "turnserver", &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) throw std::runtime_error("turnserver cannot be run; install coturn");
}

/// Whether it answers a STUN binding request (RFC 8489 section 5) in time.
bool TurnProcess::answers() const {
  constexpr std::array<std::uint8_t, 20> kRequest = {0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42};
  const int probe = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(port_);
  bool answered = false;
  if (connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
      send(probe, kRequest.data(), kRequest.size(), 0) > 0) {
    pollfd waiting{probe, POLLIN, 0};
    std::array<std::uint8_t, 512> answer{};
    answered = poll(&waiting, 1, kTryMilliseconds) == 1 &&
               recv(probe, answer.data(), answer.size(), 0) > 0;
    // Nobody listens yet: the refusal came at once, so wait for what is left of the try.
    if (!answered) poll(nullptr, 0, kTryMilliseconds);
  }
  close(probe);
  return answered;
}

adapters::TurnServer TurnProcess::server(adapters::TurnTransport transport,
                                         const std::string& password) const {
  adapters::TurnServer server;
  server.host = "127.0.0.1";
  server.port = transport == adapters::TurnTransport::kTls ? tls_port_ : port_;
  server.username = "u";
  server.password = Secret(std::string_view(password));
  server.transport = transport;
  return server;
}

}  // namespace peersock::testing
