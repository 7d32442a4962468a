// The options of `peersock mailbox` (docs/spec/cli.md).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "adapters/mailbox_server.hpp"
#include "core/error.hpp"

namespace CLI {
class App;
}

namespace peersock::app {

inline constexpr const char* kDefaultMailboxAddress = "127.0.0.1:4000";

class MailboxArguments {
 public:
  /// Adds the options to the command; they are read into this object, which stays where it is.
  void add_to(CLI::App& command);
  /// What was read, with defaults for the rest. Errors are kUsage, one sentence.
  [[nodiscard]] Result<adapters::MailboxServerConfig> convert() const;

 private:
  [[nodiscard]] Result<void> convert_endpoints(adapters::MailboxServerConfig& config) const;
  [[nodiscard]] Result<void> convert_texts(adapters::MailboxServerConfig& config) const;
  [[nodiscard]] Result<void> convert_tls(adapters::MailboxServerConfig& config) const;
  [[nodiscard]] Result<void> convert_numbers(adapters::MailboxServerConfig& config) const;
  [[nodiscard]] const std::string* text(const char* name) const;

  std::vector<std::string> listen_;
  std::map<std::string, std::string, std::less<>> texts_;  ///< by the name of the option
  bool no_list_ = false;
  bool behind_proxy_ = false;
};

}  // namespace peersock::app
