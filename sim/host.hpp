// A simulated machine: an IP stack, entropy of its own, and a main context that is run in virtual
// time. Code that runs "on" a host gets this host's network from the C library (libc/).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <glib.h>

#include "digest.hpp"
#include "stack/ip_host.hpp"
#include "stack/udp_port.hpp"

namespace peersock::sim {

class Host {
 public:
  /// `number` is unique in a simulation. `digest` outlives the host.
  Host(std::string name, std::uint32_t number, std::uint64_t seed, bool ipv6, Digest& digest);
  ~Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;
  Host(Host&&) = delete;
  Host& operator=(Host&&) = delete;

  /// Whose code runs now; null between the hosts, and in every thread but the simulation's.
  [[nodiscard]] static Host* current();

  /// Runs `call` on this host, now; sources that it made are served at the same instant.
  void run(const std::function<void()>& call);
  /// Serves the main context at this instant: something has become ready.
  void kick();

  void fill_random(void* out, std::size_t size);
  void note(std::string_view what, std::span<const std::uint8_t> octets);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] IpHost& ip() { return ip_; }
  [[nodiscard]] UdpPorts& udp_ports() { return udp_ports_; }
  [[nodiscard]] GMainContext* context() { return context_; }

  /// Numeric, on eth0; whoever listens for news of it (rtnetlink(7)) is told.
  void add_address(const std::string& address, int prefix);
  void remove_address(const std::string& address);
  /// Whether a packet that is sent from here to there has a way to leave: a socket keeps an address
  /// that the host no longer has, but cannot send from it.
  [[nodiscard]] bool has_way(const SocketName& from, const SocketName& to) const;
  /// The address that a packet to there leaves from, with port 0.
  [[nodiscard]] std::optional<SocketName> source_for(const SocketName& to) const;
  /// Called at each change of an address, for as long as the pointer lives.
  using AddressNews = std::function<void(const InterfaceAddress& address, bool added)>;
  void watch_addresses(const std::shared_ptr<AddressNews>& news) { address_news_.push_back(news); }

  /// Of this host's own CLOCK_REALTIME, against everybody's virtual time.
  void step_clock(Nanos by) { clock_step_ += by; }
  [[nodiscard]] Nanos clock_step() const { return clock_step_; }

 private:
  void serve();
  void tell(const InterfaceAddress& address, bool added);
  /// One turn of the main loop without waiting; whether anything was dispatched, and GLib's
  /// timeout in ms.
  [[nodiscard]] bool turn(int& timeout);

  std::string name_;
  std::uint32_t number_;
  std::uint64_t random_;
  Digest& digest_;
  IpHost ip_;
  UdpPorts udp_ports_;
  GMainContext* context_;
  std::vector<GPollFD> polled_;
  bool serving_ = false;
  Nanos clock_step_{0};
  std::vector<std::weak_ptr<AddressNews>> address_news_;
  std::vector<SocketName> lost_addresses_;
  Timer turn_;
};

}  // namespace peersock::sim
