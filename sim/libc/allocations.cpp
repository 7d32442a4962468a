#include "libc/allocations.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <unordered_map>
#include <utility>

#include <cxxabi.h>
#include <dlfcn.h>
#include <execinfo.h>
#include <glib.h>
#include <malloc.h>

// glibc's, under the names that it keeps for those who replace them.
// NOLINTBEGIN(bugprone-reserved-identifier)
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* block, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
void __libc_free(void* block);
}
// NOLINTEND(bugprone-reserved-identifier)

namespace peersock::sim {
namespace {

std::atomic<std::int64_t> in_use{0};

/// For what is not to be counted.
template <typename T>
struct Uncounted {
  using value_type = T;
  Uncounted() = default;
  template <typename U>
  explicit Uncounted(const Uncounted<U>& /*other*/) {}
  T* allocate(std::size_t count) {
    void* block = __libc_malloc(count * sizeof(T));  // NOLINT(bugprone-sizeof-expression)
    if (block == nullptr) throw std::bad_alloc();
    return static_cast<T*>(block);
  }
  void deallocate(T* block, std::size_t /*count*/) { __libc_free(block); }
  bool operator==(const Uncounted& /*other*/) const { return true; }
};

constexpr int kCallers = 24;
using Callers = std::array<void*, kCallers>;

struct Record {
  std::uint64_t number = 0;
  std::size_t octets = 0;
  Callers callers{};
};

/// Of the blocks that are in use.
struct Records {
  std::mutex mutex;
  std::uint64_t next = 0;
  std::unordered_map<void*, Record, std::hash<void*>, std::equal_to<>,
                     Uncounted<std::pair<void* const, Record>>>
      blocks;
};

std::atomic<Records*> records{nullptr};
/// What the search for callers allocates is not remembered itself.
thread_local bool searching = false;

void remember(Records& all, void* block, std::size_t octets) {
  if (std::exchange(searching, true)) return;
  Record record{0, octets, {}};
  (void)backtrace(record.callers.data(), kCallers);
  {
    const std::lock_guard lock(all.mutex);
    record.number = all.next++;
    all.blocks[block] = record;
  }
  searching = false;
}

void* came(void* block) {
  if (block == nullptr) return nullptr;
  const std::size_t octets = malloc_usable_size(block);
  in_use.fetch_add(static_cast<std::int64_t>(octets), std::memory_order_relaxed);
  if (Records* all = records.load(std::memory_order_acquire)) remember(*all, block, octets);
  return block;
}

void goes(void* block) {
  if (block == nullptr) return;
  in_use.fetch_sub(static_cast<std::int64_t>(malloc_usable_size(block)), std::memory_order_relaxed);
  Records* all = records.load(std::memory_order_acquire);
  if (all == nullptr || searching) return;
  const std::lock_guard lock(all->mutex);
  all->blocks.erase(block);
}

std::string described(void* address) {
  Dl_info info{};
  if (dladdr(address, &info) == 0) return "?";
  const auto offset = static_cast<char*>(address) - static_cast<char*>(info.dli_fbase);
  std::array<char, 32> text{};
  (void)std::snprintf(text.data(), text.size(), " 0x%tx", offset);
  std::string line = std::string(info.dli_fname) + text.data();
  if (info.dli_sname == nullptr) return line;
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> plain(
      abi::__cxa_demangle(info.dli_sname, nullptr, nullptr, &status), &std::free);
  return line + " " + (plain ? plain.get() : info.dli_sname);
}

// GLib keeps small blocks that were freed for later ones. It can be told not to only before it
// allocates the first, and it does so before `main`. (Newer releases have no such store.)
void keep_no_slices(int /*argc*/, char** /*argv*/, char** /*environment*/) {
  G_GNUC_BEGIN_IGNORE_DEPRECATIONS
  g_slice_set_config(G_SLICE_CONFIG_ALWAYS_MALLOC, 1);
  G_GNUC_END_IGNORE_DEPRECATIONS
}
__attribute__((section(".preinit_array"),
               used)) void (*const before_libraries)(int, char**, char**) = &keep_no_slices;

}  // namespace

std::int64_t allocated_octets() {
  return in_use.load(std::memory_order_relaxed);
}

void remember_blocks() {
  if (remembers_blocks()) return;
  records.store(new Records, std::memory_order_release);
}

bool remembers_blocks() {
  return records.load(std::memory_order_acquire) != nullptr;
}

std::uint64_t next_block() {
  Records* all = records.load(std::memory_order_acquire);
  if (all == nullptr) return 0;
  const std::lock_guard lock(all->mutex);
  return all->next;
}

void print_blocks(std::uint64_t first, std::uint64_t end, std::FILE* to) {
  struct Sum {
    std::size_t blocks = 0;
    std::size_t octets = 0;
  };
  std::map<Callers, Sum, std::less<>, Uncounted<std::pair<const Callers, Sum>>> sums;
  if (Records* all = records.load(std::memory_order_acquire)) {
    const std::lock_guard lock(all->mutex);
    for (const auto& [block, record] : all->blocks) {
      if (record.number < first || record.number >= end) continue;
      Sum& sum = sums[record.callers];
      ++sum.blocks;
      sum.octets += record.octets;
    }
  }
  for (const auto& [callers, sum] : sums) {
    (void)std::fprintf(to, "%zu octets in %zu blocks, allocated by\n", sum.octets, sum.blocks);
    for (void* caller : callers) {
      if (caller != nullptr) (void)std::fprintf(to, "    %s\n", described(caller).c_str());
    }
  }
}

}  // namespace peersock::sim

using namespace peersock::sim;

extern "C" {

void* malloc(std::size_t size) noexcept {
  return came(__libc_malloc(size));
}

void* calloc(std::size_t count, std::size_t size) noexcept {
  return came(__libc_calloc(count, size));
}

void* realloc(void* block, std::size_t size) noexcept {
  goes(block);
  void* const next = __libc_realloc(block, size);
  // The old one stays where it is when there is no other.
  if (next == nullptr && size > 0) (void)came(block);
  return came(next);
}

void* reallocarray(void* block, std::size_t count, std::size_t size) noexcept {
  std::size_t whole = 0;
  if (__builtin_mul_overflow(count, size, &whole)) {
    errno = ENOMEM;
    return nullptr;
  }
  return realloc(block, whole);
}

void free(void* block) noexcept {
  goes(block);
  __libc_free(block);
}

void* memalign(std::size_t alignment, std::size_t size) noexcept {
  return came(__libc_memalign(alignment, size));
}

void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  return memalign(alignment, size);
}

int posix_memalign(void** out, std::size_t alignment, std::size_t size) noexcept {
  const bool power = alignment != 0 && (alignment & (alignment - 1)) == 0;
  if (!power || alignment % sizeof(void*) != 0) return EINVAL;
  void* const block = memalign(alignment, size);
  if (block == nullptr) return ENOMEM;
  *out = block;
  return 0;
}

}  // extern "C"
