// SPDX-License-Identifier: Apache-2.0
#include "mpi/fault.hpp"

#include "mpi/ulfm.hpp"

namespace muster::mpi {

Error fault_of(int code, const std::string& what) {
    char words[MPI_MAX_ERROR_STRING] = {};
    int length = 0;
    MPI_Error_string(code, words, &length);
    int kind = code;
    MPI_Error_class(code, &kind);
    const bool peer = kind == MPIX_ERR_PROC_FAILED || kind == MPIX_ERR_PROC_FAILED_PENDING ||
                      kind == MPIX_ERR_REVOKED || kind == MPI_ERR_OTHER;
    return {peer ? Fault::peer_lost : Fault::internal,
            what + ": " + std::string(words, static_cast<std::size_t>(length))};
}

Result<Done> outcome(int code, const std::string& what) {
    if (code == MPI_SUCCESS) return Done{};
    return fault_of(code, what);
}

}  // namespace muster::mpi
