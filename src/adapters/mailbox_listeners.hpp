// The listening sockets of the embedded rendezvous server: TCP and Unix, accepted in turns.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gio/gio.h>
#include <sys/types.h>

#include "adapters/glib_ptr.hpp"
#include "adapters/unique_fd.hpp"
#include "adapters/unix_socket_file.hpp"
#include "adapters/wakeup.hpp"
#include "core/endpoint.hpp"
#include "core/error.hpp"

namespace peersock::adapters {

class MailboxListeners {
 public:
  /// `accepted` gets each connected socket, non-blocking, and where it comes from, from the loop.
  using Accepted = std::function<void(UniqueFd, GSocketAddress*)>;
  MailboxListeners(GMainContext* context, Accepted accepted);

  /// Binds at once; a Unix socket gets the mode `unix_mode`. Errors are kLocalEndpoint.
  [[nodiscard]] Result<void> add(const Endpoint& endpoint, mode_t unix_mode);
  /// Accepts from now on.
  void watch();

  struct Address {
    std::string text;  ///< `127.0.0.1:4000`, `[::1]:4000` or `unix:PATH`, with the real port
    bool is_unix = false;
  };
  /// One for each socket.
  [[nodiscard]] const std::vector<Address>& addresses() const { return addresses_; }

 private:
  struct Listener {
    GObjectPtr<GSocket> socket;
    std::unique_ptr<UnixSocketFile> file;  ///< of a Unix socket
    std::unique_ptr<Wakeup> ready;
  };
  [[nodiscard]] Result<void> add_unix(const UnixEndpoint& endpoint, mode_t mode);
  void keep(GObjectPtr<GSocket> socket, std::unique_ptr<UnixSocketFile> file);
  void accept(GSocket* listening);

  GMainContext* context_;
  Accepted accepted_;
  Wakeup accept_again_;
  std::vector<Listener> listeners_;
  std::vector<Address> addresses_;
};

}  // namespace peersock::adapters
