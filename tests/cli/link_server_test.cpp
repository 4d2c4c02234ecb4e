// SPDX-License-Identifier: Apache-2.0
#include "launch/link_server.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

namespace muster::launch {
namespace {

/// A member without MPI.
class Client {
public:
    explicit Client(int port) : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(static_cast<std::uint16_t>(port));
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    }
    void send(const std::string& text) const {
        EXPECT_EQ(::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
    }
    void hang_up() { socket_.close(); }

private:
    Descriptor socket_;
};

class Link : public testing::Test {
protected:
    /// Lets the server read for a while; returns "rank:event" of all that came.
    std::string heard() {
        std::string text;
        for (int quiet = 0; quiet < 2;) {
            std::vector<pollfd> waits;
            server.append_to(waits);
            if (poll(waits.data(), waits.size(), 20) == 0) ++quiet;
            server.handle([&](int rank, const nlohmann::json& event) {
                if (!text.empty()) text.append(" ");
                text.append(std::to_string(rank)).append(":").append(event.value("event", "?"));
            });
        }
        return text;
    }
    LinkServer server = std::move(*LinkServer::open("secret"));
};

TEST_F(Link, EventsOfAMemberComeInOrder) {
    const Client client(server.port());
    client.send("{\"hello\":\"secret\",\"rank\":3}\n{\"event\":\"a\"}\n{\"event\":\"b\"}\n{\"event\":");
    EXPECT_EQ(heard(), "3:a 3:b");
    client.send("\"c\"}\n");
    EXPECT_EQ(heard(), "3:c");
    EXPECT_EQ(server.connections(), 1U);
}

TEST_F(Link, LastWordsBeforeHangingUpAreHeard) {
    Client client(server.port());
    client.send("{\"hello\":\"secret\",\"rank\":0}\n{\"event\":\"ended\"}\n");
    client.hang_up();
    EXPECT_EQ(heard(), "0:ended");
    EXPECT_EQ(server.connections(), 0U);
}

TEST_F(Link, WhoeverDoesNotKnowTheTokenIsClosed) {
    for (const auto* greeting :
         {"{\"hello\":\"Secret\",\"rank\":0}\n", "{\"hello\":\"secret\"}\n", "GET / HTTP/1.1\r\n",
          "{\"hello\":1,\"rank\":0}\n", "{\"hello\":\"secret\",\"rank\":-1}\n", "[]\n"}) {
        const Client client(server.port());
        client.send(std::string(greeting) + "{\"event\":\"x\"}\n");
        EXPECT_EQ(heard(), "") << greeting;
        EXPECT_EQ(server.connections(), 0U) << greeting;
    }
}

TEST_F(Link, OneBadMemberDoesNotHarmTheOthers) {
    const Client bad(server.port());
    const Client good(server.port());
    bad.send(std::string(200000, 'x'));
    good.send("{\"hello\":\"secret\",\"rank\":1}\n{\"event\":\"a\"}\n");
    EXPECT_EQ(heard(), "1:a");
}

TEST(Token, IsNeverTheSame) {
    EXPECT_EQ(random_token().size(), 32U);
    EXPECT_NE(random_token(), random_token());
}

}  // namespace
}  // namespace muster::launch
