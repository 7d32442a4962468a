#include "adapters/mailbox_facts.hpp"

#include <iterator>

#include <fmt/format.h>

namespace peersock::adapters {
namespace {

class Page {
 public:
  void begin(std::string_view name, std::string_view type, std::string_view help) {
    fmt::format_to(out(), "# HELP peersock_mailbox_{} {}\n# TYPE peersock_mailbox_{} {}\n", name,
                   help, name, type);
  }
  void value(std::string_view name, std::uint64_t value) {
    fmt::format_to(out(), "peersock_mailbox_{} {}\n", name, value);
  }
  void value(std::string_view name, std::string_view label, std::string_view of,
             std::uint64_t value) {
    fmt::format_to(out(), "peersock_mailbox_{}{{{}=\"{}\"}} {}\n", name, label, of, value);
  }
  void gauge(std::string_view name, std::uint64_t now, std::string_view help) {
    begin(name, "gauge", help);
    value(name, now);
  }
  void counter(std::string_view name, std::uint64_t total, std::string_view help) {
    begin(name, "counter", help);
    value(name, total);
  }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::back_insert_iterator<std::string> out() { return std::back_inserter(text_); }
  std::string text_;
};

void put_outcomes(Page& page, const wormhole::Server::Outcomes& outcomes) {
  page.begin("mailboxes_ended_total", "counter", "Mailboxes that have ended, by mood.");
  const std::pair<std::string_view, std::uint64_t> moods[] = {
      {"happy", outcomes.happy},   {"lonely", outcomes.lonely}, {"scary", outcomes.scary},
      {"errory", outcomes.errory}, {"pruney", outcomes.pruney}, {"crowded", outcomes.crowded},
  };
  for (const auto& [mood, count] : moods) {
    page.value("mailboxes_ended_total", "mood", mood, count);
  }
}

void put_connections(Page& page, const MailboxTotals& totals) {
  page.counter("connections_accepted_total", totals.accepted, "Connections accepted.");
  page.begin("connections_refused_total", "counter", "Connections turned away.");
  page.value("connections_refused_total", "reason", "full", totals.refused_full);
  page.value("connections_refused_total", "reason", "per_address", totals.refused_per_address);
  page.begin("connections_ended_total", "counter", "Connections that have ended, by reason.");
  for (std::size_t i = 0; i < kClientEnds; ++i) {
    page.value("connections_ended_total", "reason", to_string(static_cast<ClientEnd>(i)),
               totals.ended.at(i));
  }
  page.counter("frames_received_total", totals.frames_received, "Requests of clients.");
  page.counter("frames_sent_total", totals.frames_sent, "Frames sent to clients.");
  page.counter("received_bytes_total", totals.octets_received,
               "Octets received on connections that have ended.");
  page.counter("sent_bytes_total", totals.octets_sent,
               "Octets sent on connections that have ended.");
}

}  // namespace

std::string render_metrics(const MailboxStatus& status, std::string_view version) {
  Page page;
  page.begin("build_info", "gauge", "The version that runs; always 1.");
  page.value("build_info", "version", version, 1);
  page.gauge("connections", status.connections, "Open connections.");
  page.gauge("clients", status.counts.connections, "Connections that are clients.");
  page.gauge("nameplates", status.counts.nameplates, "Nameplates in use.");
  page.gauge("mailboxes", status.counts.mailboxes, "Mailboxes in use.");
  page.gauge("messages", status.counts.messages, "Messages kept.");
  page.gauge("stored_bytes", status.counts.octets, "Octets kept for all mailboxes.");
  put_outcomes(page, status.counts.outcomes);
  put_connections(page, status.totals);
  if (status.has_state_file) {
    page.gauge("state_failing", status.state_failing ? 1 : 0,
               "1 while the state file can not be written.");
    page.counter("state_commits_total", status.totals.state_commits,
                 "Times that the state file was written.");
    page.counter("state_failures_total", status.totals.state_failures,
                 "Times that it could not be written.");
  }
  return page.take();
}

}  // namespace peersock::adapters
