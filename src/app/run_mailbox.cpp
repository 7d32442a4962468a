#include "app/run_mailbox.hpp"

#include <utility>

#include <fmt/format.h>

#include "adapters/entropy.hpp"
#include "adapters/mailbox_server.hpp"
#include "app/descriptor_limit.hpp"
#include "app/event_printer.hpp"
#include "app/loop.hpp"

namespace peersock::app {
namespace {

/// Descriptors beside those of clients: listeners, state file, the loop's own.
constexpr rlim_t kOtherDescriptors = 64;

/// A connection is a descriptor, and the usual limit of a process is 1024 of them.
std::optional<std::string> make_room_for(std::size_t connections) {
  const rlim_t wanted = connections + kOtherDescriptors;
  const rlim_t allowed = raise_descriptor_limit(wanted);
  if (allowed >= wanted) return std::nullopt;
  return fmt::format(
      "this process may open {} files, too few for {} connections: raise the limit (ulimit -n, "
      "LimitNOFILE=), or lower --max-connections",
      allowed, connections);
}

void reload(adapters::MailboxServer& server, EventPrinter& printer) {
  if (auto done = server.reload_tls(); !done) {
    printer.show(
        event::Warning{"the certificate stays as it was, because " + done.error().message});
  } else {
    printer.show(adapters::MailboxTlsReloaded{});
  }
}

}  // namespace

ExitCode run_mailbox(const Options& options) {
  EventPrinter printer(options.json, options.verbosity, false);
  Loop loop;
  adapters::SystemRng rng;
  adapters::MailboxServerConfig config = options.mailbox;
  const bool has_tls = config.tls.has_value();
  config.version = PEERSOCK_VERSION;
  config.report = [&](const adapters::MailboxFact& fact) { printer.show(fact); };
  if (const auto warning = make_room_for(config.max_connections)) {
    printer.show(event::Warning{*warning});
  }
  auto server = adapters::MailboxServer::create(loop.context(), std::move(config), rng);
  if (!server) {
    printer.show(event::Failed{server.error()});
    printer.show(event::Ended{exit_code(server.error().kind)});
    return exit_code(server.error().kind);
  }
  if (options.trace) {
    (*server)->set_trace([&](const TraceStep& step) { printer.show(step); });
  }
  bool interrupted = false;
  loop.on_interrupt([&] { interrupted = true; });
  if (has_tls) loop.on_hangup([&] { reload(**server, printer); });
  for (const auto& url : (*server)->urls()) printer.show(event::MailboxListening{url});
  for (const auto& url : (*server)->admin_urls()) {
    printer.show(adapters::MailboxAdminListening{url});
  }
  loop.run_until([&] { return interrupted; });
  server->reset();
  loop.settle();
  printer.show(event::Ended{ExitCode::kDone});
  return ExitCode::kDone;
}

}  // namespace peersock::app
