// natbox --inside DEVICE --outside DEVICE --gateway ADDRESS --addresses A[,A...] --next-hop MAC
//        [--mapping M] [--filtering M] [--port preserved|random|sequential] [--hairpin yes]
//        [--timeout-ms N] [--pooling paired|arbitrary] [--seed N]
//
// A NAT between two network devices, without the kernel's help: it answers ARP for the gateway's
// address inside and for its own addresses outside. It tells who sends packets that the device
// outside does not take (RFC 4787 REQ-13). Prints "ready"; SIGUSR1 reboots it.
#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>
#include <sstream>
#include <string>

#include <arpa/inet.h>
#include <poll.h>

#include "packet.hpp"
#include "raw_device.hpp"
#include "too_big.hpp"

namespace {

using namespace peersock::testbed;

constexpr std::size_t ethernet_header = 14, arp_length = 28;
constexpr HardwareAddress everybody{0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

volatile std::sig_atomic_t reboot_wanted = 0;

std::uint32_t address_of(const std::string& text) {
  in_addr parsed{};
  if (::inet_pton(AF_INET, text.c_str(), &parsed) != 1) fail("no IPv4 address: " + text);
  return ntohl(parsed.s_addr);
}

HardwareAddress hardware_of(const std::string& text) {
  HardwareAddress found{};
  std::istringstream parts(text);
  std::string part;
  for (auto& octet : found) {
    if (!std::getline(parts, part, ':')) fail("no hardware address: " + text);
    octet = static_cast<std::uint8_t>(std::stoul(part, nullptr, 16));
  }
  return found;
}

Dependence dependence_of(const std::string& name) {
  if (name == "endpoint-independent") return Dependence::Independent;
  if (name == "address-dependent") return Dependence::Address;
  if (name == "address-and-port-dependent") return Dependence::AddressAndPort;
  fail("unknown behaviour: " + name);
}

NatConfig config_of(std::map<std::string, std::string>& given) {
  NatConfig config;
  std::istringstream addresses(given["addresses"]);
  for (std::string one; std::getline(addresses, one, ',');) {
    config.addresses.push_back(address_of(one));
  }
  if (config.addresses.empty()) fail("a NAT needs an address");
  if (given.contains("mapping")) config.mapping = dependence_of(given["mapping"]);
  if (given.contains("filtering")) config.filtering = dependence_of(given["filtering"]);
  if (given["port"] == "random") config.ports = Ports::Random;
  if (given["port"] == "sequential") config.ports = Ports::Sequential;
  config.hairpin = given["hairpin"] == "yes";
  config.paired = given["pooling"] != "arbitrary";
  if (given.contains("timeout-ms")) {
    config.timeout = std::chrono::milliseconds(std::stoll(given["timeout-ms"]));
  }
  return config;
}

class Box {
 public:
  explicit Box(std::map<std::string, std::string>& given)
      : inside_(given["inside"]),
        outside_(given["outside"]),
        gateway_(address_of(given["gateway"])),
        next_hop_(hardware_of(given["next-hop"])),
        engine_(config_of(given), given.contains("seed") ? std::stoull(given["seed"]) : 1) {}

  [[noreturn]] void run() {
    std::array<pollfd, 2> waiting{
        {{inside_.descriptor(), POLLIN, 0}, {outside_.descriptor(), POLLIN, 0}}};
    while (true) {
      static_cast<void>(::poll(waiting.data(), waiting.size(), -1));
      if (reboot_wanted != 0) {
        reboot_wanted = 0;
        engine_.reboot();
      }
      take(inside_, true);
      take(outside_, false);
    }
  }

 private:
  void take(const RawDevice& device, bool from_inside) {
    while (true) {
      const auto frame = device.receive(buffer_);
      if (frame.empty()) return;
      if (frame.size() < ethernet_header) continue;
      const auto type = static_cast<unsigned>(frame[12] << 8U | frame[13]);
      if (type == 0x0806) answer_arp(device, frame, from_inside);
      if (type == 0x0800 && is_for(frame, device.address())) translate(frame, from_inside);
    }
  }

  static bool is_for(std::span<const std::uint8_t> frame, const HardwareAddress& address) {
    return std::equal(address.begin(), address.end(), frame.begin());
  }

  void translate(std::span<std::uint8_t> frame, bool from_inside) {
    auto packet = frame.subspan(ethernet_header);
    if (from_inside) learn(frame);
    if (from_inside && frame.size() > outside_.mtu() + ethernet_header) return refuse(frame);
    const auto exit = from_inside ? translate_outbound(packet, engine_, monotonic_now())
                                  : translate_inbound(packet, engine_, monotonic_now());
    if (!exit) return;
    if (*exit == Exit::Outside) return forward(frame, outside_, next_hop_);
    const auto known = neighbours_.find(destination_address(packet));
    if (known != neighbours_.end()) forward(frame, inside_, known->second);
  }

  void refuse(std::span<const std::uint8_t> frame) const {
    Router router;
    const std::uint32_t address = htonl(gateway_);
    std::memcpy(router.ipv4.data(), &address, router.ipv4.size());
    if (const auto answer = too_big_answer(frame, outside_.mtu(), router)) inside_.send(*answer);
  }

  // Only who has sent something from inside can have a mapping, so nobody else need be known.
  void learn(std::span<const std::uint8_t> frame) {
    if (neighbours_.size() >= 1024) return;
    HardwareAddress& known = neighbours_[source_address(frame.subspan(ethernet_header))];
    std::copy_n(frame.begin() + 6, known.size(), known.begin());
  }

  static void forward(std::span<std::uint8_t> frame, const RawDevice& device,
                      const HardwareAddress& to) {
    std::copy(to.begin(), to.end(), frame.begin());
    std::copy(device.address().begin(), device.address().end(), frame.begin() + 6);
    device.send(frame);
  }

  void answer_arp(const RawDevice& device, std::span<std::uint8_t> frame, bool from_inside) const {
    if (frame.size() < ethernet_header + arp_length || frame[21] != 1) return;  // no request
    std::uint32_t wanted = 0;
    std::memcpy(&wanted, &frame[38], sizeof wanted);
    wanted = ntohl(wanted);
    if (!(from_inside ? wanted == gateway_ : engine_.is_external(wanted))) return;
    std::array<std::uint8_t, ethernet_header + arp_length> answer{};
    std::copy_n(frame.begin(), answer.size(), answer.begin());
    std::copy_n(frame.begin() + 6, 6, answer.begin());
    std::copy(device.address().begin(), device.address().end(), answer.begin() + 6);
    answer[21] = 2;
    std::copy(device.address().begin(), device.address().end(), answer.begin() + 22);
    std::copy_n(frame.begin() + 38, 4, answer.begin() + 28);
    std::copy_n(frame.begin() + 22, 10, answer.begin() + 32);
    device.send(answer);
  }

  RawDevice inside_;
  RawDevice outside_;
  std::uint32_t gateway_;
  HardwareAddress next_hop_ = everybody;
  NatEngine engine_;
  std::map<std::uint32_t, HardwareAddress> neighbours_;
  std::array<std::uint8_t, 65536> buffer_{};
};

}  // namespace

int main(int count, char** values) {
  auto given = options(count, values);
  struct sigaction action {};
  action.sa_handler = [](int) { reboot_wanted = 1; };
  if (::sigaction(SIGUSR1, &action, nullptr) != 0) return 1;
  const auto box = std::make_unique<Box>(given);
  if (std::puts("ready") < 0 || std::fflush(stdout) != 0) return 1;
  box->run();
}
