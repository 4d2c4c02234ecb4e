// SPDX-License-Identifier: Apache-2.0
#pragma once
/// MPI and its fault-tolerance extension, in the one order in which Open MPI's headers compile.

// clang-format off
#include <mpi.h>
#include <mpi-ext.h>
// clang-format on
