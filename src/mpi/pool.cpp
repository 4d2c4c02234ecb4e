// SPDX-License-Identifier: Apache-2.0
#include "mpi/pool.hpp"

#include <sched.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "core/assert.hpp"
#include "mpi/fault.hpp"
#include "mpi/ulfm.hpp"

namespace muster::mpi {
namespace {

constexpr int kTag = 1;
/// What fits goes along with a broadcast's size: one call less for nearly every plan.
constexpr std::size_t kWithSize = 2040;

std::vector<core::Bytes> cut(const core::Bytes& all, std::size_t size) {
    std::vector<core::Bytes> parts;
    for (std::size_t at = 0; at + size <= all.size(); at += size)
        parts.emplace_back(all.begin() + static_cast<std::ptrdiff_t>(at),
                           all.begin() + static_cast<std::ptrdiff_t>(at + size));
    return parts;
}

}  // namespace

Result<std::vector<core::Bytes>> gather(const Communicator& pool, int root, const core::Bytes& mine) {
    const bool is_root = pool.index() == root;
    core::Bytes all(is_root ? mine.size() * static_cast<std::size_t>(pool.size()) : 0);
    const int count = static_cast<int>(mine.size());
    const int code = MPI_Gather(mine.data(), count, MPI_BYTE, all.data(), count, MPI_BYTE, root, pool.get());
    if (code != MPI_SUCCESS) return fault_of(code, "gather");
    return cut(all, mine.size());
}

Result<std::vector<core::Bytes>> all_gather(const Communicator& pool, const core::Bytes& mine) {
    core::Bytes all(mine.size() * static_cast<std::size_t>(pool.size()));
    const int count = static_cast<int>(mine.size());
    const int code = MPI_Allgather(mine.data(), count, MPI_BYTE, all.data(), count, MPI_BYTE, pool.get());
    if (code != MPI_SUCCESS) return fault_of(code, "allgather");
    return cut(all, mine.size());
}

Result<core::Bytes> broadcast(const Communicator& pool, int root, core::Bytes bytes) {
    std::uint64_t size = bytes.size();
    std::array<std::byte, sizeof size + kWithSize> first{};
    std::memcpy(first.data(), &size, sizeof size);
    std::copy_n(bytes.begin(), std::min(bytes.size(), kWithSize), first.begin() + sizeof size);
    int code = MPI_Bcast(first.data(), static_cast<int>(first.size()), MPI_BYTE, root, pool.get());
    if (code != MPI_SUCCESS) return fault_of(code, "broadcast");
    std::memcpy(&size, first.data(), sizeof size);
    bytes.resize(size);
    const auto here = std::min<std::size_t>(size, kWithSize);
    std::copy_n(first.begin() + sizeof size, here, bytes.begin());
    if (here == size) return bytes;
    code = MPI_Bcast(bytes.data() + here, static_cast<int>(size - here), MPI_BYTE, root, pool.get());
    if (code != MPI_SUCCESS) return fault_of(code, "broadcast");
    return bytes;
}

bool agree(const Communicator& pool, bool yes) {
    int flag = yes ? 1 : 0;
    // The code is agreed on too: a member that died unseen makes it fail everywhere.
    return MPIX_Comm_agree(pool.get(), &flag) == MPI_SUCCESS && flag == 1;
}

void farewell(const Communicator& pool, std::chrono::milliseconds limit) {
    const auto until = std::chrono::steady_clock::now() + limit;
    MPI_Request request = MPI_REQUEST_NULL;
    if (MPI_Ibarrier(pool.get(), &request) != MPI_SUCCESS) return;
    for (int done = 0; done == 0 && std::chrono::steady_clock::now() < until; sched_yield())
        if (MPI_Test(&request, &done, MPI_STATUS_IGNORE) != MPI_SUCCESS) return;
}

Result<Done> Post::send(const Communicator& pool, int place, core::Bytes message) {
    auto& letter = under_way_.emplace_back(Letter{std::move(message)});
    const int code = MPI_Isend(letter.bytes.data(), static_cast<int>(letter.bytes.size()), MPI_BYTE, place, kTag,
                               pool.get(), &letter.request);
    if (code != MPI_SUCCESS) {
        under_way_.pop_back();
        return fault_of(code, "send");
    }
    return progress();
}

Result<Done> Post::progress() {
    const auto sent = [](Letter& letter, int& code) {
        int done = 0;
        code = MPI_Test(&letter.request, &done, MPI_STATUS_IGNORE);
        return done != 0 || code != MPI_SUCCESS;
    };
    int code = MPI_SUCCESS, worst = MPI_SUCCESS;
    for (auto* letters : {&under_way_, &abandoned_})
        std::erase_if(*letters, [&](Letter& letter) {
            const bool gone = sent(letter, code);
            if (code != MPI_SUCCESS && letters == &under_way_) worst = code;
            return gone;
        });
    return outcome(worst, "send");
}

Post::~Post() {
    abandon();
    if (abandoned_.empty()) return;
    auto* kept = new std::list<Letter>(std::move(abandoned_));  // MPI reads from there; the process ends soon.
    static_cast<void>(kept);
}

void Post::abandon() { abandoned_.splice(abandoned_.end(), under_way_); }

Result<std::optional<Received>> try_receive(const Communicator& pool) {
    int here = 0;
    MPI_Message message = MPI_MESSAGE_NULL;
    MPI_Status status;
    int code = MPI_Improbe(MPI_ANY_SOURCE, kTag, pool.get(), &here, &message, &status);
    if (code != MPI_SUCCESS) return fault_of(code, "probe");
    if (here == 0) return std::optional<Received>();
    int count = 0;
    MPI_Get_count(&status, MPI_BYTE, &count);
    Received received{status.MPI_SOURCE, core::Bytes(static_cast<std::size_t>(count))};
    code = MPI_Mrecv(received.message.data(), count, MPI_BYTE, &message, MPI_STATUS_IGNORE);
    if (code != MPI_SUCCESS) return fault_of(code, "receive");
    return std::optional<Received>(std::move(received));
}

bool broken(const Communicator& pool) {
    int revoked = 0;
    MPIX_Comm_is_revoked(pool.get(), &revoked);
    return revoked != 0 || broken_by_death(pool);
}

bool broken_by_death(const Communicator& pool) {
    MPI_Group failed = MPI_GROUP_NULL;
    if (MPIX_Comm_get_failed(pool.get(), &failed) != MPI_SUCCESS) return true;
    int count = 0;
    MPI_Group_size(failed, &count);
    if (failed != MPI_GROUP_EMPTY) MPI_Group_free(&failed);
    return count > 0;
}

void progress() {
    int here = 0;
    MPI_Iprobe(0, kTag, MPI_COMM_SELF, &here, MPI_STATUS_IGNORE);
}

}  // namespace muster::mpi
