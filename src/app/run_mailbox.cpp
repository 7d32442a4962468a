#include "app/run_mailbox.hpp"

#include "adapters/entropy.hpp"
#include "adapters/mailbox_server.hpp"
#include "app/event_printer.hpp"
#include "app/loop.hpp"

namespace peersock::app {
namespace {

constexpr std::uint16_t kDefaultPort = 4000;

adapters::MailboxServerConfig server_config(const Options& options) {
  adapters::MailboxServerConfig config;
  const auto* endpoint = options.endpoint ? std::get_if<TcpEndpoint>(&*options.endpoint) : nullptr;
  config.listen = {endpoint != nullptr ? *endpoint : TcpEndpoint{"127.0.0.1", kDefaultPort}};
  return config;
}

}  // namespace

ExitCode run_mailbox(const Options& options) {
  EventPrinter printer(options.json, options.verbosity, false);
  Loop loop;
  adapters::SystemRng rng;
  auto server = adapters::MailboxServer::create(loop.context(), server_config(options), rng);
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
  for (const auto& url : (*server)->urls()) printer.show(event::MailboxListening{url});
  loop.run_until([&] { return interrupted; });
  server->reset();
  loop.settle();
  printer.show(event::Ended{ExitCode::kDone});
  return ExitCode::kDone;
}

}  // namespace peersock::app
