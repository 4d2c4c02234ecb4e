// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A rendezvous state in the job's registry: on the coordinator, copied to its followers, reached by messages.
/// Intuition: what persist::FileBackend is where there is no MPI. It outlives rounds and coordinators; during a
/// recovery a call waits. Errors: Failure::connection where the coordinator is not heard from within the deadline, the
/// registry is full, or the session is over; each names the key. Thread safety: all calls from any thread.
/// Source: acceptance T4.

#include <chrono>
#include <memory>
#include <string>

#include "agent/client_desk.hpp"
#include "core/rendezvous_backend.hpp"

namespace muster {

class RegistryBackend final : public core::rendezvous::Backend {
public:
    RegistryBackend(std::shared_ptr<detail::Desk> desk, std::string key, std::chrono::milliseconds deadline)
        : desk_(std::move(desk)), key_(std::move(key)), deadline_(deadline) {}

    [[nodiscard]] const char* name() const override { return "registry"; }
    [[nodiscard]] core::rendezvous::Or<std::optional<core::rendezvous::Stored>> get() override;
    [[nodiscard]] core::rendezvous::Or<std::optional<core::rendezvous::Written>> set(
        std::span<const std::byte> state, std::optional<core::rendezvous::Token> token) override;

    /// Whatever version is there, as far as the coordinator is heard from.
    void erase();

private:
    [[nodiscard]] core::rendezvous::Failure failure(const Error& error) const;

    std::shared_ptr<detail::Desk> desk_;
    std::string key_;
    std::chrono::milliseconds deadline_;
};

}  // namespace muster
