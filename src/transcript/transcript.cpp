// SPDX-License-Identifier: Apache-2.0
#include "transcript/transcript.hpp"

#include <algorithm>
#include <istream>
#include <ostream>

namespace muster::transcript {

namespace {

/// Input may be any bytes, and an error may quote them.
std::string one_line(const Json& answer) { return answer.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json answer_to(Machine& machine, const std::string& text) {
    const auto line = Json::parse(text, nullptr, false);
    if (line.is_discarded()) throw BadLine("this is not JSON: one object a line is expected");
    if (!line.is_object()) throw BadLine("this is no object: {...} is expected");
    return machine.answer(line);
}

}  // namespace

bool converse(Machine& machine, std::istream& in, std::ostream& out) {
    bool good = true;
    for (std::string text; std::getline(in, text);) {
        if (text.find_first_not_of(" \t\r") == std::string::npos) continue;
        try {
            const auto answer = answer_to(machine, text);
            if (!answer.is_null()) out << one_line(answer) << std::endl;  // At once: somebody may wait for it.
            good = good && !(answer.size() == 1 && answer.contains("error"));
        } catch (const BadLine& fault) {
            out << one_line({{"error", fault.what()}}) << std::endl;
            good = false;
        }
    }
    return good;
}

void expect_only(const Json& line, const char* const* allowed) {
    for (const auto& [field, value] : line.items()) {
        std::string all;
        bool known = false;
        for (const char* const* one = allowed; *one != nullptr; ++one) {
            known = known || field == *one;
            all += (all.empty() ? "" : ", ") + std::string(*one);
        }
        if (!known) throw BadLine("unknown field \"" + field + "\": there are " + all);
    }
}

std::string text_of(const Json& line, const char* field, const char* otherwise) {
    const auto found = line.find(field);
    if (found == line.end() && otherwise != nullptr) return otherwise;
    if (found == line.end()) throw BadLine(std::string("\"") + field + "\" is missing");
    if (!found->is_string()) throw BadLine(std::string("\"") + field + "\" must be a text");
    return found->get<std::string>();
}

std::uint64_t count_of(const Json& line, const char* field, std::uint64_t otherwise) {
    const auto found = line.find(field);
    if (found == line.end()) return otherwise;
    if (!found->is_number_unsigned()) throw BadLine(std::string("\"") + field + "\" must be a whole number, 0 or more");
    return found->get<std::uint64_t>();
}

std::int64_t whole_of(const Json& line, const char* field) {
    const auto found = line.find(field);
    if (found == line.end()) throw BadLine(std::string("\"") + field + "\" is missing");
    const bool fits =
        found->is_number_integer() && (!found->is_number_unsigned() || found->get<std::uint64_t>() >> 63U == 0);
    if (!fits) throw BadLine(std::string("\"") + field + "\" must be a whole number");
    return found->get<std::int64_t>();
}

}  // namespace muster::transcript
