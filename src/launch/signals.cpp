// SPDX-License-Identifier: Apache-2.0
#include "launch/signals.hpp"

#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace muster::launch {

SignalBox::SignalBox() {
    sigset_t wanted;
    sigemptyset(&wanted);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD}) {
        sigaddset(&wanted, signal);
        struct sigaction now {};
        sigaction(signal, nullptr, &now);
        if (now.sa_handler != SIG_IGN || signal == SIGHUP) continue;
        now.sa_handler = SIG_DFL;  // an ignored signal would never reach the descriptor (shells ignore INT for `&`)
        sigaction(signal, &now, nullptr);
    }
    pthread_sigmask(SIG_BLOCK, &wanted, &before_);
    descriptor_ = Descriptor(signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
}

SignalBox::~SignalBox() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

std::vector<int> SignalBox::take() {
    std::vector<int> signals;
    signalfd_siginfo info{};
    while (read(descriptor_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info))
        signals.push_back(static_cast<int>(info.ssi_signo));
    return signals;
}

}  // namespace muster::launch
