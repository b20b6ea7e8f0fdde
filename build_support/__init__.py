# SPDX-License-Identifier: Apache-2.0
"""How the package is built and described; build_ffi.py has the tables that both need."""
