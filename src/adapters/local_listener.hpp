// Listening sockets for local programs: TCP on one or both families, or a Unix socket.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/fd_watch.hpp"
#include "adapters/unique_fd.hpp"
#include "adapters/unix_socket_file.hpp"
#include "adapters/wakeup.hpp"
#include "core/endpoint.hpp"
#include "core/error.hpp"

namespace peersock::adapters {

class LocalListener {
 public:
  struct Handlers {
    std::function<void(UniqueFd)> accepted;
    std::function<void(std::string)> warned;
    std::function<void(Error)> failed;  ///< nothing more will be accepted
  };

  /// Takes the address, so that it is known early whether it can be had. TCP connections are
  /// refused until `start`; those to a Unix socket wait, because its file must not look as if
  /// nobody owned it. Handlers run from `context`. Errors are kLocalEndpoint.
  [[nodiscard]] static Result<std::unique_ptr<LocalListener>> bind(GMainContext* context,
                                                                   const Endpoint& endpoint,
                                                                   Handlers handlers);

  ~LocalListener();
  LocalListener(const LocalListener&) = delete;
  LocalListener& operator=(const LocalListener&) = delete;
  LocalListener(LocalListener&&) = delete;
  LocalListener& operator=(LocalListener&&) = delete;

  /// Accepts from now on; also after `pause`.
  void start();
  /// Local programs that connect meanwhile wait in the system's queue.
  void pause();

  /// Where programs may connect to, e.g. `127.0.0.1:5900` and `[::1]:5900`, or `unix:/tmp/x`.
  [[nodiscard]] const std::vector<std::string>& addresses() const { return addresses_; }

 private:
  struct Listening {
    UniqueFd fd;
    std::unique_ptr<FdWatch> watch;  ///< goes before the descriptor does
    bool listens = false;
  };

  LocalListener(GMainContext* context, Handlers handlers);
  void add(UniqueFd fd, std::string address, bool listens);
  void resume();
  /// Zero, or the error.
  [[nodiscard]] int listen_and_watch();
  void accept_from(std::size_t index);
  void out_of_descriptors(int error);
  void fail_with(int error);

  GMainContext* context_;
  std::shared_ptr<const Handlers> handlers_;
  std::vector<Listening> sockets_;
  std::vector<std::string> addresses_;
  std::optional<UnixSocketFile> file_;
  Wakeup retry_;
  bool accepting_ = false;
  bool failed_ = false;
  bool warned_ = false;
  std::shared_ptr<bool> alive_;  ///< false once a handler has destroyed the listener
};

}  // namespace peersock::adapters
