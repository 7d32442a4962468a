// Asks a TCP peer that has no room for room (RFC 9293 section 3.8.6.1), in ns-3's stead.
#pragma once

#include <cstdint>

#include <ns3/event-id.h>
#include <ns3/nstime.h>
#include <ns3/ptr.h>
#include <ns3/tcp-socket-base.h>

namespace peersock::sim {

/// ns-3 3.37 and 3.43 ask with the next octet that there is to send, again and again, and through a
/// null pointer when there is none.
class NsTcpProbe {
 public:
  /// From now on, and as long as this object lives.
  explicit NsTcpProbe(const ns3::Ptr<ns3::Socket>& socket);
  ~NsTcpProbe();
  NsTcpProbe(const NsTcpProbe&) = delete;
  NsTcpProbe& operator=(const NsTcpProbe&) = delete;
  NsTcpProbe(NsTcpProbe&&) = delete;
  NsTcpProbe& operator=(NsTcpProbe&&) = delete;

 private:
  void window_changed(std::uint32_t from, std::uint32_t to);
  void plan(ns3::Time wait);
  void ask();

  ns3::Ptr<ns3::TcpSocketBase> socket_;
  ns3::Time wait_;
  ns3::EventId due_;
};

}  // namespace peersock::sim
