#include "libc/descriptor.hpp"

#include <array>
#include <cerrno>
#include <utility>

#include <sys/eventfd.h>
#include <unistd.h>

#include "libc/real.hpp"
#include "libc/thread.hpp"

namespace peersock::sim {
namespace {

/// As many as a process may have by default, and more than any scenario needs.
constexpr std::size_t kMostNumbers = 4096;

// Never destroyed: libraries close descriptors after main has returned.
struct Table {
  std::array<std::shared_ptr<Descriptor>, kMostNumbers> entries;
  std::size_t used = 0;
};

Table& table() {
  static auto* const all = new Table;
  return *all;
}

bool in_range(int number) {
  return number >= 0 && static_cast<std::size_t>(number) < kMostNumbers;
}

}  // namespace

int give_number(std::shared_ptr<Descriptor> descriptor, bool close_on_exec) {
  const int number = PEERSOCK_REAL(eventfd)(0, (close_on_exec ? EFD_CLOEXEC : 0) | EFD_NONBLOCK);
  if (number < 0) return -errno;
  if (!in_range(number)) {
    PEERSOCK_REAL(close)(number);
    return -EMFILE;
  }
  table().entries[static_cast<std::size_t>(number)] = std::move(descriptor);
  ++table().used;
  return number;
}

Descriptor* find_descriptor(int number) {
  if (!in_range(number) || !in_simulation_thread()) return nullptr;
  return table().entries[static_cast<std::size_t>(number)].get();
}

std::shared_ptr<Descriptor> share_descriptor(int number) {
  if (find_descriptor(number) == nullptr) return nullptr;
  return table().entries[static_cast<std::size_t>(number)];
}

bool drop_descriptor(int number) {
  if (find_descriptor(number) == nullptr) return false;
  // The object may close others when it goes, so the table is in order before that.
  const auto last = std::exchange(table().entries[static_cast<std::size_t>(number)], nullptr);
  --table().used;
  PEERSOCK_REAL(close)(number);
  return true;
}

std::vector<std::string> list_descriptors() {
  std::vector<std::string> list;
  for (const auto& entry : table().entries) {
    if (entry) list.push_back(std::string(entry->kind()) + " of " + entry->owner());
  }
  return list;
}

std::size_t open_descriptors() {
  return table().used;
}

}  // namespace peersock::sim
