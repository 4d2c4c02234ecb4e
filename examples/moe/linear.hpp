// SPDX-License-Identifier: Apache-2.0
#pragma once
/// A fully connected layer over flat parameters: weights [In][Out], then the bias [Out].
/// The order of every sum is written down here and kept by the compiler (no fast-math, no contraction): that is what
/// makes results equal bit for bit however the work is dealt.

#include <cstddef>

namespace moe {

template <std::size_t In, std::size_t Out>
struct Linear {
    static constexpr std::size_t kSize = In * Out + Out;

    /// y = x W + b
    static void forward(const float* parameters, const float* x, float* y) {
        const float* bias = parameters + In * Out;
        for (std::size_t o = 0; o < Out; ++o) y[o] = bias[o];
        for (std::size_t i = 0; i < In; ++i)
            for (std::size_t o = 0; o < Out; ++o) y[o] += x[i] * parameters[i * Out + o];
    }

    /// Adds to the gradient of the parameters.
    static void add_gradient(const float* x, const float* dy, float* gradient) {
        float* bias = gradient + In * Out;
        for (std::size_t i = 0; i < In; ++i)
            for (std::size_t o = 0; o < Out; ++o) gradient[i * Out + o] += x[i] * dy[o];
        for (std::size_t o = 0; o < Out; ++o) bias[o] += dy[o];
    }

    /// Adds to the gradient of the input: dx += dy W^T
    static void add_input_gradient(const float* parameters, const float* dy, float* dx) {
        for (std::size_t i = 0; i < In; ++i) {
            float sum = 0;
            for (std::size_t o = 0; o < Out; ++o) sum += parameters[i * Out + o] * dy[o];
            dx[i] += sum;
        }
    }
};

}  // namespace moe
