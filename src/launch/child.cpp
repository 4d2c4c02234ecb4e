// SPDX-License-Identifier: Apache-2.0
#include "launch/child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace muster::launch {

namespace {

using Clock = std::chrono::steady_clock;

struct Pipe {
    Descriptor read, write;
};

Pipe make_pipe() {
    std::array<int, 2> ends{-1, -1};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) return {};
    return {.read = Descriptor(ends[0]), .write = Descriptor(ends[1])};
}

std::vector<char*> pointers(std::vector<std::string>& words) {
    std::vector<char*> list;
    for (auto& word : words) list.push_back(word.data());
    list.push_back(nullptr);
    return list;
}

std::vector<std::string> merged_environment(const std::map<std::string, std::string>& more) {
    std::vector<std::string> all;
    for (char** it = environ; *it != nullptr; ++it) {
        const std::string entry = *it;
        if (!more.contains(entry.substr(0, entry.find('=')))) all.push_back(entry);
    }
    for (const auto& [key, value] : more) all.push_back(key + "=" + value);
    return all;
}

/// What the child needs, made before fork: after it only async-signal-safe calls are allowed.
struct Plan {
    std::vector<char*> command, environment;
    int output, errors, report;
    int death_signal;
    pid_t parent;
    bool replace_input;
};

[[noreturn]] void become(const Plan& plan) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, plan.death_signal);
    if (getppid() != plan.parent) _exit(127);  // the parent died before the line above
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    for (const int signal : {SIGPIPE, SIGCHLD}) {
        struct sigaction usual {};
        usual.sa_handler = SIG_DFL;
        sigaction(signal, &usual, nullptr);
    }
    if (plan.replace_input) dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
    dup2(plan.output, STDOUT_FILENO);
    dup2(plan.errors, STDERR_FILENO);
    execvpe(plan.command[0], plan.command.data(), plan.environment.data());
    const int fault = errno;
    [[maybe_unused]] const auto written = write(plan.report, &fault, sizeof fault);
    _exit(127);
}

/// So that nothing of ours is held open: neither the command's streams nor a lock that another thread had just then.
void close_all_but_stdio() {
    if (close_range(3, ~0U, 0) == 0) return;
    for (int fd = 3; fd < 65536; ++fd) close(fd);  // Linux before 5.9.
}

/// Ends as the command has.
[[noreturn]] void end_like(int wait_status) {
    if (!WIFSIGNALED(wait_status)) _exit(WEXITSTATUS(wait_status));
    const int signal = WTERMSIG(wait_status);
    struct sigaction usual {};
    usual.sa_handler = SIG_DFL;
    sigaction(signal, &usual, nullptr);
    sigset_t none;
    sigemptyset(&none);
    kill(getpid(), signal);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    _exit(128 + signal);
}

/// Stands between us and the command, with one thread: see ChildOptions::keeper. Passes signals on; of the many that
/// our death sends, one each thread, only the first.
[[noreturn]] void keep(const Plan& plan) {
    setpgid(0, 0);
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, nullptr);
    const int parent_died = SIGRTMIN;
    prctl(PR_SET_PDEATHSIG, parent_died);
    if (getppid() != plan.parent) _exit(127);
    Plan inner = plan;
    inner.parent = getpid();
    inner.death_signal = SIGKILL;  // Nothing else than a SIGKILL ends the keeper before the command.
    const pid_t command = fork();
    if (command == 0) become(inner);
    if (command < 0) {
        const int fault = errno;
        [[maybe_unused]] const auto written = write(plan.report, &fault, sizeof fault);
        _exit(127);
    }
    close_all_but_stdio();
    for (bool orphaned = false;;) {
        const int signal = sigwaitinfo(&all, nullptr);
        int status = 0;
        if (waitpid(command, &status, WNOHANG) == command) end_like(status);
        if (signal < 0 || signal == SIGCHLD) continue;
        if (signal != parent_died)
            kill(command, signal);
        else if (!std::exchange(orphaned, true))
            kill(command, plan.death_signal);
    }
}

/// Appends what is there; closes at the end of the stream.
void drain(Descriptor& from, std::string& into) {
    std::array<char, 4096> buffer{};
    const auto count = read(from.get(), buffer.data(), buffer.size());
    if (count > 0)
        into.append(buffer.data(), static_cast<std::size_t>(count));
    else if (count == 0 || errno != EINTR)
        from.close();
}

/// Reads both streams until both end; false where the limit passed first.
bool read_all(Child& child, Captured& captured, Clock::time_point limit) {
    while (child.output.open() || child.errors.open()) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(limit - Clock::now()).count();
        if (left <= 0) return false;
        std::array<pollfd, 2> waits{pollfd{child.output.get(), POLLIN, 0}, pollfd{child.errors.get(), POLLIN, 0}};
        if (poll(waits.data(), waits.size(), static_cast<int>(left)) <= 0) continue;
        if (waits[0].revents != 0) drain(child.output, captured.output);
        if (waits[1].revents != 0) drain(child.errors, captured.errors);
    }
    return true;
}

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
    if (this != &other) {
        close();
        fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
}

void Descriptor::close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

Result<Child> start(const std::vector<std::string>& command, const ChildOptions& options) {
    auto output = make_pipe();
    auto errors = make_pipe();
    auto report = make_pipe();
    if (!output.read.open() || !errors.read.open() || !report.read.open())
        return Error{Fault::internal, std::string("no pipe: ") + std::strerror(errno)};
    auto words = command;
    auto variables = merged_environment(options.environment);
    const Plan plan{.command = pointers(words),
                    .environment = pointers(variables),
                    .output = output.write.get(),
                    .errors = errors.write.get(),
                    .report = report.write.get(),
                    .death_signal = options.death_signal,
                    .parent = getpid(),
                    .replace_input = isatty(STDIN_FILENO) == 1};
    const pid_t pid = fork();
    if (pid < 0) return Error{Fault::internal, std::string("no new process: ") + std::strerror(errno)};
    if (pid == 0 && options.keeper) keep(plan);
    if (pid == 0) become(plan);
    setpgid(pid, pid);  // in both, so that it holds whoever runs first
    report.write.close();
    int fault = 0;
    if (read(report.read.get(), &fault, sizeof fault) == static_cast<ssize_t>(sizeof fault)) {
        waitpid(pid, nullptr, 0);
        return Error{Fault::bad_setup, command[0] + " cannot be started: " + std::strerror(fault)};
    }
    return Child{.pid = pid, .output = std::move(output.read), .errors = std::move(errors.read)};
}

Captured capture(const std::vector<std::string>& command, std::chrono::milliseconds limit,
                 const ChildOptions& options) {
    Captured captured;
    auto quiet = options;
    quiet.death_signal = SIGKILL;
    auto started = start(command, quiet);
    if (!started) {
        captured.errors = started.error().text;
        return captured;
    }
    captured.started = true;
    captured.timed_out = !read_all(*started, captured, Clock::now() + limit);
    if (captured.timed_out) kill(-started->pid, SIGKILL);
    int status = 0;
    while (waitpid(started->pid, &status, 0) < 0 && errno == EINTR) {
    }
    captured.status = shell_status(status);
    return captured;
}

int shell_status(int wait_status) {
    return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

}  // namespace muster::launch
