# SPDX-License-Identifier: Apache-2.0
"""The only part of the package that touches the compiled module; nothing in here is public.

`boundary` has what all cryptosystems share: errors, buffers, objects that own a handle. Each
cryptosystem has a module of its own.
"""
