# SPDX-License-Identifier: Apache-2.0
"""What the tests against the real Themis core share."""
