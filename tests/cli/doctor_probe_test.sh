#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `muster doctor` with its probes: on a stack with ULFM a process's death is survived.
. "$(dirname "$0")/lib.sh"
expect "doctor" 0 "" "$muster" doctor
says "a death is survived" "^process death +yes .*went on after [0-9.]+ ms"
says "a hang is answered" "^silent hang +yes .*went on after"
expect "doctor --json" 0 "" "$muster" doctor --json --no-probe
says "json" '"ulfm": true'
finish
