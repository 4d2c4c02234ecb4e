// SPDX-License-Identifier: Apache-2.0
#include "deployer_client.hpp"

#include <algorithm>
#include <vector>

namespace deployer {
namespace {

muster::SubmitOptions to(const std::string& backend) { return {.backend = backend}; }
muster::SubmitOptions at(const std::string& endpoint) { return {.endpoint = endpoint}; }

struct Scene {
    muster::Session& session;
    muster::Client& client;
    Deployments deployments;
};

/// 2 -> 6 -> 3 replicas under load, with another backend beside.
void scale(Scene& scene) {
    (void)scene.deployments.create("a", 2, "3");
    (void)scene.deployments.create("b", 1, "5");
    scene.deployments.door("door", {{"a", 1.0}});
    Stream first(scene.client, at("door")), second(scene.client, at("door")), other(scene.client, to("b"));
    if (first.since_now(50).replicas.size() != 2) wrong("not both replicas answer");
    scene.deployments.scale("a", 6);
    const auto six = first.since_now(60);
    if (six.replicas.size() != 6) wrong(std::to_string(six.replicas.size()) + " replicas answer, not 6");
    scene.deployments.scale("a", 3);
    const auto three = first.since_now(60);
    if (three.replicas.size() != 3) wrong(std::to_string(three.replicas.size()) + " replicas answer, not 3");
    if (three.versions.size() != 1 || !three.versions.contains("a/3")) wrong("another factor than 3");
    std::printf("scaled: %lu answered by b meanwhile\n", other.counts().all);
}

/// Each replica has a request that takes a second; the one that goes finishes its own before the round comes.
void drain(Scene& scene) {
    (void)scene.deployments.create("a", 2, "3");
    const Asked asked{7, 1'000, 0};
    std::vector<muster::RequestId> ids;
    for (int i = 0; i < 2; ++i) {
        const auto id = scene.client.submit(std::as_bytes(std::span(&asked, 1)), to("a"));
        if (!id) return wrong("submit: " + id.error().text);
        ids.push_back(*id);
    }
    std::this_thread::sleep_for(200ms);
    const auto before = scene.session.store()->round();
    scene.deployments.scale("a", 1);
    if (scene.session.store()->round() != before) wrong("the round came before the request was done");
    std::set<std::uint64_t> replicas;
    for (const auto id : ids) {
        const auto reply = scene.client.wait(id, 5s);
        if (!reply || reply->error) return wrong("a request was lost");
        Said said;
        std::memcpy(&said, reply->bytes.data(), sizeof said);
        replicas.insert(said.replica);
    }
    if (replicas.size() != 2) wrong("the one that stayed has finished both");
    for (int i = 0; i < 5'000 && scene.session.store()->round() == before; ++i) std::this_thread::sleep_for(1ms);
    if (scene.session.store()->round() == before) wrong("the drained one has not left");
}

/// A backend that cannot be prepared for: no round, and the other one serves on.
void refuse(Scene& scene) {
    (void)scene.deployments.create("a", 1, "3");
    Stream stream(scene.client, to("a"));
    (void)stream.since_now(20);
    const auto before = scene.session.store()->round();
    if (scene.deployments.create("b", 2, "\"no\"") != muster::GoalOutcome::failed) wrong("the goal has not failed");
    if (scene.session.store()->round() != before) wrong("there was a round");
    (void)stream.since_now(50);
    if (scene.deployments.create("b", 1, "5") != muster::GoalOutcome::reached) wrong("a config that works does not");
    Stream other(scene.client, to("b"));
    (void)other.since_now(20);
}

/// A new version takes the old one's place part by part.
void update(Scene& scene) {
    (void)scene.deployments.create("a", 3, "3");
    Stream stream(scene.client, to("a")), second(scene.client, to("a"));
    (void)stream.since_now(50);
    (void)scene.deployments.create("a", 3, "5");
    const auto after = stream.since_now(100);
    if (after.versions.size() != 1 || !after.versions.contains("a/5")) wrong("the old version still answers");
    if (after.replicas.size() != 3) wrong("there are not 3 replicas of it");
}

/// An engine of a replica dies in a request: a standby takes its place, or another replica comes.
void death_of(Scene& scene, std::uint32_t rank) {
    (void)scene.deployments.create("a", 2, "3");
    Stream stream(scene.client, to("a")), second(scene.client, to("a"));
    (void)stream.since_now(50);
    const Asked asked{7, 0, rank + 1};
    muster::SubmitOptions there = to("a");
    there.engine = muster::Slot{rank};  // The first world's slots are in the order of ranks.
    const auto id = scene.client.submit(std::as_bytes(std::span(&asked, 1)), there);
    if (!id) return wrong("submit: " + id.error().text);
    if (const auto reply = scene.client.wait(*id, 20s); !reply || reply->error) return wrong("a request was lost");
    for (int i = 0; i < 200 && stream.since_now(20).replicas.size() < 2; ++i) {
    }
    if (scene.deployments.serving("a") != 2) wrong("it has not 2 replicas");
    if (stream.since_now(50).replicas.size() != 2) wrong("not both replicas answer");
}
void an_engine_dies(Scene& scene) { death_of(scene, 1); }
void the_coordinator_dies(Scene& scene) { death_of(scene, 0); }

/// 70 to 30, and a copy of each to a third.
void traffic(Scene& scene) {
    for (const auto& [tag, factor] : {std::pair("a", "3"), {"b", "5"}, {"c", "7"}})
        (void)scene.deployments.create(tag, 1, factor);
    scene.deployments.door("door", {{"a", 0.7}, {"b", 0.3}});
    scene.deployments.done("shadow", scene.deployments.controller().shadow_traffic("door", "c", 1.0));
    Stream stream(scene.client, at("door"), 100us);
    const auto split = stream.since_now(400);
    const double part = static_cast<double>(split.backends.at("a")) / static_cast<double>(split.all);
    if (part < 0.58 || part > 0.82) wrong("a has a part of " + std::to_string(part));
    if (split.backends.contains("c")) wrong("the shadow's answer was seen");
    std::printf("split %.3f of %lu\n", part, split.all);
    const auto gone = scene.deployments.controller().delete_backend("a");
    if (gone || gone.error().text.find("is used by endpoint 'door'") == std::string::npos) wrong("R11");
}

}  // namespace

void ask(muster::Session& session, const std::string& mode) {
    auto client = session.client(30s);
    if (!client) return wrong("client: " + client.error().text);
    const std::map<std::string, void (*)(Scene&)> stories{{"scale", scale},
                                                          {"drain", drain},
                                                          {"refuse", refuse},
                                                          {"update", update},
                                                          {"traffic", traffic},
                                                          {"engine_dies", an_engine_dies},
                                                          {"coordinator_dies", the_coordinator_dies}};
    Scene scene{session, *client, Deployments(session)};
    const auto story = stories.find(mode);
    if (story == stories.end())
        wrong("no mode " + mode);
    else
        story->second(scene);
    std::printf("told\n");
    if (const auto stopped = client->stop().wait(20s); !stopped) wrong("stop: " + stopped.error().text);
}

}  // namespace deployer
