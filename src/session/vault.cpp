// SPDX-License-Identifier: Apache-2.0
#include "muster/vault.hpp"

#include <mpi.h>

#include <cstring>
#include <limits>
#include <map>

#include "core/assert.hpp"
#include "core/vault_plan.hpp"
#include "session/impl.hpp"

namespace muster {
namespace {

using core::Bytes;
constexpr int kTag = 1;

/// Items as bytes: number, size, contents, one after the other.
void append(Bytes& out, std::uint32_t item, const Bytes& bytes) {
    core::Writer head;
    head.u32(item);
    head.u64(bytes.size());
    const auto header = head.take();
    out.insert(out.end(), header.begin(), header.end());
    out.insert(out.end(), bytes.begin(), bytes.end());
}

constexpr std::size_t kHeader = 12;

/// Running sums: where each part begins; the last is the total.
std::vector<int> offsets(const std::vector<int>& sizes) {
    std::vector<int> result(sizes.size() + 1);
    for (std::size_t i = 0; i < sizes.size(); ++i) result[i + 1] = result[i] + sizes[i];
    return result;
}

/// Sends out[slot] to each slot and returns what came from all, one after the other.
Result<Bytes> exchange(const std::vector<Bytes>& out, MPI_Comm comm, Session::Impl& impl) {
    std::vector<int> out_sizes(out.size()), in_sizes(out.size());
    Bytes packed;
    for (std::size_t s = 0; s < out.size(); ++s) {
        packed.insert(packed.end(), out[s].begin(), out[s].end());
        if (packed.size() > std::numeric_limits<int>::max())
            return Error{Fault::refused, "one slot has to send over 2 GiB: deal the items over more slots"};
        out_sizes[s] = static_cast<int>(out[s].size());
    }
    int code = MPI_Alltoall(out_sizes.data(), 1, MPI_INT, in_sizes.data(), 1, MPI_INT, comm);
    if (code != MPI_SUCCESS) return impl.lost(code, "vault: sizes");
    const auto out_at = offsets(out_sizes), in_at = offsets(in_sizes);
    Bytes in(static_cast<std::size_t>(in_at.back()));
    code = MPI_Alltoallv(packed.data(), out_sizes.data(), out_at.data(), MPI_BYTE, in.data(), in_sizes.data(),
                         in_at.data(), MPI_BYTE, comm);
    if (code != MPI_SUCCESS) return impl.lost(code, "vault: items");
    return in;
}

}  // namespace

struct Vault::Store {
    std::map<Step, std::map<std::uint32_t, Bytes>> steps;

    [[nodiscard]] const Bytes* find(Step step, std::uint32_t item) const {
        const auto generation = steps.find(step);
        if (generation == steps.end()) return nullptr;
        const auto found = generation->second.find(item);
        return found == generation->second.end() ? nullptr : &found->second;
    }

    Result<Done> unpack(const Bytes& bytes, Step step, std::uint32_t items) {
        for (std::size_t at = 0; at < bytes.size();) {
            core::Reader head(std::span<const std::byte>(bytes).subspan(at));
            const std::uint32_t item = head.u32();
            const std::uint64_t size = head.u64();
            if (!head.ok() || item >= items || size > bytes.size() - at - kHeader)
                return Error{Fault::internal, "a copy of vault items arrived damaged"};
            const auto first = bytes.begin() + static_cast<std::ptrdiff_t>(at + kHeader);
            steps[step][item].assign(first, first + static_cast<std::ptrdiff_t>(size));
            at += kHeader + size;
        }
        return Done{};
    }

    /// What no rebuild can ask for any more.
    void forget_before(const std::optional<Step>& committed) {
        if (committed) steps.erase(steps.begin(), steps.lower_bound(*committed));
    }
};

Vault::Vault(Session& session, std::uint32_t items)
    : session_(session), items_(items), store_(std::make_unique<Store>()) {
    MUSTER_ASSERT(items > 0);
}

Vault::~Vault() = default;

ItemRange Vault::mine() const {
    const World& world = session_.world();
    if (!world.slot) return {};
    return items_of(*world.slot, world.size(), items_);
}

void Vault::put(std::uint32_t item, Step step, std::span<const std::byte> bytes) {
    MUSTER_ASSERT(item < items_);
    store_->forget_before(session_.impl().mailbox.ledger.committed());
    store_->steps[step][item].assign(bytes.begin(), bytes.end());
}

std::span<const std::byte> Vault::get(std::uint32_t item, Step step) const {
    const Bytes* bytes = store_->find(step, item);
    return bytes != nullptr ? std::span<const std::byte>(*bytes) : std::span<const std::byte>();
}

std::size_t Vault::bytes_held() const {
    std::size_t total = 0;
    for (const auto& [step, items] : store_->steps)
        for (const auto& [item, bytes] : items) total += bytes.size();
    return total;
}

Result<Done> Vault::replicate(Step step) {
    auto& impl = session_.impl();
    const auto comm = impl.ours();
    if (!comm) return comm.error();
    const World& world = session_.world();
    const Slot partner = world.partner[world.slot->value];
    const Slot ward = world.ward[world.slot->value];
    if (partner == *world.slot) return Done{};
    Bytes out, in;
    const ItemRange own = mine();
    for (std::uint32_t item = own.first; item < own.last; ++item) {
        const Bytes* bytes = store_->find(step, item);
        if (bytes == nullptr)
            return Error{Fault::refused,
                         "item " + std::to_string(item) + " was not put for step " + std::to_string(step.value)};
        append(out, item, *bytes);
    }
    if (out.size() > std::numeric_limits<int>::max())
        return Error{Fault::refused, "one slot's items are over 2 GiB: deal them over more slots"};
    const agent::Watch watch(impl.watchdog, agent::Watchdog::engine_lane, "a partner to exchange vault copies",
                             impl.config.commit_deadline_ms);
    std::uint64_t out_size = out.size(), in_size = 0;
    const int to = static_cast<int>(partner.value), from = static_cast<int>(ward.value);
    int code = MPI_Sendrecv(&out_size, 1, MPI_UINT64_T, to, kTag, &in_size, 1, MPI_UINT64_T, from, kTag, *comm,
                            MPI_STATUS_IGNORE);
    if (code != MPI_SUCCESS) return impl.lost(code, "vault: sizes");
    in.resize(in_size);
    code = MPI_Sendrecv(out.data(), static_cast<int>(out_size), MPI_BYTE, to, kTag, in.data(),
                        static_cast<int>(in_size), MPI_BYTE, from, kTag, *comm, MPI_STATUS_IGNORE);
    if (code != MPI_SUCCESS) return impl.lost(code, "vault: copies");
    return store_->unpack(in, step, items_);
}

Result<Done> Vault::restore() {
    auto& impl = session_.impl();
    const auto comm = impl.ours();
    if (!comm) return comm.error();
    const World& world = session_.world();
    if (!world.step) return Done{};
    const Step step = *world.step;
    store_->steps.erase(store_->steps.upper_bound(step), store_->steps.end());  // Attempts that came to nothing.

    const agent::Watch watch(impl.watchdog, agent::Watchdog::engine_lane, "all engines to restore the vault",
                             impl.config.commit_deadline_ms);
    std::vector<std::uint8_t> held(items_), all(std::size_t{items_} * world.size());
    for (std::uint32_t item = 0; item < items_; ++item) held[item] = store_->find(step, item) != nullptr ? 1 : 0;
    int code = MPI_Allgather(held.data(), static_cast<int>(items_), MPI_UINT8_T, all.data(), static_cast<int>(items_),
                             MPI_UINT8_T, *comm);
    if (code != MPI_SUCCESS) return impl.lost(code, "vault: inventory");
    std::vector<std::vector<bool>> holds(world.size());
    for (std::uint32_t s = 0; s < world.size(); ++s)
        holds[s].assign(all.begin() + std::ptrdiff_t{items_} * s, all.begin() + std::ptrdiff_t{items_} * (s + 1));
    const auto plan = core::deal(holds, world.partner, items_);
    if (plan.lost)
        return Error{Fault::state_lost, "item " + std::to_string(*plan.lost) + " of step " +
                                            std::to_string(step.value) +
                                            " is gone: its owner and the partner with its copy were both lost"};

    std::vector<Bytes> out(world.size());
    for (const auto& move : plan.moves)
        if (move.from == *world.slot) append(out[move.to.value], move.item, *store_->find(step, move.item));
    auto in = exchange(out, *comm, impl);
    if (!in) return in.error();
    return store_->unpack(*in, step, items_);
}

}  // namespace muster
