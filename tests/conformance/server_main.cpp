// The embedded rendezvous server with what is no option of the program: its times, so that the
// conformance suite can see them pass. Prints its URL, and serves until it is terminated.

#include <csignal>
#include <cstdio>
#include <string>

#include <CLI/CLI.hpp>
#include <glib-unix.h>

#include "adapters/entropy.hpp"
#include "adapters/glib_ptr.hpp"
#include "adapters/mailbox_server.hpp"

namespace peersock {
namespace {

Duration seconds(double count) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(count));
}

gboolean stop(gpointer stopped) noexcept {
  *static_cast<bool*>(stopped) = true;
  return G_SOURCE_CONTINUE;
}

void add_options(CLI::App& app, adapters::MailboxServerConfig& config) {
  const auto duration = [&app](const char* name, Duration& value, const char* what) {
    app.add_option_function<double>(
           name, [&value](const double& count) { value = seconds(count); }, what)
        ->check(CLI::PositiveNumber);
  };
  duration("--prune-after", config.rules.prune_after, "seconds until an idle mailbox goes");
  duration("--prune-every", config.rules.prune_every, "seconds between two looks");
  duration("--ping-every", config.ping_every, "seconds between two pings, whole ones");
  duration("--max-silence", config.max_silence, "seconds until a silent client is cut");
  app.add_option("--motd", config.rules.motd, "message of the day");
  app.add_option("--signal-error", config.rules.welcome_error, "the error in the welcome");
  app.add_option("--advertise-version", config.rules.advertised_version, "for current_cli_version");
  app.add_flag_callback(
      "--no-list", [&config] { config.rules.allow_list = false; }, "list no nameplates");
}

int serve(adapters::MailboxServerConfig config) {
  const adapters::ContextPtr context(g_main_context_new());
  const adapters::ThreadDefault scope(context.get());
  bool stopped = false;
  const adapters::SourcePtr terminated(g_unix_signal_source_new(SIGTERM));
  g_source_set_callback(terminated.get(), stop, &stopped, nullptr);
  g_source_attach(terminated.get(), context.get());

  adapters::SystemRng rng;
  config.listen = {TcpEndpoint{"127.0.0.1", 0}};
  const auto server = adapters::MailboxServer::create(context.get(), std::move(config), rng);
  if (!server) {
    (void)std::fprintf(stderr, "%s\n", server.error().message.c_str());
    return 1;
  }
  for (const std::string& url : (*server)->urls()) std::printf("%s\n", url.c_str());
  (void)std::fflush(stdout);
  while (!stopped) g_main_context_iteration(context.get(), TRUE);
  return 0;
}

}  // namespace
}  // namespace peersock

int main(int argc, char** argv) {
  CLI::App app("A rendezvous server on a free port of 127.0.0.1, for tests");
  peersock::adapters::MailboxServerConfig config;
  peersock::add_options(app, config);
  CLI11_PARSE(app, argc, argv);
  return peersock::serve(std::move(config));
}
