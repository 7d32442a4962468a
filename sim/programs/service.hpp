// A TCP service that makes one transfer of each connection.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "programs/transfer.hpp"

namespace peersock::sim {

class Service {
 public:
  /// `over` runs when any of the transfers is.
  Service(GMainContext* context, const std::string& address, std::uint16_t port, TransferPlan plan,
          std::function<void()> over);

  [[nodiscard]] const std::vector<std::unique_ptr<Transfer>>& transfers() const {
    return transfers_;
  }

 private:
  void accept_all();

  GMainContext* context_;
  TransferPlan plan_;
  std::function<void()> over_;
  adapters::UniqueFd listening_;
  std::vector<std::unique_ptr<Transfer>> transfers_;
  adapters::FdWatch watch_;
};

}  // namespace peersock::sim
