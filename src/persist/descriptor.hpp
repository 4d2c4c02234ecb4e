// SPDX-License-Identifier: Apache-2.0
#pragma once
/// Owns a file descriptor: moved, never copied, closed once. Thread safety: none.

#include <unistd.h>

#include <cerrno>
#include <utility>

namespace muster::persist {

class Descriptor {
public:
    explicit Descriptor(int number = -1) : number_(number) {}
    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() { (void)close(); }

    explicit operator bool() const { return number_ >= 0; }
    [[nodiscard]] int get() const { return number_; }
    /// 0 or errno. NFS may tell here, and nowhere before, that something was not written.
    int close() {
        const int number = std::exchange(number_, -1);
        return number >= 0 && ::close(number) != 0 ? errno : 0;
    }

private:
    int number_;
};

}  // namespace muster::persist
