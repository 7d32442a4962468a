// An HTTP proxy that connects (RFC 9110 section 9.3.6), on a simulated host.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "adapters/fd_watch.hpp"
#include "adapters/unique_fd.hpp"

namespace peersock::sim {

class HttpProxy {
 public:
  struct Manner {
    std::uint64_t status = 200;  ///< of each answer; 0: there is none
    std::string credentials{};   ///< that it wants, `user:password`; empty: none
  };

  HttpProxy(GMainContext* context, const std::string& address, std::uint16_t port, Manner manner);
  ~HttpProxy();
  HttpProxy(const HttpProxy&) = delete;
  HttpProxy& operator=(const HttpProxy&) = delete;
  HttpProxy(HttpProxy&&) = delete;
  HttpProxy& operator=(HttpProxy&&) = delete;

 private:
  class Client;
  void accept_all();

  GMainContext* context_;
  Manner manner_;
  adapters::UniqueFd listening_;
  std::map<const Client*, std::unique_ptr<Client>> clients_;
  adapters::FdWatch arrivals_;
};

}  // namespace peersock::sim
