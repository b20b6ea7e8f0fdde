# SPDX-License-Identifier: Apache-2.0
"""What a fresh machine needs before anything else runs."""
