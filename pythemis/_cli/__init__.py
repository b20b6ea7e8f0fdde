# SPDX-License-Identifier: Apache-2.0
"""The command `pythemis`, thin over the library: `main` begins, a module a group of commands."""
