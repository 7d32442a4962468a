// The QUIC engine alone: both sides in one thread, datagrams handed over in memory. What it costs
// is the yardstick for everything around it.
//
//   quic-memory [MiB] [idle streams] [openssl|ngtcp2]      prints one JSON object
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>

#include <fmt/format.h>
#include <sys/resource.h>

#include "adapters/entropy.hpp"
#include "adapters/ngtcp2_engine.hpp"
#include "adapters/openssl_engine.hpp"

namespace {

using namespace peersock;
namespace fact = quic::fact;

constexpr std::size_t kMiB = 1 << 20;

Instant now() {
  return Instant(std::chrono::steady_clock::now().time_since_epoch());
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

long peak_kib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

template <typename T>
T expect(Result<T> result) {
  if (result) return std::move(*result);
  fmt::print(stderr, "{}\n", result.error().message);
  std::exit(1);
}

struct Bench {
  explicit Bench(bool ngtcp2)
      : engine(
            expect(ngtcp2 ? adapters::make_ngtcp2_engine(rng) : adapters::make_openssl_engine())) {}

  adapters::SystemRng rng;
  std::unique_ptr<quic::Engine> engine;
  std::unique_ptr<quic::Connection> client = expect(engine->connect(
      {.role = quic::Role::kClient, .peer_fingerprint = engine->fingerprint()}, now()));
  std::unique_ptr<quic::Connection> server = expect(engine->connect(
      {.role = quic::Role::kServer, .peer_fingerprint = engine->fingerprint()}, now()));
  Bytes datagrams = Bytes(65'535);
  Bytes payload = Bytes(kMiB, 'a');
  Bytes read = Bytes(kMiB);
  std::size_t trains = 0;
  std::size_t received = 0;

  void carry(quic::Connection& from, quic::Connection& to) {
    for (;;) {
      const auto train = from.transmit(datagrams, now());
      if (train.bytes.empty()) return;
      ++trains;
      to.receive(train, now());
    }
  }

  void drain_facts(quic::Connection& connection) {
    while (const auto event = connection.poll_event()) {
      const auto* readable = std::get_if<fact::StreamReadable>(&*event);
      if (readable == nullptr) continue;
      while (const std::size_t octets = connection.read(readable->stream, read).octets) {
        received += octets;
      }
    }
  }

  void round() {
    carry(*client, *server);
    drain_facts(*server);
    carry(*server, *client);
    drain_facts(*client);
    const Instant at = now();
    for (const auto& side : {client.get(), server.get()}) {
      const auto due = side->deadline();
      if (due && *due <= at) side->on_deadline(at);
    }
  }

  void open_idle(std::size_t count) {
    for (std::size_t opened = 0; opened < count; round()) {
      while (opened < count) {
        const auto stream = client->open_stream();
        if (!stream) break;
        static_cast<void>(client->write(*stream, ByteView(payload).first(1)));
        ++opened;
      }
    }
    round();
  }

  void transfer(std::size_t total) {
    const auto stream = client->open_stream();
    received = 0;
    trains = 0;
    for (std::size_t sent = 0; received < total; round()) {
      while (sent < total) {
        const auto piece = ByteView(payload).first(std::min(payload.size(), total - sent));
        const std::size_t taken = client->write(*stream, piece);
        sent += taken;
        if (taken < piece.size()) break;
      }
    }
  }
};

}  // namespace

int main(int argc, char** argv) {
  const std::size_t mib = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 512;
  const std::size_t idle = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 0;
  const std::string_view name = argc > 3 ? argv[3] : "openssl";
  if (name != "openssl" && name != "ngtcp2") {
    fmt::print(stderr, "There is no engine {}: openssl or ngtcp2.\n", name);
    return 2;
  }
  Bench bench(name == "ngtcp2");
  while (!bench.client->handshake_complete() || !bench.server->handshake_complete()) bench.round();
  bench.open_idle(idle);

  const auto sent_before = bench.client->statistics().datagrams_sent;
  const Instant start = now();
  const double cpu_start = cpu_seconds();
  bench.transfer(mib * kMiB);
  const double cpu = cpu_seconds() - cpu_start;
  const double wall = std::chrono::duration<double>(now() - start).count();
  const auto datagrams = bench.client->statistics().datagrams_sent - sent_before;
  fmt::print(
      R"({{"engine":"{}","mib":{},"idle_streams":{},"seconds":{:.3f},"mib_per_second":{:.1f},)"
      R"("cpu_seconds_per_gib":{:.3f},"mib_per_cpu_second":{:.1f},"datagrams":{},"trains":{},)"
      R"("peak_kib":{}}})"
      "\n",
      name, mib, idle, wall, static_cast<double>(mib) / wall, cpu / static_cast<double>(mib) * 1024,
      static_cast<double>(mib) / cpu, datagrams, bench.trains, peak_kib());
}
