// SPDX-License-Identifier: Apache-2.0
#include "train/report.hpp"

#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

namespace train {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const muster::RoundReport& round) {
    Json json{{"round", round.to.value}, {"lost", Json::array()}, {"promoted", Json::array()}};
    for (const auto& loss : round.lost) json["lost"].push_back(loss.rank.value);
    for (const auto& promotion : round.promoted) json["promoted"].push_back(promotion.rank.value);
    json["stalled_ms"] = round.stalled_ms;
    return json;
}

}  // namespace

bool write_report(const Options& options, const Outcome& outcome, const muster::Session& session) {
    Json json{{"steps", options.steps},     {"steps_repeated", outcome.steps_repeated}, {"accuracy", outcome.accuracy},
              {"weights", outcome.weights}, {"size", session.world().size()},           {"rounds", Json::array()}};
    for (const auto& round : session.rounds()) json["rounds"].push_back(to_json(round));
    if (options.json == "-") return static_cast<bool>(std::cout << json.dump(2) << std::endl);
    std::ofstream file(options.json);
    return static_cast<bool>(file << json.dump(2) << std::endl);
}

}  // namespace train
