// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A broken invariant stops every build type: going on with wrong membership costs more than stopping.

#include <cstdio>
#include <cstdlib>

#define MUSTER_ASSERT(condition)                                                                          \
    do {                                                                                                  \
        if (!(condition)) {                                                                               \
            std::fprintf(stderr, "muster: internal error: %s (%s:%d)\n", #condition, __FILE__, __LINE__); \
            std::abort();                                                                                 \
        }                                                                                                 \
    } while (false)
