# SPDX-License-Identifier: Apache-2.0
"""What the commands of the Makefile run: `evidence`, `release`, `site` and `setup`."""
