#include "world.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gio/gio.h>

#include "libc/seeded_entropy.hpp"
#include "libc/virtual_clock.hpp"

namespace peersock::sim {
namespace {

constexpr int kHostBits = 128;
constexpr int kSiteBits = 48;
const testbed::LineConfig kInHouse{.delay = std::chrono::microseconds(200)};
const testbed::LineConfig kServerLine{.delay = std::chrono::milliseconds(5)};

std::uint32_t number_of(const std::string& ipv4) {
  in_addr address{};
  if (inet_pton(AF_INET, ipv4.c_str(), &address) != 1) throw std::invalid_argument(ipv4);
  return ntohl(address.s_addr);
}

bool is_ipv6_address(const std::string& address) {
  return address.find(':') != std::string::npos;
}

/// The addresses that the outermost box has outside, or the ones between two boxes.
std::vector<std::string> outside_addresses(const NatSpec& spec, int number, std::size_t place,
                                           bool outermost) {
  std::vector<std::string> addresses;
  addresses.reserve(static_cast<std::size_t>(spec.addresses));
  for (int i = 0; i < spec.addresses; ++i) {
    addresses.push_back(outermost ? fmt::format("203.0.{}.{}", number, i + 1)
                                  : fmt::format("100.{}.{}.{}", 64 + place, number, i + 1));
  }
  return addresses;
}

}  // namespace

World::World(std::uint64_t seed, std::string pcap_folder)
    : seed_(seed), pcap_folder_(std::move(pcap_folder)) {
  // What GLib makes once for the whole process must not belong to a host.
  (void)g_main_context_default();
  g_type_ensure(G_TYPE_TASK);
  start_virtual_clock();
  seed_libraries(static_cast<std::uint32_t>(seed));
}

World::~World() {
  cables_.clear();
  nats_.clear();
  hosts_.clear();
  reset_scheduler();
}

Host& World::add_host(const std::string& name, bool ipv6) {
  const auto number = static_cast<std::uint32_t>(hosts_.size() + 1);
  hosts_.push_back(std::make_unique<Host>(name, number, seed_, ipv6, digest_));
  Host& host = *hosts_.back();
  if (!pcap_folder_.empty()) {
    captures_.push_back(std::make_unique<PcapFile>(pcap_folder_ + "/" + name + ".pcap"));
    host.ip().set_tap([file = captures_.back().get()](std::span<const std::uint8_t> packet) {
      file->write(packet, now());
    });
  }
  return host;
}

Cable& World::join(Box& near, Box& far, const testbed::LineConfig& there,
                   const testbed::LineConfig& back) {
  const std::uint64_t seed = seed_ * 1000 + cables_.size();
  cables_.push_back(std::make_unique<Cable>(near, far, there, back, seed));
  return *cables_.back();
}

NatBox& World::add_nat(const NatSpec& spec, std::vector<std::uint32_t> addresses) {
  testbed::NatConfig config;
  config.mapping = spec.mapping;
  config.filtering = spec.filtering;
  config.ports = spec.ports;
  config.hairpin = spec.hairpin;
  config.addresses = std::move(addresses);
  config.paired = spec.paired;
  config.timeout = spec.timeout;
  nats_.push_back(std::make_unique<NatBox>(std::move(config), seed_ * 1000 + 500 + nats_.size(),
                                           spec.udp, spec.tcp_port));
  return *nats_.back();
}

Host& World::add_server(const std::string& name, const std::vector<std::string>& addresses) {
  Host& host = add_host(name, std::ranges::any_of(addresses, &is_ipv6_address));
  Cable& cable = join(host.ip(), backbone_, kServerLine, kServerLine);
  server_cables_[&host] = &cable;
  for (const auto& address : addresses) {
    host.ip().add_address(address, is_ipv6_address(address) ? 64 : 24);
    backbone_.route(route_address(address.c_str()), kHostBits, cable.far_plug());
  }
  return host;
}

Site World::add_site(const std::string& name, int number, const SiteSpec& spec) {
  Site site;
  site.host = &add_host(name, spec.ipv6);
  enter(site, number, spec);
  return site;
}

void World::leave(Site& site) {
  site.own->set_connected(false);
  for (const auto& address : std::exchange(site.addresses, {})) site.host->remove_address(address);
}

void World::enter(Site& site, int number, const SiteSpec& spec) {
  site.nats.clear();
  Box* outer = &backbone_;
  for (std::size_t i = spec.nats.size(); i-- > 0;) {
    const bool outermost = outer == &backbone_;
    const auto addresses = outside_addresses(spec.nats[i], number, i, outermost);
    std::vector<std::uint32_t> numbers;
    numbers.reserve(addresses.size());
    for (const auto& address : addresses) numbers.push_back(number_of(address));
    NatBox& nat = add_nat(spec.nats[i], std::move(numbers));
    Cable& cable =
        outermost ? join(nat, *outer, spec.up, spec.down) : join(nat, *outer, kInHouse, kInHouse);
    if (outermost) {
      site.access = &cable;
      for (const auto& address : addresses) {
        backbone_.route(route_address(address.c_str()), kHostBits, cable.far_plug());
      }
    }
    site.nats.insert(site.nats.begin(), &nat);
    outer = &nat;
  }
  IpHost& ip = site.host->ip();
  const bool is_public = spec.nats.empty();
  Cable& cable =
      is_public ? join(ip, *outer, spec.up, spec.down) : join(ip, *outer, kInHouse, kInHouse);
  site.own = &cable;
  if (is_public) site.access = &cable;
  ip.use_plug(cable.near_plug());
  const auto take = [&site](const std::string& address, int prefix) {
    site.host->add_address(address, prefix);
    site.addresses.push_back(address);
  };
  if (spec.ipv4) {
    const auto address =
        is_public ? fmt::format("203.0.{}.1", number) : fmt::format("192.168.{}.2", number);
    take(address, 24);
    if (is_public) backbone_.route(route_address(address.c_str()), kHostBits, cable.far_plug());
  }
  if (spec.ipv6 && ip.has(Family::kIpv6)) {
    take(fmt::format("2001:db8:{:x}::2", number), 64);
    backbone_.route(route_address(fmt::format("2001:db8:{:x}::", number).c_str()), kSiteBits,
                    site.access->far_plug());
  }
}

}  // namespace peersock::sim
