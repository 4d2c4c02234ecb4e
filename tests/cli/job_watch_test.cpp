// SPDX-License-Identifier: Apache-2.0
#include "launch/job_watch.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

namespace muster::launch {
namespace {

using namespace std::chrono_literals;

/// A member's pulse, without the member.
class FakePulse {
public:
    FakePulse(int port, int rank, const std::string& node) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(static_cast<std::uint16_t>(port));
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
        say({{"hello", "secret"}, {"rank", rank}, {"pulse", true}, {"node", node}});
    }
    void say(const nlohmann::json& event) const {
        const auto line = event.dump() + "\n";
        EXPECT_EQ(::send(socket_.get(), line.data(), line.size(), MSG_NOSIGNAL), static_cast<ssize_t>(line.size()));
    }
    /// All that has come until `text` did, within 5 s.
    [[nodiscard]] bool hears(const std::string& text) {
        const auto until = JobWatch::Clock::now() + 5s;
        while (heard_.find(text) == std::string::npos && JobWatch::Clock::now() < until) {
            pollfd wait{socket_.get(), POLLIN, 0};
            char buffer[512];
            if (::poll(&wait, 1, 100) != 1) continue;
            const auto count = ::recv(socket_.get(), buffer, sizeof buffer, 0);
            if (count <= 0) return false;
            heard_.append(buffer, static_cast<std::size_t>(count));
        }
        return heard_.find(text) != std::string::npos;
    }
    void die() { socket_.close(); }

private:
    Descriptor socket_;
    std::string heard_;
};

struct Job : ::testing::Test {
    Watching watching() {
        return {.interval = 20ms,
                .window = 10s,
                .lease = 400ms,
                .node_loss_is_fatal = fatal,
                .node_answers = [this](const std::string& node) {
                    asked = node;
                    return answers;
                }};
    }
    /// Looks until it is lost, or for that long.
    bool lost(JobWatch& watch, std::chrono::milliseconds limit) {
        const auto until = JobWatch::Clock::now() + limit;
        while (JobWatch::Clock::now() < until) {
            std::vector<pollfd> waits;
            server.append_to(waits);
            (void)::poll(waits.data(), waits.size(), 5);
            server.handle([](int, const nlohmann::json&) {});
            if (watch.finds_loss(false)) return true;
        }
        return false;
    }
    LinkServer server = std::move(*LinkServer::open("secret"));
    bool fatal = true, answers = false;
    std::string asked;
};

TEST_F(Job, IsLostWithItsLastLink) {
    JobWatch watch(watching(), server);
    FakePulse one(server.port(), 0, "n0"), other(server.port(), 1, "n0");
    other.say({{"event", "beat"}, {"step", 41}});
    EXPECT_FALSE(lost(watch, 60ms));
    one.die();
    EXPECT_FALSE(lost(watch, 60ms)) << "the other one goes on";
    other.die();
    EXPECT_TRUE(lost(watch, 5s));
    EXPECT_EQ(watch.loss()->how, "every member's link has closed");
    EXPECT_EQ(watch.loss()->step, 41U);
    EXPECT_FALSE(watch.may_live());
}

TEST_F(Job, IsLostWithANodeThatDoesNotAnswer) {
    JobWatch watch(watching(), server);
    FakePulse one(server.port(), 0, "n0"), other(server.port(), 1, "n1");
    EXPECT_FALSE(lost(watch, 60ms));
    other.die();
    EXPECT_TRUE(lost(watch, 5s));
    EXPECT_EQ(watch.loss()->how, "node n1 does not answer");
    EXPECT_EQ(watch.loss()->nodes, std::set<std::string>{"n1"});
    EXPECT_TRUE(watch.may_live()) << "rank 0 has a lease";
    one.die();
    (void)lost(watch, 60ms);
    EXPECT_FALSE(watch.may_live());
}

TEST_F(Job, GoesOnWhereTheNodeAnswers) {
    answers = true;
    JobWatch watch(watching(), server);
    FakePulse one(server.port(), 0, "n0"), other(server.port(), 1, "n1");
    EXPECT_FALSE(lost(watch, 60ms));
    other.die();
    EXPECT_FALSE(lost(watch, 200ms)) << "a process died: the job repairs that itself";
    EXPECT_EQ(asked, "n1");
}

TEST_F(Job, IsNotAskedForWhereTheLauncherSurvivesANode) {
    fatal = false;
    JobWatch watch(watching(), server);
    FakePulse one(server.port(), 0, "n0"), other(server.port(), 1, "n1");
    EXPECT_FALSE(lost(watch, 60ms));
    other.die();
    EXPECT_FALSE(lost(watch, 200ms));
    EXPECT_EQ(asked, "");
}

TEST_F(Job, WhoeverCannotBeReachedHasALease) {
    JobWatch watch(watching(), server);
    FakePulse one(server.port(), 0, "n0");
    EXPECT_FALSE(lost(watch, 60ms));
    EXPECT_TRUE(one.hears("none")) << "beats keep it";
    const auto begin = JobWatch::Clock::now();
    watch.lost_by_launcher("mpirun ended with 0");
    EXPECT_TRUE(watch.may_live());
    while (watch.may_live()) usleep(1000);
    EXPECT_GE(JobWatch::Clock::now() - begin, 400ms);
}

TEST_F(Job, IsAskedToSuspendAndThenToEnd) {
    JobWatch watch(watching(), server);
    EXPECT_FALSE(watch.wind_down(ExitCode::requeue_wanted, "time is over")) << "nobody listens";
    FakePulse other(server.port(), 4, "n0"), one(server.port(), 3, "n0");
    EXPECT_FALSE(lost(watch, 60ms));
    EXPECT_TRUE(watch.wind_down(ExitCode::requeue_wanted, "time is over"));
    watch.push_wind_down("");
    EXPECT_TRUE(one.hears(R"("order":"suspend")")) << "the lowest rank";
    one.die();
    EXPECT_FALSE(lost(watch, 1100ms));
    watch.push_wind_down("SUSPENDED");
    EXPECT_TRUE(other.hears(R"({"code":11,"order":"end","reason":"time is over"})")) << "whoever is the lowest then";
}

}  // namespace
}  // namespace muster::launch
