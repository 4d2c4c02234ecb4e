// SPDX-License-Identifier: Apache-2.0
/// A dark link, to order: which interfaces are marked for it (over netlink, since /sys may be another node's), and who
/// switches them on again.
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <vector>

#include "agent/node_deeds.hpp"
#include "persist/descriptor.hpp"

namespace muster::agent {
namespace {

using persist::Descriptor;

/// The interface's name, where its alias says that it may be taken down; else empty.
std::string marked_name(const nlmsghdr* header) {
    const auto* about = static_cast<const ifinfomsg*>(NLMSG_DATA(header));
    std::string name, alias;
    auto left = IFLA_PAYLOAD(header);
    for (const auto* one = IFLA_RTA(about); RTA_OK(one, left); one = RTA_NEXT(one, left)) {
        if (one->rta_type == IFLA_IFNAME) name = static_cast<const char*>(RTA_DATA(one));
        if (one->rta_type == IFLA_IFALIAS) alias = static_cast<const char*>(RTA_DATA(one));
    }
    return alias == kFaultAlias && (about->ifi_flags & IFF_LOOPBACK) == 0 ? name : "";
}

/// Of one answer. False: there is more to come.
bool take_names(const char* bytes, std::size_t size, std::vector<std::string>& names) {
    auto left = static_cast<unsigned>(size);
    for (const auto* header = reinterpret_cast<const nlmsghdr*>(bytes); NLMSG_OK(header, left);
         header = NLMSG_NEXT(header, left)) {
        if (header->nlmsg_type == NLMSG_DONE || header->nlmsg_type == NLMSG_ERROR) return true;
        if (header->nlmsg_type != RTM_NEWLINK) continue;
        if (auto name = marked_name(header); !name.empty()) names.push_back(std::move(name));
    }
    return false;
}

/// 0 or errno. Only what a forked child may call.
int switch_link(int socket, const ifreq& which, bool up) {
    ifreq request = which;
    if (::ioctl(socket, SIOCGIFFLAGS, &request) != 0) return errno;
    request.ifr_flags = static_cast<short>(up ? request.ifr_flags | IFF_UP : request.ifr_flags & ~IFF_UP);
    return ::ioctl(socket, SIOCSIFFLAGS, &request) == 0 ? 0 : errno;
}

/// A process of its own waits and switches them on again, for this one may have been told to stop by then. It holds no
/// descriptor but the socket: a dead member's sockets must close.
void switch_on_later(int socket, const std::vector<ifreq>& links, std::uint64_t after_us) {
    constexpr std::uint64_t kSecond = 1'000'000;
    timespec span{.tv_sec = static_cast<time_t>(after_us / kSecond),
                  .tv_nsec = static_cast<long>(after_us % kSecond * 1000)};
    const pid_t child = ::fork();
    if (child > 0) (void)::waitpid(child, nullptr, 0);
    if (child != 0) return;
    if (::fork() != 0) ::_exit(0);
    ::setsid();
    if (::dup2(socket, 0) < 0) ::_exit(1);
    ::close_range(1, ~0U, 0);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) ::signal(signal, SIG_IGN);
    while (::nanosleep(&span, &span) != 0 && errno == EINTR) {
    }
    for (const auto& link : links) (void)switch_link(0, link, true);
    ::_exit(0);
}

}  // namespace

std::vector<std::string> links_to_take_down() {
    struct {
        nlmsghdr header;
        ifinfomsg about;
    } question{};
    question.header = {.nlmsg_len = sizeof question,
                       .nlmsg_type = RTM_GETLINK,
                       .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
                       .nlmsg_seq = 1,
                       .nlmsg_pid = 0};
    const Descriptor socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
    std::vector<std::string> names;
    if (!socket || ::send(socket.get(), &question, sizeof question, 0) < 0) return names;
    alignas(nlmsghdr) std::array<char, 32'768> answer{};
    for (;;) {
        const auto size = ::recv(socket.get(), answer.data(), answer.size(), 0);
        if (size <= 0 || take_names(answer.data(), static_cast<std::size_t>(size), names)) return names;
    }
}

std::string take_down(const std::vector<std::string>& names, std::uint64_t for_us) {
    const Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    std::vector<ifreq> links;
    for (const auto& name : names) {
        ifreq link{};
        name.copy(link.ifr_name, IFNAMSIZ - 1);
        if (const int error = switch_link(socket.get(), link, false); error != 0)
            return name + " could not be taken down: " + std::strerror(error) +
                   (error == EPERM ? " (it needs CAP_NET_ADMIN in this network)" : "");
        links.push_back(link);
    }
    if (for_us > 0) switch_on_later(socket.get(), links, for_us);
    return "";
}

}  // namespace muster::agent
