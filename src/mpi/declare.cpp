// SPDX-License-Identifier: Apache-2.0
#include "mpi/declare.hpp"

#include <dlfcn.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace muster::mpi {
namespace {

// Of pmix_common.h, whose values and layouts are PMIx's ABI. The header is not in Open MPI's packages.
constexpr int kTerminatedWithoutSync = -200;  // PMIX_ERR_PROC_TERM_WO_SYNC: what Open MPI takes for a death.
constexpr std::uint8_t kThisProcessOnly = 7;  // PMIX_RANGE_PROC_LOCAL
constexpr std::uint16_t kProcess = 22;        // PMIX_PROC
constexpr char kAffected[] = "pmix.evproc";   // PMIX_EVENT_AFFECTED_PROC
constexpr std::size_t kNamespaceMax = 255;
constexpr std::size_t kInfoMax = 2'048;  // A pmix_info_t has 552 bytes.

struct Process {
    std::array<char, kNamespaceMax + 1> name_space{};
    std::uint32_t rank = 0;
};

using LoadInfo = int (*)(void* info, const char* key, const void* data, std::uint16_t type);
using Notify = int (*)(int status, const Process* source, std::uint8_t range, void* info, std::size_t count,
                       void* callback, void* context);

struct Pmix {
    LoadInfo load = reinterpret_cast<LoadInfo>(::dlsym(RTLD_DEFAULT, "PMIx_Info_load"));
    Notify notify = reinterpret_cast<Notify>(::dlsym(RTLD_DEFAULT, "PMIx_Notify_event"));
    const char* name_space = std::getenv("PMIX_NAMESPACE");
    const char* rank = std::getenv("PMIX_RANK");
    [[nodiscard]] bool there() const {
        return load != nullptr && notify != nullptr && name_space != nullptr && rank != nullptr &&
               std::strlen(name_space) <= kNamespaceMax;
    }
};

const Pmix& pmix() {
    static const Pmix found;
    return found;
}

}  // namespace

bool can_declare_failed() { return pmix().there(); }

bool declare_failed(Rank rank) {
    const Pmix& pmix = mpi::pmix();
    if (!pmix.there()) return false;
    Process self{.rank = static_cast<std::uint32_t>(std::strtoul(pmix.rank, nullptr, 10))};
    std::strncpy(self.name_space.data(), pmix.name_space, kNamespaceMax);
    Process dead = self;
    dead.rank = rank.value;
    alignas(std::max_align_t) std::array<std::byte, kInfoMax> info{};
    pmix.load(info.data(), kAffected, &dead, kProcess);
    constexpr int kSucceeded = 0, kDoneAlready = -157;  // PMIX_SUCCESS, PMIX_OPERATION_SUCCEEDED
    const int code = pmix.notify(kTerminatedWithoutSync, &self, kThisProcessOnly, info.data(), 1, nullptr, nullptr);
    return code == kSucceeded || code == kDoneAlready;
}

}  // namespace muster::mpi
