#include "scenario_json.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace peersock::sim {
namespace {

using nlohmann::ordered_json;
using testbed::Dependence;
using testbed::LineConfig;
using testbed::Ports;

// ---- words ----

// Those of natbox's command line.
constexpr std::array<std::pair<Dependence, const char*>, 3> kDependences{{
    {Dependence::Independent, "endpoint-independent"},
    {Dependence::Address, "address-dependent"},
    {Dependence::AddressAndPort, "address-and-port-dependent"},
}};
constexpr std::array<std::pair<Ports, const char*>, 3> kPorts{{
    {Ports::Preserved, "preserved"},
    {Ports::Random, "random"},
    {Ports::Sequential, "sequential"},
}};
constexpr std::array<std::pair<adapters::QuicEngine, const char*>, 2> kEngines{{
    {adapters::QuicEngine::kOpenSsl, "openssl"},
    {adapters::QuicEngine::kNgtcp2, "ngtcp2"},
}};
constexpr std::array<std::pair<adapters::PathPolicy, const char*>, 2> kPaths{{
    {adapters::PathPolicy::kAuto, "auto"},
    {adapters::PathPolicy::kNice, "nice"},
}};
constexpr std::array kOutcomes{Outcome::kDirect, Outcome::kRelayed, Outcome::kNoPath,
                               Outcome::kLost, Outcome::kBroken};

const auto& words_of(Dependence /*kind*/) {
  return kDependences;
}
const auto& words_of(Ports /*kind*/) {
  return kPorts;
}
const auto& words_of(adapters::QuicEngine /*kind*/) {
  return kEngines;
}
const auto& words_of(adapters::PathPolicy /*kind*/) {
  return kPaths;
}

template <typename T>
concept Worded = requires(T value) {
  words_of(value);
};

[[noreturn]] void refuse(const std::string& name, const ordered_json& value) {
  throw std::invalid_argument(fmt::format("{} cannot be {}", name, value.dump()));
}

// ---- single values ----

template <Worded T>
ordered_json written(T value) {
  for (const auto& [known, word] : words_of(value)) {
    if (known == value) return word;
  }
  return nullptr;
}
ordered_json written(bool value) {
  return value;
}
ordered_json written(int value) {
  return value;
}
ordered_json written(double value) {
  return value;
}
ordered_json written(std::uint64_t value) {
  return value;
}
/// Milliseconds.
template <typename Period>
ordered_json written(std::chrono::duration<std::int64_t, Period> value) {
  return std::chrono::duration<double, std::milli>(value).count();
}

template <Worded T>
void take(const std::string& name, const ordered_json& value, T& into) {
  if (!value.is_string()) refuse(name, value);
  for (const auto& [known, word] : words_of(into)) {
    if (value.get_ref<const std::string&>() != word) continue;
    into = known;
    return;
  }
  refuse(name, value);
}
void take(const std::string& name, const ordered_json& value, bool& into) {
  if (!value.is_boolean()) refuse(name, value);
  into = value.get<bool>();
}
void take(const std::string& name, const ordered_json& value, int& into) {
  constexpr std::uint64_t kMost = 250;  // addresses of a NAT
  if (!value.is_number_unsigned()) refuse(name, value);
  const auto number = value.get<std::uint64_t>();
  if (number < 1 || number > kMost) refuse(name, value);
  into = static_cast<int>(number);
}
void take(const std::string& name, const ordered_json& value, std::uint64_t& into) {
  if (!value.is_number_unsigned()) refuse(name, value);
  into = value.get<std::uint64_t>();
}
double number_up_to(const std::string& name, const ordered_json& value, double most) {
  if (!value.is_number()) refuse(name, value);
  const auto number = value.get<double>();
  // Written so that what is no number fails.
  if (!(number >= 0 && number <= most)) refuse(name, value);
  return number;
}
/// Percent.
void take(const std::string& name, const ordered_json& value, double& into) {
  constexpr double kAll = 100;
  into = number_up_to(name, value, kAll);
}
/// Milliseconds.
template <typename Period>
void take(const std::string& name, const ordered_json& value,
          std::chrono::duration<std::int64_t, Period>& into) {
  using Milliseconds = std::chrono::duration<double, std::milli>;
  constexpr double kDay = 86'400'000;
  const Milliseconds given(number_up_to(name, value, kDay));
  into = std::chrono::duration<std::int64_t, Period>(
      std::llround(std::chrono::duration<double, Period>(given).count()));
}

// ---- what there is: once for both ways ----

template <typename Line, typename Field>
void each_line_member(Line& line, const Field& field) {
  field("delay_ms", line.delay);
  field("jitter_ms", line.jitter);
  field("rate_kbit", line.rate);
  field("queue_ms", line.queue);
  field("loss", line.loss);
  field("duplicate", line.duplicate);
  field("reorder", line.reorder);
  field("black_hole", line.black_hole);
}

template <typename Nat, typename Field>
void each_nat_member(Nat& nat, const Field& field) {
  field("mapping", nat.mapping);
  field("filtering", nat.filtering);
  field("port", nat.ports);
  field("hairpin", nat.hairpin);
  field("addresses", nat.addresses);
  field("paired", nat.paired);
  field("timeout_ms", nat.timeout);
  field("udp", nat.udp);
}

template <typename Site, typename Field>
void each_site_member(Site& site, const Field& field) {
  field("nats", site.nats);
  field("up", site.up);
  field("down", site.down);
  field("ipv4", site.ipv4);
  field("ipv6", site.ipv6);
}

template <typename Network, typename Field>
void each_network_member(Network& scenario, const Field& field) {
  field("listener", scenario.listener);
  field("connector", scenario.connector);
  field("engine", scenario.engine);
  field("path", scenario.path);
  field("octets", scenario.octets);
  field("relay", scenario.relay);
}

// ---- writing ----

ordered_json written(const LineConfig& line);
ordered_json written(const std::vector<NatSpec>& nats);
ordered_json written(const SiteSpec& site);

struct Writer {
  ordered_json& into;
  template <typename T>
  void operator()(const char* name, const T& value) const {
    into[name] = written(value);
  }
};

ordered_json written(const LineConfig& line) {
  ordered_json made;
  each_line_member(line, Writer{made});
  return made;
}
ordered_json written(const std::vector<NatSpec>& nats) {
  auto made = ordered_json::array();
  for (const NatSpec& nat : nats) each_nat_member(nat, Writer{made.emplace_back()});
  return made;
}
ordered_json written(const SiteSpec& site) {
  ordered_json made;
  each_site_member(site, Writer{made});
  return made;
}

// ---- reading ----

/// Finds the members of one object, and those that nobody asks for.
class Reader {
 public:
  Reader(std::string name, const ordered_json& from) : name_(std::move(name)), from_(from) {
    if (!from.is_object()) throw std::invalid_argument(name_ + " is not an object");
  }
  template <typename T>
  void operator()(const char* name, T& into) const;
  void finish() const {
    for (const auto& item : from_.items()) {
      if (!known_.contains(item.key())) {
        throw std::invalid_argument(fmt::format("{} has no {}", name_, item.key()));
      }
    }
  }

 private:
  std::string name_;
  const ordered_json& from_;
  mutable std::set<std::string> known_;
};

void take(const std::string& name, const ordered_json& value, LineConfig& into) {
  const Reader reader(name, value);
  each_line_member(into, reader);
  reader.finish();
}
void take(const std::string& name, const ordered_json& value, std::vector<NatSpec>& into) {
  constexpr std::size_t kMost = 2;  // as many as there are addresses for
  if (!value.is_array() || value.size() > kMost) refuse(name, value);
  for (const auto& one : value) {
    const Reader reader(name, one);
    each_nat_member(into.emplace_back(), reader);
    reader.finish();
  }
}
void take(const std::string& name, const ordered_json& value, SiteSpec& into) {
  const Reader reader(name, value);
  each_site_member(into, reader);
  reader.finish();
}
void take(const std::string& name, const ordered_json& value, std::string& into) {
  if (!value.is_string() || value.get_ref<const std::string&>().empty()) refuse(name, value);
  into = value.get<std::string>();
}
void take(const std::string& name, const ordered_json& value, std::vector<Outcome>& into) {
  if (!value.is_array()) refuse(name, value);
  for (const auto& one : value) {
    if (!one.is_string()) refuse(name, one);
    const auto& word = one.get_ref<const std::string&>();
    const auto* found = std::ranges::find(kOutcomes, word, &to_string);
    if (found == kOutcomes.end()) refuse(name, one);
    into.push_back(*found);
  }
}

template <typename T>
void Reader::operator()(const char* name, T& into) const {
  known_.insert(name);
  const auto found = from_.find(name);
  if (found != from_.end()) take(fmt::format("{} of {}", name, name_), *found, into);
}

Scenario read_scenario(const ordered_json& from) {
  Scenario made;
  made.expected.clear();
  const Reader reader("a scenario", from);
  reader("name", made.name);
  if (made.name.empty()) throw std::invalid_argument("a scenario has no name");
  each_network_member(made, reader);
  reader("expected", made.expected);
  reader("bound_ms", made.bound);
  reader.finish();
  return made;
}

}  // namespace

ordered_json network_json(const Scenario& scenario) {
  ordered_json made;
  each_network_member(scenario, Writer{made});
  return made;
}

std::vector<Scenario> read_scenarios(std::string_view text) {
  const auto whole = ordered_json::parse(text, nullptr, false);
  if (!whole.is_array()) throw std::invalid_argument("scenarios are an array in JSON");
  std::vector<Scenario> all;
  std::set<std::string> names;
  for (const auto& one : whole) {
    all.push_back(read_scenario(one));
    if (!names.insert(all.back().name).second) {
      throw std::invalid_argument("two scenarios have the name " + all.back().name);
    }
  }
  return all;
}

}  // namespace peersock::sim
